"""Rows with judged answers: a wanted one beside one that is not, or a single one with a label."""

from __future__ import annotations

from itertools import takewhile

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.cells import Cells, given
from qlora_ui.data.formats.values import joined, kind_of, label_of, text_of, unpacked
from qlora_ui.data.places import data_error

_Answer = list[Turn]


def preference(cells: Cells) -> Conversation:
    """The prompt and the chosen answer, which is trained, with the rejected answer beside them.

    Without a prompt of its own, the common start of both answers is the prompt; so it is where the answers are whole
    conversations, whose copy of the prompt goes before a column of it.
    """
    chosen, rejected = _both(cells)
    if isinstance(chosen, str) and isinstance(rejected, str) and not (cells.has("prompt") or cells.has("turns")):
        prompt, chosen, rejected = _cut_texts(cells, chosen, rejected)
        return cells.conversation([Turn("user", prompt), *_answer(chosen)], given(_answer(rejected)))
    wanted, unwanted = _answer(chosen), _answer(rejected)
    if _is_whole(wanted) and _is_whole(unwanted):
        start = _common_turns(cells, wanted, unwanted)
        _agrees(cells, wanted[:start])
        return cells.conversation([*given(wanted[:start]), *wanted[start:]], given(unwanted[start:]))
    for part, answer in (("chosen", wanted), ("rejected", unwanted)):
        if _is_whole(answer):
            problem = f"the column {cells.mapping[part]} is a whole conversation, but the other answer is none."
            raise data_error(cells.place, problem, "Write both in the same way.")
    return cells.conversation([*_prompt(cells), *wanted], given(unwanted))


def kto(cells: Cells) -> Conversation:
    """The prompt and its answer, which is trained where its label says that it is wanted."""
    label = label_of(cells["label"])
    if label is None:
        raise cells.wrong("label", "true or false", cells["label"])
    if cells.has("turns"):
        turns = cells.turns("turns")
        start = max((index for index, turn in enumerate(turns, start=1) if turn.role == "user"), default=0)
        prompt, answer = given(turns[:start]), turns[start:]
    else:
        prompt, answer = _prompt(cells), _answer(cells.side("completion"))
    return cells.conversation([*prompt, *(answer if label else given(answer))], desirable=label)


def _prompt(cells: Cells) -> list[Turn]:
    """What stands before the answer, in a column of messages or in columns of text."""
    if cells.has("turns"):
        return given(cells.turns("turns"))
    prompt = cells.side("prompt") if cells.has("prompt") else ""
    if not isinstance(prompt, str):
        return given(prompt)
    return [*given(cells.history()), Turn("user", joined(prompt, cells.optional("input")))]


def _both(cells: Cells) -> tuple[str | _Answer, str | _Answer]:
    """The wanted and the unwanted answer, also where one column holds a list of them, the best first."""
    column = cells.mapping["chosen"]
    if column != cells.mapping["rejected"]:
        return cells.side("chosen"), cells.side("rejected")
    answers = unpacked(cells["chosen"])
    if not isinstance(answers, list) or len(answers) != 2:
        found = f"a list of {len(answers)}" if isinstance(answers, list) and answers else kind_of(answers)
        problem = f"the column {column} must be a list of two answers, the better one first, but it is {found}."
        raise data_error(cells.place, problem, 'Write ["better", "worse"].')
    better, worse = (text_of(answer) for answer in answers)
    if better is None or worse is None:
        raise cells.wrong("chosen", "a list of two texts", answers[0] if better is None else answers[1])
    return better, worse


def _answer(answer: str | _Answer) -> _Answer:
    return [Turn("assistant", answer, True)] if isinstance(answer, str) else answer


def _is_whole(turns: list[Turn]) -> bool:
    """A conversation from its start on, not only an answer."""
    return turns[0].role in ("system", "user")


def _common_turns(cells: Cells, chosen: list[Turn], rejected: list[Turn]) -> int:
    """How many turns both start with; each keeps one at least to be its answer."""
    pairs = zip(chosen[:-1], rejected[:-1], strict=False)
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if start == 0:
        raise _no_common_start(cells)
    return start


def _agrees(cells: Cells, start: list[Turn]) -> None:
    """Raise DataError where a prompt of its own says what the start of the conversations does not."""
    if not (cells.has("prompt") or cells.has("turns")):
        return
    said = {turn.content.strip() for turn in start}
    if any(turn.content.strip() and turn.content.strip() not in said for turn in _prompt(cells)):
        column = cells.mapping.get("turns") or cells.mapping["prompt"]
        problem = f"the column {column} is not the start of the conversation in the column {cells.mapping['chosen']}."
        raise data_error(cells.place, problem, "Correct the row, or take the prompt away in the mapping.")


def _cut_texts(cells: Cells, chosen: str, rejected: str) -> tuple[str, str, str]:
    """The common start, cut between two words, and what follows it in each text, which is never nothing."""
    shortest = min(len(chosen), len(rejected))
    same = next((i for i in range(shortest) if chosen[i] != rejected[i]), shortest)
    cut = max(0, min(same, shortest - 1))
    while cut and (_in_word(chosen, cut) or _in_word(rejected, cut)):
        cut -= 1
    while cut and chosen[cut - 1].isspace():  # a space belongs to the word behind it
        cut -= 1
    if cut == 0:
        raise _no_common_start(cells)
    return chosen[:cut], chosen[cut:], rejected[cut:]


def _in_word(text: str, index: int) -> bool:
    """Whether a cut before the character at `index` goes through a word; scripts without spaces are cut anywhere."""
    before, behind = text[index - 1], text[index]
    return before.isalnum() and behind.isalnum() and max(before, behind) < "\u2e80"


def _no_common_start(cells: Cells) -> DataError:
    columns = f"{cells.mapping['chosen']} and {cells.mapping['rejected']}"
    problem = f"the columns {columns} have no common start, so there is no prompt."
    return data_error(cells.place, problem, "Give the prompt in a column of its own.")
