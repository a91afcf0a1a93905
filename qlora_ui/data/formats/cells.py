"""One row, asked for by the parts that its columns play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.messages import Speech
from qlora_ui.data.formats.tools import tools_of
from qlora_ui.data.formats.values import kind_of, text_of, unpacked
from qlora_ui.data.places import data_error


@dataclass(slots=True)
class Cells:
    """The values of one row. Every method raises DataError, with the row's place and the column, for a wrong kind."""

    values: Mapping[str, Any]
    """Column → value."""
    mapping: Mapping[str, str]
    """Part → column."""
    speech: Speech
    place: str
    number: int

    def __getitem__(self, part: str) -> Any:
        """The value as it is; None where no column plays the part."""
        return self.values.get(self.mapping.get(part, ""))

    def has(self, part: str) -> bool:
        return part in self.mapping

    def text(self, part: str) -> str:
        """Empty where there is nothing."""
        value = self.values.get(self.mapping.get(part, ""))
        if type(value) is str:
            return value
        text = text_of(value)
        if text is None:
            raise self.wrong(part, "text", value)
        return text

    def optional(self, part: str) -> str:
        """The text of a part that may be absent; empty where it holds nothing but white space."""
        if part not in self.mapping:
            return ""
        text = self.text(part)
        return text if text and not text.isspace() else ""

    def user(self, part: str) -> Turn:
        return Turn("user", self.text(part))

    def assistant(self, part: str) -> Turn:
        return Turn("assistant", self.text(part), True)

    def history(self) -> list[Turn]:
        """Earlier questions and their answers."""
        if "history" not in self.mapping:
            return []
        found = unpacked(self["history"]) or []
        if not isinstance(found, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in found):
            problem = f"the column {self.mapping['history']} must be a list of pairs."
            raise data_error(self.place, problem, 'Write [["question", "answer"], …].')
        turns = []
        for pair in found:
            asked, answered = (text_of(value) for value in pair)
            if asked is None or answered is None:
                raise self.wrong("history", "a list of pairs of texts", next(v for v in pair if text_of(v) is None))
            turns += [Turn("user", asked), Turn("assistant", answered, True)]
        return turns

    def turns(self, part: str) -> list[Turn]:
        """A list of messages."""
        return self.speech.turns(self[part], self.mapping.get(part, part), self.place)

    def side(self, part: str) -> str | list[Turn]:
        """What may be text or messages."""
        value = self[part]
        if type(value) is str and value.lstrip()[:1] not in ("[", "{"):
            return value
        found = unpacked(value)
        messages = [found] if isinstance(found, dict) else found
        # Text that is JSON by itself, such as a prompt to continue a list, stays text.
        if _starts_with_object(messages) and (not isinstance(value, str) or self.speech.role_key in messages[0]):
            return self.speech.turns(messages, self.mapping[part], self.place)
        text = text_of(value)
        if text is None:
            raise self.wrong(part, "text or a list of messages", value)
        return text

    def conversation(
        self, turns: list[Turn], rejected: Iterable[Turn] = (), desirable: bool | None = None
    ) -> Conversation:
        """The turns behind the system turn of a column of its own, with the tools of the row."""
        if "system" in self.mapping and (system := self.optional("system")):
            head = Turn("system", system)
            turns = turns if turns[:1] == [head] else [head, *turns]
        tools = tools_of(self["tools"], self.mapping["tools"], self.place) if "tools" in self.mapping else ""
        return Conversation(tuple(turns), self.place, self.number, tools, tuple(rejected), desirable)

    def wrong(self, part: str, expected: str, value: Any) -> DataError:
        problem = f"the column {self.mapping.get(part, part)} must be {expected}, but it is {kind_of(value)}."
        return data_error(self.place, problem, "Correct the row, or assign another column in the mapping.")


def given(turns: Iterable[Turn]) -> list[Turn]:
    """The turns as what stands before an answer: it is not learnt, whoever said it."""
    return [Turn(turn.role, turn.content, False, turn.calls) for turn in turns]


def _starts_with_object(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
