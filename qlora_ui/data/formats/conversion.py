"""The values of one row → a conversation, one function a format.

Nothing is asked here of the order of turns or of empty ones: steps may mend these first, and `requirements` asks after.
"""

from __future__ import annotations

from collections.abc import Callable

from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.cells import Cells, given
from qlora_ui.data.formats.pairs import kto, preference
from qlora_ui.data.formats.values import joined


def _alpaca(cells: Cells) -> Conversation:
    ask = joined(cells.text("instruction"), cells.optional("input"))
    return cells.conversation([*cells.history(), Turn("user", ask), cells.assistant("output")])


def _question_answer(cells: Cells) -> Conversation:
    ask = joined(cells.optional("input"), cells.text("question"))
    return cells.conversation([*cells.history(), Turn("user", ask), cells.assistant("answer")])


def _prompt_completion(cells: Cells) -> Conversation:
    prompt, completion = cells.side("prompt"), cells.side("completion")
    asked = [Turn("user", prompt)] if isinstance(prompt, str) else given(prompt)
    answered = [Turn("assistant", completion, True)] if isinstance(completion, str) else completion
    return cells.conversation([*asked, *answered])


def _messages(cells: Cells) -> Conversation:
    return cells.conversation(cells.turns("turns"))


def _plain_text(cells: Cells) -> Conversation:
    return cells.conversation([Turn("text", cells.text("text"), True)])


CONVERTERS: dict[str, Callable[[Cells], Conversation]] = {
    "alpaca": _alpaca,
    "sharegpt": _messages,
    "messages": _messages,
    "prompt_completion": _prompt_completion,
    "question_answer": _question_answer,
    "text": _plain_text,
    "preference": preference,
    "kto": kto,
}
"""Format → how its rows become conversations. Each raises DataError with the place of the row."""
