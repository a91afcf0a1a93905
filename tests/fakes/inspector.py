"""An inspector that answers at once, without a process and without a tokenizer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Finding, Inspection, RowView, TokenView, TurnView
from qlora_ui.inspector import Inspector

ROWS = 40


class FakeInspector(Inspector):
    """Every file has 40 rows of questions and answers; one whose name has `broken` in it cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Each call's path and options."""
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        """The options of each call, to be waited for."""

    async def inspect(self, path: str, options: Mapping[str, Any], *, offline: bool = False) -> Inspection:
        self.asked.append((path, {**options, "offline": offline}))
        self.news.put_nowait(self.asked[-1][1])
        if "broken" in path:
            raise DataError("Line 17 is not valid JSON.", "Look for a missing quote.", place=f"{path}, line 17")
        first = int(options["start"])
        numbers = range(first, min(first + int(options["limit"]), ROWS + 1))
        return Inspection(
            file=path,
            bytes=18_200,
            rows=ROWS,
            format="question_answer",
            seen="The columns question and answer were found.",
            columns=["question", "answer"],
            findings=[Finding(level="warning", message="2 rows are cut.", hint="Raise the length.", rows=[3], count=2)],
            views=[_view(number, with_tokens=options["model"] is not None) for number in numbers],
            template="The model's own chat template is used.",
            tokens=5_020,
            tokens_trained=2_310,
            rows_truncated=2,
            rows_untrainable=0,
            duplicates=0,
        )


def _view(number: int, *, with_tokens: bool) -> RowView:
    question, answer = f"Question {number} <b>?</b>", f"Answer {number}"
    tokens = [
        TokenView(id=1, text="<|im_start|>", trained=False, special=True),
        TokenView(id=7, text=question, trained=False, special=False),
        TokenView(id=8, text=answer, trained=True, special=False),
        TokenView(id=2, text="<|im_end|>", trained=True, special=True),
    ]
    return RowView(
        number=number,
        original={"question": question, "answer": answer},
        turns=[
            TurnView(role="user", content=question, trained=False),
            TurnView(role="assistant", content=answer, trained=True),
        ],
        tokens=tokens if with_tokens else None,
    )


def data_file(folder: Path, name: str = "rows.jsonl") -> Path:
    """A file that is there; what is in it does not matter to the fake."""
    path = folder / name
    path.write_text('{"question": "q", "answer": "a"}\n')
    return path
