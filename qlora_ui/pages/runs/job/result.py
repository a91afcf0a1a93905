"""What came out of a job: an adapter to use, a comparison, a merge with its proof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nicegui import background_tasks, ui
from pydantic import BaseModel, ValidationError

from qlora_ui.components.badge import Badge
from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.charts.smoothing import column
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.explain import explain
from qlora_ui.components.fold import Fold
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, code_block, paragraph
from qlora_ui.components.words import fixed_per_cent, per_cent, power_of_ten
from qlora_ui.contract.paths import model_location
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus, MergeReceipt
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import fixed, number, significant
from qlora_ui.pages.runs.job import answers
from qlora_ui.pages.runs.job.words import advice, metric_rows, peft_snippet, receipt_sentence, verdict

Record = TypeVar("Record", bound=BaseModel)


def build(job: Job) -> None:
    """The result, as soon as there is one."""
    Live(job.changed, lambda: (job.status, job.history_loaded), lambda: _show(job), classes="qu-contents")


def _show(job: Job) -> None:
    has_ended = job.status in {JobStatus.COMPLETED, JobStatus.FAILED}
    match job.kind:
        case JobKind.TRAINING if job.status is JobStatus.COMPLETED:
            _advice(job)
            _adapter(job)
        case JobKind.EVALUATION if has_ended:
            _load(job.paths.evaluation, EvaluationReport, _comparison)
            answers.build(job.paths.answers)
        case JobKind.MERGE if has_ended:
            _load(job.paths.receipt, MergeReceipt, _receipt)
        case _:
            pass


def _advice(job: Job) -> None:
    if words := advice(column(job.curves, "loss"), column(job.curves, "eval_loss")):
        Notice(words, "warning")


def _adapter(job: Job) -> None:
    path = str(job.summary.get("adapter") or job.paths.adapter)
    snippet = peft_snippet(model_location(job.parameters.model_name), path)
    with Card(_("The adapter")):
        with row(between=True):
            place = Text(path, "code", classes="qu-break qu-sm")
            copy_from(place, _("Copy the path"), is_icon=True)
        Fold(_("Load it in Python"), lambda: _show_python(snippet))


def _show_python(snippet: str) -> None:
    paragraph(_("Python loads it anywhere, with PEFT and the same base:"), muted=True, size="sm")
    with row(top=True):
        code = code_block(snippet, _("Python that loads the adapter")).classes("qu-grow")
        copy_from(code, _("Copy the Python"), is_icon=True)


def _load(path: Path, model: type[Record], show: Callable[[Record], None]) -> None:
    """Read a result in a thread, then show it; a result that is not there or not whole is said to be so."""
    room = ui.element("div").classes("qu-contents")

    async def load() -> None:
        try:
            found = model.model_validate_json(await asyncio.to_thread(path.read_bytes))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            reason = str(error).splitlines()[0]
            if not room.is_deleted:
                with room:
                    Notice(_("The result {path} cannot be read.", path=path), "warning", hint=reason)
            return
        if not room.is_deleted:
            with room:
                show(found)

    background_tasks.create(load(), name=f"read {path.name}", context=ui.context.client)


def _comparison(report: EvaluationReport) -> None:
    has_adapter = report.adapter is not None
    with Card(_("Before and after") if has_adapter else _("Scores of the base")):
        paragraph(verdict(report))
        names = [_("Metric"), _("Base"), *([_("Adapter"), _("Difference")] if has_adapter else [])]
        table = DataTable(names, label=_("Base against adapter"), right=set(names[1:]))
        for line in metric_rows(report):
            entry = table.row()
            with entry.cell(), ui.element("div"), Text(line.name, "div", classes="qu-strong"):
                explain(line.term)
            for value in (line.base, line.adapter, line.difference)[: len(names) - 1]:
                entry.cell(value).classes("qu-nowrap")
        paired = _("± is one standard error. Differences are paired, row by row.")
        with Text(paired if has_adapter else _("± is one standard error."), "p", classes="qu-xs qu-muted"):
            explain("standard-error")


def _receipt(receipt: MergeReceipt) -> None:
    with Card(_("Receipt of the merge")) as card:
        paragraph(receipt_sentence(receipt))
        facts = KeyValues()
        kl, limit = power_of_ten(receipt.kl), significant(receipt.kl_limit, 6)
        facts.add(_("Divergence (KL)"), _("{value} nats, at most {limit}", value=kl, limit=limit), term="kl-divergence")
        agrees, least = fixed_per_cent(100 * receipt.top1_agreement, 2), per_cent(100 * receipt.top1_limit, 2)
        agreement = _("{value}, at least {limit}", value=agrees, limit=least)
        facts.add(_("Same first token"), agreement, term="top-1-agreement")
        facts.add(_("Loss, adapter"), fixed(receipt.loss_adapter, 4), term="loss")
        facts.add(_("Loss, merged"), fixed(receipt.loss_merged, 4))
        rows = n_(
            "{count} row, {tokens} tokens", "{count} rows, {tokens} tokens", receipt.rows, tokens=number(receipt.tokens)
        )
        facts.add(_("Compared on"), rows)
        weights = _("{target} weights, stored as {type}", target=receipt.target, type=receipt.save_type)
        facts.add(_("Merged into"), weights)
        facts.add(_("Folder"), receipt.output_dir)
    with card.head:
        Badge(_("Verified"), "success") if receipt.passed else Badge(_("Not verified"), "error")
