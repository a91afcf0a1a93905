"""The bar over the list: which of the runs that were found are shown, and what can be done with those chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from nicegui import ui

from qlora_ui.components.browser.focus import focus_if_lost
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.forms.quiet_select import QuietSelect
from qlora_ui.components.forms.row_checks import AllCheck
from qlora_ui.components.layout import grow, row
from qlora_ui.components.text import LiveRegion, Text
from qlora_ui.components.toast import toast
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs import pausing
from qlora_ui.pages.runs.list.actions import Action, button_words, carry_out, outcome_words
from qlora_ui.pages.runs.list.compare import MOST_COMPARED, compare
from qlora_ui.pages.runs.list.delete import ask_to_delete
from qlora_ui.pages.runs.list.find import Found
from qlora_ui.pages.runs.list.query import Order


class ListBar(ui.element, default_classes="qu-list-bar"):
    """Nothing moves when the first run is chosen: what can be done then takes the place of what is said before."""

    def __init__(
        self,
        jobs: JobManager,
        *,
        on_order: Callable[[Order], Any],
        on_choose: Callable[[set[str]], Any],
        on_refresh: Callable[[], Any],
    ) -> None:
        """`on_choose` gets the ids of all runs that are now chosen, on whatever page they stand."""
        super().__init__("div")
        self._jobs, self._on_choose = jobs, on_choose
        self._found: Sequence[Job] = []
        self._range = ""
        self._page: Sequence[Job] = []
        self.chosen: set[str] = set()
        with self:
            self._all = AllCheck(_("Select all runs of this page"), self._choose_page)
            self._where = Text(classes="qu-sm qu-muted qu-num qu-where")
            self._at_rest = row(wrap=True).classes("qu-grow qu-at-rest")
            with self._at_rest:
                grow()
                self._moved = Button(_("Show what has changed"), on_refresh, icon="rotate-ccw", size="sm")
                self._order = QuietSelect(
                    _orders(), label=_("Order of the runs"), on_choose=lambda o: on_order(Order(o))
                )
            self._bulk = row(wrap=True).classes("qu-grow qu-bulk")
            with self._bulk:
                self._build_bulk()
            self._voice = LiveRegion()
        self._bulk.set_visibility(False)

    def _build_bulk(self) -> None:
        self._everything = Button("", self._choose_everything, size="sm", variant="ghost")
        icon_button(_("Clear the selection"), "x", lambda: self._on_choose(set()), size="sm")
        grow()
        self._buttons = {
            action: Button("", partial(self._do, action), icon=action.icon, size="sm").mark(f"bulk-{action}")
            for action in Action
        }
        self._compare = Button(_("Compare"), self._show_comparison, icon="git-compare", size="sm").mark("bulk-compare")
        self._compare._props["aria-label"] = _("Compare")
        self._compare.move(target_index=len(self._bulk.default_slot.children) - 2)
        self._buttons[Action.DELETE].classes(add="qu-btn-danger", remove="qu-btn-secondary")

    def show(self, found: Found, order: Order, *, page: Sequence[Job], has_moved: bool) -> None:
        """What was found, what of it is shown, and whether the list stands differently by now."""
        self._found, self._page = found.jobs, page
        total = len(found.jobs)
        places = {"first": number(found.first), "last": number(found.first + len(found.rows) - 1)}
        self._range = _("{first}–{last} of {total}", **places, total=number(total))
        self._order.show(order)
        self._moved.set_visibility(has_moved)
        self.follow()

    def follow(self) -> None:
        """Look again at the runs that are chosen: what can be done with them changes as they do."""
        chosen = self._chosen_jobs()
        on_page = [job.id in self.chosen for job in self._page]
        self._all.show(all(on_page) if all(on_page) == any(on_page) else None)
        if not chosen and self._bulk.visible:
            focus_if_lost(self._all.box)  # what was pressed is gone
        self._at_rest.set_visibility(not chosen)
        self._bulk.set_visibility(bool(chosen))
        self._where.text = self._range if not chosen else n_("{count} run chosen", "{count} runs chosen", len(chosen))
        if not chosen:
            return
        self._everything.text = n_("Choose all {count}", "Choose all {count}", len(self._found))
        self._everything.set_visibility(len(self._found) > len(chosen))
        for action, button in self._buttons.items():
            text, reason = button_words(action, chosen)
            button.text = text
            button._props["aria-label"] = text  # where there is room for its icon only, it is the tooltip, too
            button.disable_because(reason)
        self._compare.disable_because(_why_not_compare(len(chosen)))

    def choose(self, chosen: set[str]) -> None:
        """These runs are chosen now, and none else; screen readers are told how many."""
        self.chosen = chosen
        self.follow()
        count = len(self._chosen_jobs())
        self._voice.say(n_("{count} run chosen", "{count} runs chosen", count) if count else _("No run chosen"))

    def _chosen_jobs(self) -> list[Job]:
        known = self._jobs.jobs
        return [known[job_id] for job_id in known if job_id in self.chosen]

    def _choose_page(self, is_checked: bool) -> None:
        page = {job.id for job in self._page}
        self._on_choose(self.chosen | page if is_checked else self.chosen - page)

    def _choose_everything(self) -> None:
        self._on_choose({job.id for job in self._found})

    async def _do(self, action: Action) -> None:
        chosen = self._chosen_jobs()
        if not await self._is_confirmed(action, [job for job in chosen if action.fits(job)]):
            return
        outcome = await carry_out(action, chosen, self._jobs)
        if self.is_deleted:  # the person went on; the runs tell the rest
            return
        with self:
            self.follow()
            done, failures = outcome_words(action, outcome)
            if failures:
                toast(done or _("Nothing was changed."), "warning", hint=failures)
            else:
                toast(done)

    async def _is_confirmed(self, action: Action, fitting: Sequence[Job]) -> bool:
        """Ask, inside a slot that outlives the choice, where an action cannot be undone or lets other runs start."""
        with self:
            match action:
                case Action.DELETE:
                    return await ask_to_delete(fitting)
                case Action.PAUSE:
                    return await pausing.are_successors_settled(self._jobs, fitting)
                case _:
                    return True

    def _show_comparison(self) -> None:
        compare(self._chosen_jobs())


def _why_not_compare(count: int) -> str:
    if count < 2:
        return _("Choose at least two runs to compare them.")
    if count > MOST_COMPARED:
        return n_("At most {count} run can be compared.", "At most {count} runs can be compared.", MOST_COMPARED)
    return ""


def _orders() -> dict[str, str]:
    return {
        Order.STANDING: _("At work first"),
        Order.NEWEST: _("Newest first"),
        Order.OLDEST: _("Oldest first"),
        Order.NAME: _("By name"),
        Order.LONGEST: _("Longest first"),
        Order.LOSS: _("Lowest loss first"),
    }
