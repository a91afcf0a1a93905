"""Evaluation: base and adapter on the same rows, with the base loaded once."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from transformers import PreTrainedTokenizerBase

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.events import Progress
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import EvaluationParameters
from qlora_ui.contract.records import EvaluationMetrics, EvaluationReport
from qlora_ui.data.conversation import Conversation, Message
from qlora_ui.data.encoding.tokens import Example, encode, prompt_of, render_prompt
from qlora_ui.data.prepare import load
from qlora_ui.worker.batches import Collator
from qlora_ui.worker.context import Context
from qlora_ui.worker.data import adapters_tokenizer, some
from qlora_ui.worker.devices import Device
from qlora_ui.worker.model.adapters import method_of
from qlora_ui.worker.model.base_format import loading_words
from qlora_ui.worker.model.loading import load_adapter, load_base
from qlora_ui.worker.scores import statistics
from qlora_ui.worker.scores.generation import Writer
from qlora_ui.worker.scores.scoring import RowScore, score_rows


@dataclass(frozen=True)
class Row:
    """A row to score; `messages` and `reference` are empty for plain text, which asks nothing."""

    number: int
    example: Example
    messages: list[Message]
    prompt: list[int]
    reference: str


@dataclass
class Results:
    """What one model did, by the row's index."""

    scores: dict[int, RowScore] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)

    def is_right(self, index: int, row: Row) -> bool:
        return self.answers[index] == row.reference.strip()


def evaluate(context: Context, device: Device) -> dict[str, Any]:
    """Score the rows and write the report and the answers; returns the report with their paths as the summary."""
    parameters = cast(EvaluationParameters, context.parameters)
    context.phase("data", "It reads the data and turns it into tokens.")
    tokenizer = adapters_tokenizer(
        parameters.model_name, parameters.adapter_path, context.offline, parameters.chat_template
    )
    rows = _rows(context, parameters, tokenizer)

    method = method_of(Path(parameters.adapter_path).expanduser().resolve()) if parameters.adapter_path else "qlora"
    context.phase("loading", loading_words(method))
    model: Any = load_base(parameters.model_name, device, offline=context.offline, method=method)
    collate = Collator(model, tokenizer.pad_token_id or 0)
    if parameters.adapter_path:
        model = load_adapter(model, Path(parameters.adapter_path).expanduser().resolve())
    writer = Writer(model, tokenizer, device, [row.example for row in rows])
    scoring = Scoring(context, parameters, device, model, collate, writer)

    context.phase("evaluating", f"It scores {len(rows):,} rows.")
    base, adapter = scoring.score(rows)

    report = summarise(rows, base, adapter)
    context.paths.report.mkdir(exist_ok=True)
    write_atomically(context.paths.answers, _answers(rows, base, adapter))
    write_atomically(context.paths.evaluation, report.model_dump_json(indent=1))
    return {"report": str(context.paths.evaluation), "answers": str(context.paths.answers)} | report.model_dump()


@dataclass(frozen=True)
class Scoring:
    """What the rows are scored with."""

    context: Context
    parameters: EvaluationParameters
    device: Device
    model: Any
    """The base, or a PeftModel where there is an adapter."""
    collate: Collator
    writer: Writer

    def score(self, rows: Sequence[Row]) -> tuple[Results, Results | None]:
        """Of the base, and of the adapter where there is one. Raises StopRequested when asked to end."""
        base, adapter = Results(), Results() if self.parameters.adapter_path else None
        started, done = time.perf_counter(), 0
        longest_first = sorted(range(len(rows)), key=lambda i: len(rows[i].example.input_ids), reverse=True)
        for start in range(0, len(rows), self.parameters.batch_size):
            batch = longest_first[start : start + self.parameters.batch_size]
            with self.model.disable_adapter() if adapter else nullcontext():
                self._score_batch(rows, batch, base)
            if adapter:
                self._score_batch(rows, batch, adapter)
            done += len(batch)
            left = (time.perf_counter() - started) / done * (len(rows) - done)
            self.context.report(Progress(step=done, total_steps=len(rows), seconds_left=left))
        return base, adapter

    def _score_batch(self, rows: Sequence[Row], batch: list[int], results: Results) -> None:
        examples = [rows[i].example for i in batch]
        scores = score_rows(self.model, examples, self.collate, self.device, len(batch))
        results.scores |= dict(zip(batch, scores, strict=True))
        self.context.control.check()
        asked = [i for i in batch if rows[i].prompt and self.parameters.max_new_tokens]
        if asked:
            answers = self.writer.write([rows[i].prompt for i in asked], self.parameters.max_new_tokens)
            results.answers |= dict(zip(asked, answers, strict=True))
        self.context.control.check()


