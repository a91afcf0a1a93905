"""A dataset on the hub: its name, then which configuration, which split and how much of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.forms.select_field import SelectField
from qlora_ui.components.layout import column, row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.components.words import size
from qlora_ui.contract.errors import ParameterError, QloraUiError
from qlora_ui.contract.references import HUB, HubConfig, HubDataset, HubReference, HubSplit, parse_reference
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.train.session import TrainSession


class HubPicker(ui.element, default_classes="qu-col qu-gap-4"):
    """Asks the hub for what a dataset offers, or what is cached of it, and has a person pick of that."""

    def __init__(self, session: TrainSession, on_choose: Callable[[str], Awaitable[None]], tried: str = "") -> None:
        super().__init__("div")
        self._session, self._on_choose = session, on_choose
        self._asked = ""
        with self:
            if self._is_offline:
                hint = _("Only data sets that were fetched before, and are cached on this machine, can be used.")
                Notice(_("The hub is not asked: this app is offline."), "info", hint=hint)
            with row(gap=3, wrap=True, top=True):
                help = _("Such as owner/name, or the address of its page.")
                with Field(_("Data set on the hub"), help=help).classes("qu-grow qu-hub-name") as self._field:
                    self._name = self._field.hold(ui.input(value=tried)).mark("hub-name")
                    self._name.props("autocomplete=off spellcheck=false").on("keydown.enter", self._ask, [])
                Button(_("See what is in it"), self._ask, icon="search").classes("qu-beside-field")
            self._room = column(gap=4)
            self._room.set_visibility(False)

    @property
    def _is_offline(self) -> bool:
        return bool(self._session.services.settings.offline or self._session.form.get("offline"))

    async def look_up(self, text: str) -> None:
        """Ask for the dataset of this name, or of this address."""
        self._name.value = text
        await self._ask()

    async def _ask(self) -> None:
        text = self._asked = str(self._name.value or "").strip()
        self._field.set_error("")
        self._room.clear()
        self._room.set_visibility(False)
        try:
            reference = _reference(text)
            dataset = await self._session.services.hub_dataset(reference.name, offline=self._is_offline)
        except QloraUiError as error:
            if self._asked == text and not self.is_deleted:
                self._field.set_error(" ".join(filter(None, (sentence(error.message), sentence(error.hint)))))
            return
        if self._asked != text or self.is_deleted:  # another one was asked for meanwhile, or the page was left
            return
        self._room.set_visibility(True)
        with self._room:
            _Picks(dataset, reference, self._on_choose)


def _reference(text: str) -> HubReference:
    """What a person typed or pasted. Raises ParameterError."""
    is_plain = ":" not in text.partition("?")[0]
    reference = parse_reference(f"{HUB}{text}" if text and is_plain else text)
    if not isinstance(reference, HubReference):
        raise ParameterError(f"{text} is no dataset on the hub.", "Write owner/name, as on its page on the hub.")
    return reference


class _Picks(ui.element, default_classes="qu-col qu-gap-4"):
    """The configurations and splits of one dataset."""

    def __init__(self, dataset: HubDataset, asked: HubReference, on_choose: Callable[[str], Awaitable[None]]) -> None:
        super().__init__("div")
        self._asked, self._on_choose = asked, on_choose
        self._configs = {config.name: config for config in dataset.configs}
        known = asked.config if asked.config in self._configs else dataset.default
        self._config = self._configs.get(known) or next(iter(self._configs.values()))
        with self:
            if dataset.note:
                Notice(sentence(dataset.note), "info")
            with ui.element("div").classes("qu-knobs"):
                if len(self._configs) > 1:
                    names = {name: name for name in self._configs}
                    configs = SelectField(_("Configuration"), self._take_config, marker="hub-config")
                    configs.show(names, self._config.name)
                self._splits = SelectField(_("Split"), lambda split: None, marker="hub-split")
            self._show_splits(asked.split.partition("[")[0])
            self._amount = _Amount()
            with row():
                Button(_("Use this data"), self._take, icon="check", variant="primary")

    def _take_config(self, name: str) -> None:
        self._config = self._configs[name]
        self._show_splits(self._splits.value)

    def _show_splits(self, wanted: str) -> None:
        words = {split.name: _about(split) for split in self._config.splits}
        self._splits.show(words, next((name for name in (wanted, "train") if name in words), next(iter(words), "")))

    async def _take(self) -> None:
        slice = self._amount.slice()
        if slice is not None:
            await self._on_choose(str(self._reference(self._config, f"{self._splits.value}{slice}")))

    def _reference(self, config: HubConfig, split: str) -> HubReference:
        name = config.name if len(self._configs) > 1 else self._asked.config
        return HubReference(name=self._asked.name, config=name, split=split, revision=self._asked.revision)


class _Amount(ui.element, default_classes="qu-row qu-gap-3 qu-wrap qu-top-aligned"):
    """All rows, the first so many, or the first so many per cent."""

    def __init__(self) -> None:
        super().__init__("div")
        with self:
            with ui.element("div").classes("qu-field"):
                Text(_("How much of it"), "div", classes="qu-field-label")
                ways = {"all": _("All rows"), "rows": _("First rows"), "share": _("First per cent")}
                self._way = Segmented(ways, label=_("How much of it"), on_change=self._show)
            with Field(_("Rows")) as self._field:
                self._count = self._field.hold(ui.input(value="1000")).props("inputmode=numeric autocomplete=off")
                self._count.mark("hub-count")
        self._show("all")

    def _show(self, way: str) -> None:
        self._field.set_visibility(way != "all")
        self._field.set_error("")
        self._field.label.text = _("Per cent") if way == "share" else _("Rows")
        self._count.value = "10" if way == "share" else "1000"

    def slice(self) -> str | None:
        """`[:1000]`, `[:10%]`, empty for all; None where the number cannot be used, which is said at the field."""
        if self._way.value == "all":
            return ""
        most = 100 if self._way.value == "share" else 10**12
        text = str(self._count.value or "").strip()
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
            is_share = self._way.value == "share"
            self._field.set_error(_("Give a whole number from 1 to 100.") if is_share else _("Give a whole number."))
            return None
        self._field.set_error("")
        return f"[:{int(text)}%]" if self._way.value == "share" else f"[:{int(text)}]"


def _about(split: HubSplit) -> str:
    """`train: 12,000 rows, 3.4 MB`, as far as it is known."""
    rows = n_("{count} row", "{count} rows", split.rows) if split.rows is not None else ""
    figures = ", ".join(filter(None, (rows, size(split.bytes) if split.bytes is not None else "")))
    return _("{name}: {figures}", name=split.name, figures=figures) if figures else split.name
