"""Asking before runs are deleted: which ones, what goes with them, and how much room comes free."""

from __future__ import annotations

from collections.abc import Sequence

from qlora_ui.components.dialog import confirm
from qlora_ui.components.words import size
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, n_
from qlora_ui.storage_use import freed_by, in_thread

NAMED = 4
"""So many runs are named before the others are counted."""


async def ask_to_delete(jobs: Sequence[Job]) -> bool:
    """Whether a person is sure. How much room comes free is measured first, in a thread."""
    folders = [job.paths.folder for job in jobs]
    freed = await in_thread(lambda is_over: freed_by(folders, is_over))
    if len(jobs) == 1:
        question, parts = _("Delete {name}?", name=jobs[0].name), []
    else:
        question, parts = n_("Delete {count} run?", "Delete {count} runs?", len(jobs)), [_names(jobs)]
    parts += [what_goes(jobs), _("{size} come free on the disk.", size=size(freed))]
    return await confirm(question, " ".join(parts), action=_("Delete"), is_dangerous=True)


def what_goes(jobs: Sequence[Job]) -> str:
    """What is lost with these runs, in sentences."""
    if len(jobs) > 1:
        return _(
            "Their checkpoints, adapters, scores, curves and logs are removed from the disk, which cannot be undone. "
            "Merged models stay where they are."
        )
    match jobs[0].kind:
        case JobKind.EVALUATION:
            return _("Its scores, answers and log are removed from the disk. This cannot be undone.")
        case JobKind.MERGE:
            return _(
                "Its receipt and log are removed from the disk, which cannot be undone. "
                "The merged model stays where it is."
            )
        case _:
            return _("Its checkpoints, adapter, curves and log are removed from the disk. This cannot be undone.")


def _names(jobs: Sequence[Job]) -> str:
    named = _(", ", context="between the parts of a list").join(job.name for job in jobs[:NAMED])
    more = len(jobs) - NAMED
    if more > 0:
        return n_("{names} and {count} more.", "{names} and {count} more.", more, names=named)
    return _("{names}.", context="a sentence of names", names=named)