def summarise(rows: Sequence[Row], base: Results, adapter: Results | None) -> EvaluationReport:
    """The metrics of both models and their paired differences."""
    report = EvaluationReport(rows=len(rows), base=_metrics(rows, base))
    if adapter is None:
        return report
    differences = {}
    order = range(len(rows))
    tokens = [float(base.scores[i].tokens) for i in order]
    for name, part in (("loss", "nll"), ("token_accuracy", "correct")):
        ours = [float(getattr(adapter.scores[i], part)) for i in order]
        theirs = [float(getattr(base.scores[i], part)) for i in order]
        differences[name] = statistics.ratio_difference(ours, theirs, tokens)
    if base.answers:
        answered = sorted(base.answers)
        differences["accuracy"] = statistics.share_difference(
            [adapter.is_right(i, rows[i]) for i in answered], [base.is_right(i, rows[i]) for i in answered]
        )
    return report.model_copy(update={"adapter": _metrics(rows, adapter), "differences": differences})


def _metrics(rows: Sequence[Row], results: Results) -> EvaluationMetrics:
    scores = [results.scores[i] for i in range(len(rows))]
    tokens = [float(score.tokens) for score in scores]
    loss = statistics.ratio([score.nll for score in scores], tokens)
    answered = sorted(results.answers)
    references = [rows[i].reference.strip() for i in answered]
    return EvaluationMetrics(
        accuracy=statistics.share([results.is_right(i, rows[i]) for i in answered]) if answered else None,
        loss=loss,
        perplexity=statistics.exponential(loss),
        bleu_score=statistics.bleu([results.answers[i] for i in answered], references) if answered else None,
        token_accuracy=statistics.ratio([float(score.correct) for score in scores], tokens),
    )


def _rows(context: Context, parameters: EvaluationParameters, tokenizer: PreTrainedTokenizerBase) -> list[Row]:
    """The rows to score, evenly chosen and without those in which nothing would be scored, which are counted."""
    loaded = load(parameters.recipe, tokenizer, offline=context.offline, after_row=context.control.check)
    if loaded.bad:
        context.warn(f"{len(loaded.bad):,} rows that cannot be used were skipped: {some(loaded.bad)}.")
    chosen = choose_evenly(loaded.conversations, parameters.max_rows)
    rows = []
    for conversation in chosen:
        context.control.check()
        example = encode(conversation, tokenizer, max_length=parameters.max_length, train_on="completions")
        if example.trained:
            rows.append(_row(conversation, example, tokenizer))
    if not rows:
        raise DataError(
            f"{parameters.dataset_path}: no row has a token to score within {parameters.max_length} tokens.",
            "Raise the longest example (max_length), or choose other rows.",
        )
    dropped = len(chosen) - len(rows)
    truncated = sum(row.example.truncated for row in rows)
    context.facts(rows=loaded.rows, rows_scored=len(rows), rows_dropped=dropped, rows_truncated=truncated)
    if dropped:
        context.warn(f"{dropped:,} rows were left out: they are cut before their answer begins.")
    return rows


def _row(conversation: Conversation, example: Example, tokenizer: PreTrainedTokenizerBase) -> Row:
    asked = prompt_of(conversation)
    messages, reference = asked or ([], "")
    prompt = render_prompt(messages, tokenizer, conversation.tools) if asked else []
    return Row(conversation.number, example, messages, prompt, reference)


def choose_evenly(conversations: list[Conversation], limit: int | None) -> list[Conversation]:
    """At most `limit` of them, at equal distances over the file."""
    if limit is None or limit >= len(conversations):
        return conversations
    return [conversations[math.floor(i * len(conversations) / limit)] for i in range(limit)]


def _answers(rows: Sequence[Row], base: Results, adapter: Results | None) -> str:
    """`answers.jsonl`: one scored row a line, in the order of the file."""
    lines = []
    for index, row in enumerate(rows):
        line: dict[str, Any] = {"row": row.number, "prompt": row.messages[-1]["content"] if row.messages else ""}
        line["reference"] = row.reference
        for name, results in (("base", base), ("adapter", adapter)):
            if results is None:
                continue
            score = results.scores[index]
            line[f"{name}_loss"] = score.nll / score.tokens
            if index in results.answers:
                line |= {name: results.answers[index], f"{name}_correct": results.is_right(index, row)}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)
