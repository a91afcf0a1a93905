"""The first step of /train: which model learns."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.forms.choices import Choice, Choices
from qlora_ui.components.forms.field import Field
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.words import size
from qlora_ui.contract.paths import STARTER
from qlora_ui.locales import _
from qlora_ui.models.scan import FoundModel
from qlora_ui.pages.train.session import TrainSession


def build(session: TrainSession) -> None:
    form = session.form
    with Card(_("Model")):
        known = {STARTER: _starter()} | {name: _choice(model) for name, model in session.models.items()}
        shown = str(form.get("model_name") or "")
        choices = Choices(list(known.values()), label=_("Model"), value=shown)
        with Field(
            _("Another model"),
            help=_("A folder on this machine, or a name on the hub such as Qwen/Qwen3-0.6B. Enter takes it."),
        ) as field:
            other = field.hold(ui.input(value="" if shown in known else shown))
        other.props("autocomplete=off spellcheck=false").mark("model-name")

        async def type_name() -> None:
            name = str(other.value or "").strip()
            if name:
                await session.set("model_name", name)

        choices.on_choose = lambda name: session.set("model_name", name)
        other.on("blur", type_name, []).on("keydown.enter", type_name, [])
        Live(form.changed, lambda: session.form.model_note, lambda: _note(session))

        def follow() -> None:
            """A model that was named elsewhere, such as in the file of settings."""
            nonlocal shown
            name = str(form.get("model_name") or "")
            if name != shown:
                shown = name
                choices.show(name)
                other.value = "" if name in known else name

        listen(form.changed, follow)


def _starter() -> Choice:
    return Choice(STARTER, _("Starter"), _("Small, comes along, needs no network and no GPU"))


def _choice(model: FoundModel) -> Choice:
    """With what it is, and how much its weights take on the disk."""
    held = model.facts.quantisation or model.dtype
    facts = ", ".join(part for part in (model.facts.architecture, held, size(model.bytes)) if part)
    place = _("fetched from the hub") if model.location == model.name else str(model.folder.parent)
    return Choice(model.location, model.name, f"{facts} · {place}")


def _note(session: TrainSession) -> None:
    note = session.form.model_note
    if note is not None:
        Notice(note.text, "error" if note.is_problem else "info", hint=note.hint)
