"""An inspector that answers at once, without a process and without a tokenizer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import (
    ExampleView,
    Finding,
    Histogram,
    Look,
    Mend,
    PartView,
    RowView,
    SourceView,
    Survey,
    SurveyProgress,
    TemplateView,
    TokenView,
    TurnView,
    Understanding,
)
from qlora_ui.contract.recipe import DataQuery, Step
from qlora_ui.contract.references import HubDataset
from qlora_ui.inspector import Inspector

ROWS = 40


class FakeInspector(Inspector):
    """All data have 40 rows of questions and answers; those whose path has `broken` in it cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[DataQuery, int]] = []
        """Each look's query and first row."""
        self.surveyed: list[DataQuery] = []
        """Each survey's query."""
        self.news: asyncio.Queue[DataQuery] = asyncio.Queue()
        """The query of each look, to be waited for."""
        self.findings = [
            Finding(
                kind="truncated",
                level="warning",
                message="2 rows are cut.",
                hint="Raise the length.",
                rows=[3, 30],
                count=2,
                mends=[Mend(step=Step(do="split_long"), label="Split long rows")],
            )
        ]
        self.may_fetch = asyncio.Event()
        """A fetch waits for it after its first note; it is set at the start."""
        self.may_fetch.set()
        self.may_survey = asyncio.Event()
        """A survey waits for it after its first progress; it is set at the start."""
        self.may_survey.set()

    async def look(self, query: DataQuery, *, start: int = 1, limit: int = 20, rows: Sequence[int] = ()) -> Look:
        self.asked.append((query, start))
        self.news.put_nowait(query)
        path = query.recipe.sources[0].path
        if "broken" in path:
            raise DataError("Line 17 is not valid JSON.", "Look for a missing quote.", place=f"{path}, line 17")
        numbers = list(rows) or range(start, min(start + limit, ROWS + 1))
        columns = ["question", "answer"]
        return Look(
            sources=[SourceView(path=source.path, name=source.path, bytes=18_200) for source in query.recipe.sources],
            understanding=Understanding(
                format="question_answer",
                sureness="certain",
                seen="The columns question and answer were found.",
                columns=columns,
                parts=[
                    PartView(name="question", column="question", required=True, options=columns),
                    PartView(name="answer", column="answer", required=True, options=columns),
                    PartView(name="system", options=columns),
                ],
            ),
            views=[_view(number, with_tokens=bool(query.model)) for number in numbers],
            template=TemplateView(name="own", source="The model's own chat template is used.") if query.model else None,
            has_more=not rows and start + limit <= ROWS,
        )

    async def survey(self, query: DataQuery, on_progress: Callable[[SurveyProgress], None] = lambda _: None) -> Survey:
        self.surveyed.append(query)
        on_progress(SurveyProgress(rows=10, bytes=4_000, bytes_total=18_200))
        await self.may_survey.wait()
        has_tokens = bool(query.model)
        return Survey(
            rows=ROWS,
            bytes=18_200,
            examples=ROWS,
            examples_train=36,
            examples_held_out=4,
            tokens=5_020 if has_tokens else None,
            tokens_trained=2_310 if has_tokens else None,
            truncated=2 if has_tokens else None,
            untrainable=0 if has_tokens else None,
            lengths=Histogram(edges=[0, 64, 128, 256], counts=[8, 30, 2], median=97, p95=130, longest=201)
            if has_tokens
            else None,
            findings=self.findings,
            fingerprint="f" * 64,
            seconds=0.1,
        )

    async def hub(self, name: str, *, offline: bool = False) -> HubDataset:
        raise DataError(f"There is no dataset {name} on the hub.")

    async def fetch(self, query: DataQuery, on_note: Callable[[str], None] = lambda _: None) -> None:
        on_note("Fetching data/train.parquet: 1.5 MB of 3.0 MB.")
        await self.may_fetch.wait()


def _view(number: int, *, with_tokens: bool) -> RowView:
    question, answer = f"Question {number} <b>?</b>", f"Answer {number}"
    tokens = [
        TokenView(id=1, text="<|im_start|>", trained=False, special=True),
        TokenView(id=7, text=question, trained=False, special=False),
        TokenView(id=8, text=answer, trained=True, special=False),
        TokenView(id=2, text="<|im_end|>", trained=True, special=True),
    ]
    example = ExampleView(
        turns=[
            TurnView(role="user", content=question, trained=False),
            TurnView(role="assistant", content=answer, trained=True),
        ],
        rendered=f"<|im_start|>{question}{answer}<|im_end|>" if with_tokens else None,
        tokens=tokens if with_tokens else None,
        length=len(tokens) if with_tokens else None,
    )
    original: dict[str, Any] = {"question": question, "answer": answer}
    return RowView(number=number, place=f"rows.jsonl, line {number}", original=original, examples=[example])


def data_file(folder: Path, name: str = "rows.jsonl") -> Path:
    """A file that is there; what is in it does not matter to the fake."""
    path = folder / name
    path.write_text('{"question": "q", "answer": "a"}\n')
    return path
