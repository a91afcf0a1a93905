"""What is gathered of a file's rows while they pass by once, and what a person should hear of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Finding
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.tokens import Encoded
from qlora_ui.data.formats.detect import Detected
from qlora_ui.data.places import problem_of
from qlora_ui.data.templates.render import folds_system, special_tokens, template_source, uses_fallback

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROWS_NAMED = 50
_MISTAKES_NAMED = 20

_Level = Literal["note", "warning", "error"]


@dataclass
class RowGroup:
    """The rows that something is true of: all are counted, the first 50 are named."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.count += 1
        if len(self.first) < _ROWS_NAMED:
            self.first.append(number)

    def finding(self, level: _Level, message: str, hint: str = "") -> Finding:
        return Finding(level=level, message=message, hint=hint, rows=self.first, count=self.count)


@dataclass
class Survey:
    """Counts over all rows, filled by `note`, `measure` and `mistake`."""

    detected: Detected
    tokenizer: PreTrainedTokenizerBase | None
    max_length: int
    rows: int = 0
    tokens: int = 0
    tokens_trained: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    """An ordered set."""
    duplicates: RowGroup = field(default_factory=RowGroup)
    truncated: RowGroup = field(default_factory=RowGroup)
    untrainable: RowGroup = field(default_factory=RowGroup)
    control: RowGroup = field(default_factory=RowGroup)
    systems: RowGroup = field(default_factory=RowGroup)
    unended: RowGroup = field(default_factory=RowGroup)
    mistakes: dict[tuple[str, str], RowGroup] = field(default_factory=dict)
    """What is wrong and what to do → the rows it is true of."""
    _seen: set[str] = field(default_factory=set)

    def note(self, conversation: Conversation) -> None:
        """A row that was read."""
        fingerprint = conversation.fingerprint
        if fingerprint in self._seen:
            self.duplicates.add(conversation.number)
        self._seen.add(fingerprint)
        if conversation.turns[0].role == "system":
            self.systems.add(conversation.number)
        specials = special_tokens(self.tokenizer) if self.tokenizer else ()
        if any(special in turn.content for turn in conversation.turns for special in specials):
            self.control.add(conversation.number)

    def measure(self, number: int, encoded: Encoded) -> None:
        """A row that was tokenised."""
        example = encoded.cut(self.max_length)
        self.tokens += len(example.input_ids)
        self.tokens_trained += example.trained
        for group, is_true in (
            (self.truncated, example.truncated),
            (self.untrainable, not example.trained),
            (self.unended, encoded.end_added),
        ):
            if is_true:
                group.add(number)

    def mistake(self, number: int, error: DataError) -> None:
        """A row that cannot be used."""
        self.mistakes.setdefault((problem_of(error), error.hint), RowGroup()).add(number)

    def findings(self) -> list[Finding]:
        """The gravest first."""
        return [*self._errors(), *self._warnings(), *self._notes()]

    def _errors(self) -> list[Finding]:
        found = [
            rows.finding("error", problem[:1].upper() + problem[1:], hint)
            for (problem, hint), rows in islice(self.mistakes.items(), _MISTAKES_NAMED)
        ]
        unnamed = sum(rows.count for rows in islice(self.mistakes.values(), _MISTAKES_NAMED, None))
        if unnamed:
            found.append(Finding(level="error", message="More rows cannot be used, for other reasons.", count=unnamed))
        return found

    def _warnings(self) -> list[Finding]:
        found = []
        if self.untrainable.count:
            level: _Level = "error" if self.untrainable.count == self.rows else "warning"
            message = f"No token of these rows would be trained; rows are cut at {self.max_length} tokens."
            hint = "Training leaves them out. If they are cut before the answer, raise the longest example."
            found.append(self.untrainable.finding(level, message, hint))
        if self.truncated.count:
            message = f"These rows are cut at {self.max_length} tokens, so their end is not learnt."
            hint = "Raise the longest example, which takes more memory, or shorten the rows."
            found.append(self.truncated.finding("warning", message, hint))
        if self.duplicates.count:
            hint = "They are trained as often as they are there. Take them out unless they should weigh more."
            found.append(self.duplicates.finding("warning", "These rows are equal to an earlier one.", hint))
        if self.control.count:
            message = "The text of these rows contains a control token of the model, which it reads as such."
            hint = "Take it out of the text: the chat template puts in what is needed."
            found.append(self.control.finding("warning", message, hint))
        return found

    def _notes(self) -> list[Finding]:
        found = []
        if self.unended.count:
            message = "The model's chat template ends an answer with no token; its end of sequence is put behind it."
            found.append(self.unended.finding("note", message))
        if self.tokenizer and self.systems.count and folds_system(self.tokenizer):
            message = "The model knows no system turn, so its text is put at the head of the first user turn."
            found.append(self.systems.finding("note", message))
        if self.tokenizer and self.detected.format != "text" and uses_fallback(self.tokenizer):
            found.append(Finding(level="note", message=template_source(self.tokenizer)))
        unused = [name for name in self.columns if name not in self.detected.mapping.values()]
        if unused:
            found.append(Finding(level="note", message=f"These columns are not used: {', '.join(unused)}."))
        return found
