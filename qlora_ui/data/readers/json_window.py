"""A part of a long JSON text that moves along with its reader."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.json_text import BLANKS, DECODER, LENIENT, explain, refused
from qlora_ui.data.readers.limits import BLOCK, LONGEST_ROW
from qlora_ui.data.readers.lines import not_utf8, nul_byte, too_long
from qlora_ui.data.readers.streams import Stream

LIST_HINT = 'Write [{…}, {…}] or {"data": [{…}, {…}]}; or save it as .jsonl, with one object on each line.'
_SPACE = re.compile(f"[{BLANKS}]*")
_MARGIN = 16
"""Characters: what stands nearer to the end of the window may go on behind it, such as a number or a \\u escape."""


class JsonWindow:
    """Reads values and marks from where it stands. Line and column are known all the while."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._line, self._column = 1, 1
        self._is_all = False
        self._failure: DataError | None = None
        """What is to be told of when all before it has been read."""

    def beginning(self) -> str:
        """The first megabyte, before anything was read of it."""
        self._more()
        return self._text

    def peek(self) -> str:
        """The next mark that is no white space; empty at the end, where the window stays before any white space."""
        rest = self._at
        while True:
            rest = _SPACE.match(self._text, rest).end()  # type: ignore[union-attr]  # it matches nothing as well
            if rest < len(self._text):
                self._at = rest
                return self._text[rest]
            rest -= self._at
            if not self._more():
                return ""

    def peeks_at_objects(self) -> bool:
        """Whether a list begins here that is empty or begins with an object."""
        if self.peek() != "[":
            return False
        while len(self._text) - self._at < 2 or not (rest := self._text[self._at + 1 :].lstrip(BLANKS)[:1]):
            if not self._more():
                return False
        return rest in {"{", "]"}

    def skip(self, mark: str, problem: str, problem_at_end: str = "") -> None:
        """Go past a mark. Raises DataError with the problem when something else stands here."""
        found = self.peek()
        if found != mark:
            raise self.broken((not found and problem_at_end) or self._comment() or problem)
        self._at += 1

    def value(self) -> tuple[Any, str]:
        """The value that stands here, and how it is written. Raises DataError."""
        value, text, refusal = self.value_or_refusal()
        if refusal is not None:
            raise data_error(self._place(self._at - len(text)), *refusal)
        return value, text

    def value_or_refusal(self) -> tuple[Any, str, tuple[str, str] | None]:
        """As `value`, but what is written correctly and cannot be taken comes with the problem and a hint."""
        self.peek()
        while True:
            refusal = None
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error.pos, error.msg) and self._more():
                    continue
                raise self._error(error) from None
            except RecursionError as error:
                raise data_error(self._place(self._at), *refused(error)) from None
            except ValueError as error:
                refusal = refused(error)
                try:
                    value, end = LENIENT.raw_decode(self._text, self._at)
                except json.JSONDecodeError as other:
                    if self._may_go_on(other.pos, other.msg) and self._more():
                        continue
                    raise self._error(other) from None
            if end + _MARGIN > len(self._text) and self._failure is None and self._more():
                continue
            text = self._text[self._at : end]
            self._at = end
            return value, text, refusal

    def broken(self, reason: str) -> DataError:
        """What is wrong where the window stands."""
        return self._broken_at(self._at, reason)

    def _error(self, error: json.JSONDecodeError) -> DataError:
        if self._text[error.pos : error.pos + 1] == "\0":
            return nul_byte(self._place(error.pos))
        return self._broken_at(error.pos, explain(self._text, error))

    def _broken_at(self, position: int, reason: str) -> DataError:
        return data_error(self._place(position), f"the JSON is broken: {reason}.", LIST_HINT)

    def _may_go_on(self, position: int, message: str) -> bool:
        return position + _MARGIN > len(self._text) or message.startswith("Unterminated string")

    def _comment(self) -> str:
        return "JSON has no comments" if self._text[self._at : self._at + 2] in {"//", "/*"} else ""

    def _more(self) -> bool:
        """Let go of what was read and take in as much again as is held; False at the end. Raises DataError, OSError."""
        if self._failure is not None:
            raise self._failure
        if self._is_all:
            return False
        self._line, self._column = self._line_and_column(self._at)
        self._text, self._at = self._text[self._at :], 0
        if len(self._text) > LONGEST_ROW:
            raise too_long(self._place(0))
        try:
            raw = self._stream.read(min(max(BLOCK, len(self._text)), LONGEST_ROW + BLOCK - len(self._text)))
            self._is_all = not raw
            self._text += self._decoder.decode(raw, final=not raw)
        except DataError as error:
            self._failure = error
        except UnicodeDecodeError as error:
            self._text += error.object[: error.start].decode()
            self._failure = not_utf8(self._place(len(self._text)), error.object[error.start])
        return True

    def _line_and_column(self, position: int) -> tuple[int, int]:
        """Of a position in the window, from 1; the column is counted in characters."""
        lines = self._text.count("\n", 0, position)
        if not lines:
            return self._line, self._column + position
        return self._line + lines, position - self._text.rindex("\n", 0, position)

    def _place(self, position: int) -> str:
        line, column = self._line_and_column(position)
        return f"{self._name}, line {line}, column {column}"
