"""Every way to data: a file from this computer, one that is here already, or a path on the server."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from qlora_ui.components.choices import Choice, Choices
from qlora_ui.components.dialog import confirm
from qlora_ui.components.drop_zone import DropZone
from qlora_ui.components.field import Field
from qlora_ui.components.words import size
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.records import Dataset
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import day
from qlora_ui.pages.train.session import TrainSession


def chooser(session: TrainSession) -> None:
    """Every way to data: a file from this computer, one that is here already, or a path on the server."""

    async def choose(name: str) -> None:
        await session.set("dataset_path", name)

    async def uploaded(dataset: Dataset) -> None:
        await session.refresh_choices()
        await choose(dataset.path)

    DropZone(uploaded)
    known = [Choice(STARTER, _("Starter data"), _("Short tasks that suit the starter model"))]
    known += [_uploaded(session, dataset) for dataset in reversed(session.datasets)]
    choices = Choices(known, label=_("Data that is here already"))
    choices.on_choose = choose
    choices.on_remove = lambda path: _remove(session, path)
    help = _("The full path of a file on the machine that runs qlora-ui.")
    with Field(_("A file on this machine"), help=help) as field:
        chosen, here = str(session.form.get("dataset_path") or ""), {choice.value for choice in known}
        path = (
            field.hold(ui.input(value="" if chosen in here else chosen))
            .props("autocomplete=off spellcheck=false")
            .mark("dataset-path")
        )

    async def take_path() -> None:
        if path.value and path.value.strip():
            await choose(path.value.strip())

    path.on("keydown.enter", take_path, []).on("blur", take_path, [])


def _uploaded(session: TrainSession, dataset: Dataset) -> Choice:
    about = _("{size}, added {day}", size=size(dataset.bytes), day=day(dataset.added_at))
    problem = sentence(session.unreadable.get(dataset.path, ""))
    return Choice(dataset.path, dataset.name, about, problem=problem, can_be_removed=True)


async def _remove(session: TrainSession, path: str) -> None:
    title = _("Delete {name}?", name=Path(path).name)
    text = _("The copy that was uploaded is deleted from this machine. Runs that were trained with it stay.")
    if await confirm(title, text, action=_("Delete the file"), is_dangerous=True):
        await session.remove(path)
