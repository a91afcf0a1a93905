"""The data that were chosen: each source with what was found of it, and how often its rows go in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nicegui import ui

from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.knob_field import in_words
from qlora_ui.components.layout import column, row
from qlora_ui.components.text import Text, heading, muted
from qlora_ui.components.words import size
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.inspection import SourceView
from qlora_ui.contract.recipe import Source
from qlora_ui.contract.references import HUB, HubReference, parse_reference
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.train.data import choosing
from qlora_ui.pages.train.data.words import source_name
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.theme import Icon


def show_chosen(session: TrainSession, *, on_more: Callable[[], None], on_replace: Callable[[], None]) -> None:
    """One source as a title, several as a list with their weights."""
    sources = session.form.sources
    look = session.form.data.look
    found = {view.path: view for view in look.sources} if look is not None else {}
    with row(gap=3, between=True, wrap=True, top=True):
        if len(sources) == 1:
            _show_source(sources[0], found.get(sources[0].path), is_title=True)
        else:
            heading(_("Mixed data"))
        with row(wrap=True):
            Button(_("Add more data"), on_more, icon="plus").mark("add-data")
            Button(_("Replace"), on_replace, icon="upload").mark("replace-data")
    if len(sources) > 1:
        _list(session, found)


def _list(session: TrainSession, found: Mapping[str, SourceView]) -> None:
    with column(gap=3):
        muted(_("The weight says how often each row goes in: 2 is twice, 0.5 a random half."), size="xs")
        with ui.element("ul").classes("qu-sources"):
            for index, source in enumerate(session.form.sources):
                with ui.element("li"):
                    _show_source(source, found.get(source.path))
                    _WeightField(session, index)
                    label = _("Go on without {name}", name=source_name(source.path))
                    icon_button(label, "x", _remover(session, index)).mark(f"remove-source-{index}")


def _remover(session: TrainSession, index: int) -> Callable[[], object]:
    return lambda: session.remove_data(index)


def _show_source(source: Source, view: SourceView | None, *, is_title: bool = False) -> None:
    with row(gap=3).classes("qu-source"):
        with ui.element("span").classes("qu-dot qu-tone-idle"):
            Icon(_icon(source.path, view))
        with column().style("gap:0;min-width:0"):
            name = source_name(source.path)
            title = heading(name) if is_title else Text(name, classes="qu-strong")
            title.classes("qu-break").style("font-size:14px")
            title._props["title"] = source.path
            if about := _about(source, view):
                Text(about, "p", classes="qu-xs qu-muted qu-num qu-break")


def _icon(path: str, view: SourceView | None) -> str:
    if path.startswith(HUB):
        return "database"
    return "layers" if view is not None and view.files > 1 else "file-text"


def _about(source: Source, view: SourceView | None) -> str:
    """`default, train[:1000] · 18.2 MB · 3 files · taken from what is cached here`."""
    parts = [_picks(source.path)]
    if view is not None:
        parts.append(size(view.bytes) if view.bytes is not None else "")
        parts.append(n_("{count} file", "{count} files", view.files) if view.files > 1 else "")
        parts.append(sentence(view.note))
    return " · ".join(filter(None, parts))


def _picks(path: str) -> str:
    """What was picked of a dataset on the hub; nothing of a name that cannot be understood."""
    try:
        reference = parse_reference(path)
    except ParameterError:
        return ""
    if not isinstance(reference, HubReference):
        return ""
    return ", ".join(filter(None, (_("hub"), reference.config, reference.split, reference.revision[:12])))


class _WeightField(Field):
    """How often each row of a source goes in."""

    def __init__(self, session: TrainSession, index: int) -> None:
        super().__init__(_("Weight"))
        self.classes("qu-weight")
        self._session, self._index = session, index
        source = session.form.sources[index]
        self._shown = in_words(source.weight)
        self._weight = self.hold(ui.input(value=self._shown)).props("inputmode=decimal autocomplete=off")
        name = source_name(source.path)
        self._weight._props["aria-label"] = _("How often each row of {name} goes in", name=name)
        self._weight.mark(f"weight-{index}")
        self._weight.on("blur", self._take, []).on("keydown.enter", self._take, [])
        with self:
            listen(session.form.changed, self._follow)

    def _follow(self) -> None:
        """A weight that was set elsewhere, such as in the file of settings."""
        sources = self._session.form.sources
        if self._index < len(sources) and (weight := in_words(sources[self._index].weight)) != self._shown:
            self._shown = self._weight.value = weight
            self.set_error("")

    async def _take(self) -> None:
        text = str(self._weight.value or "").strip()
        if text == self._shown:
            self.set_error("")
            return
        try:
            weight = float(text)
        except ValueError:
            weight = 0.0
        if not 0 < weight <= 100:
            self.set_error(_("Give a number above 0, at most 100."))
            return
        self.set_error("")
        self._shown = in_words(weight)
        values = choosing.weighted(self._session.form.sources, self._index, weight)
        await self._session.change(values)
