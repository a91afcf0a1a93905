"""Every way to data: from this computer, from what is here already, from a path on the server, from the hub."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.dialog import confirm
from qlora_ui.components.forms.choices import Choice, Choices
from qlora_ui.components.forms.drop_zone import DropZone
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import column, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import muted
from qlora_ui.components.words import size
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.records import Dataset
from qlora_ui.contract.references import HubReference, parse_reference
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import day
from qlora_ui.pages.train.data.hub_picker import HubPicker
from qlora_ui.pages.train.session import TrainSession

Choose = Callable[[str], Awaitable[None]]
"""Called with the reference of what was chosen."""


class Chooser(ui.element, default_classes="qu-col qu-gap-4"):
    """The ways to data, of which one is in sight; what is typed or under way in the others stays."""

    def __init__(self, session: TrainSession, on_choose: Choose, *, tried: str = "") -> None:
        """`tried` is what was chosen and could not be read, to be mended where it was typed."""
        super().__init__("div")
        self._session, self._on_choose = session, on_choose
        self._taken = ""
        """The path that was chosen last."""
        here = {STARTER, *(dataset.path for dataset in session.datasets)}
        way = "upload" if not tried or tried in here else "hub" if _is_hub(tried) else "path"
        with self:
            ways = {"upload": _("File, folder or text"), "path": _("Path on this machine"), "hub": _("Hub")}
            with row():
                label = _("Where the data come from")
                self._ways = Segmented(ways, label=label, value=way, on_change=self._show).classes("qu-ways")
            self._rooms = {name: column(gap=4) for name in ways}
            with self._rooms["upload"]:
                DropZone(self._uploaded)
                Live(session.form.changed, self._known_key, lambda: self._show_known(tried), classes="qu-col qu-gap-4")
            with self._rooms["path"]:
                self._path_field(tried if way == "path" else "")
            with self._rooms["hub"]:
                self._hub = HubPicker(session, on_choose, tried if way == "hub" else "")
        self._show(way)

    def _show(self, way: str) -> None:
        for name, room in self._rooms.items():
            room.set_visibility(name == way)

    async def _uploaded(self, dataset: Dataset) -> None:
        await self._session.refresh_choices()
        await self._on_choose(dataset.path)

    def _known_key(self) -> object:
        return self._session.datasets, self._session.unreadable.copy()

    def _show_known(self, tried: str) -> None:
        known = [Choice(STARTER, _("Starter data"), _("Short tasks that suit the starter model"))]
        known += [_uploaded(self._session, dataset) for dataset in reversed(self._session.datasets)]
        label = _("Data that is here already")
        muted(label, size="xs")
        choices = Choices(known, label=label, value=tried)
        choices.on_choose = self._on_choose
        choices.on_remove = lambda path: _remove(self._session, path)

    def _path_field(self, tried: str) -> None:
        help = _("A file, a folder or an archive on the machine that runs qlora-ui. Enter takes it.")
        with row(gap=3, wrap=True, top=True):
            with Field(_("Path"), help=help).classes("qu-grow qu-hub-name") as field:
                path = field.hold(ui.input(value=tried)).props("autocomplete=off spellcheck=false").mark("dataset-path")

            async def take() -> None:
                await self._take_path(str(path.value or "").strip(), field, tried)

            path.on("keydown.enter", take, [])
            Button(_("Use this path"), take, icon="check").classes("qu-beside-field")

    async def _take_path(self, text: str, field: Field, tried: str) -> None:
        """Only once, however often Enter is pressed: the next one would be a choice in place of this one."""
        if not text or text == self._taken:
            return
        try:
            reference = parse_reference(text)
        except ParameterError as error:
            field.set_error(" ".join(filter(None, (sentence(error.message), sentence(error.hint)))))
            return
        field.set_error("")
        if isinstance(reference, HubReference):
            self._ways.show("hub")
            self._show("hub")
            await self._hub.look_up(text)
        elif text == tried:
            self._session.read_data()
        else:
            self._taken = text
            await self._on_choose(str(reference))


def _is_hub(text: str) -> bool:
    try:
        return isinstance(parse_reference(text), HubReference)
    except ParameterError:
        return False


def _uploaded(session: TrainSession, dataset: Dataset) -> Choice:
    about = _("{size}, added {day}", size=size(dataset.bytes), day=day(dataset.added_at))
    if dataset.files > 1:
        about = n_("{count} file, {about}", "{count} files, {about}", dataset.files, about=about)
    problem = sentence(session.unreadable.get(dataset.path, ""))
    return Choice(dataset.path, dataset.name, about, problem=problem, can_be_removed=True)


async def _remove(session: TrainSession, path: str) -> None:
    title = _("Delete {name}?", name=Path(path).name)
    text = _("The copy that was uploaded is deleted from this machine. Runs that were trained with it stay.")
    if await confirm(title, text, action=_("Delete the file"), is_dangerous=True):
        await session.remove(path)
