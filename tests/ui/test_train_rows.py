"""Findings, their mends, single rows and the chat template on /train, in a simulated browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.text import LiveRegion
from qlora_ui.components.token_view import TokenStrip
from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import (
    ExampleView,
    Finding,
    Look,
    Mend,
    RowView,
    Survey,
    SurveyProgress,
    TemplateView,
    TokenView,
)
from qlora_ui.contract.recipe import CHAT_TEMPLATES, DataQuery, Step
from qlora_ui.pages.train.data.row_body import TOKENS_AT_ONCE, TOKENS_MORE
from qlora_ui.pages.train.data.template_editor import TemplateEditor
from qlora_ui.services import Services
from tests.fakes.inspector import ROWS, FakeInspector
from tests.ui.acting import buttons, press

DUPLICATES = Finding(
    kind="duplicates",
    level="warning",
    message="These rows are equal to an earlier one.",
    rows=[3, 30],
    count=2,
    mends=[
        Mend(step=Step(do="remove_duplicates"), label="Remove duplicates"),
        Mend(step=Step(do="drop_rows", rows=(3, 30)), label="Drop these rows"),
    ],
)
EMPTY = Finding(
    kind="empty_answer",
    level="error",
    message="The answer of these rows is empty.",
    rows=[7],
    count=1,
    mends=[Mend(step=Step(do="drop_empty"), label="Drop rows with an empty answer")],
)
OWN = "{% for m in messages %}{{ m.content }}{% endfor %}"
CUT = Finding(level="warning", message="The markers of the chat template are no tokens of this model.")


class MendingInspector(FakeInspector):
    """Does what its recipe says to the rows 3 and 30, and finds them as long as it is not told to."""

    def __init__(self) -> None:
        super().__init__()
        self.findings = [EMPTY, DUPLICATES]
        self.tokens = 4
        self.problem = ""

    async def look(self, query: DataQuery, *, start: int = 1, limit: int = 20, rows: Sequence[int] = ()) -> Look:
        template = query.recipe.chat_template
        if "{% if %}" in template:
            raise DataError("The chat template has a mistake in line 2: a name is missing.", "Mend the template there.")
        look = await super().look(query, start=start, limit=limit, rows=rows)
        views = [self._mended(view, query) for view in look.views]
        findings = [CUT] if template in CHAT_TEMPLATES else []
        shown = TemplateView(source="A template is used.", text=template or OWN, findings=findings)
        return look.model_copy(update={"views": views, "template": shown if query.model else None})

    def _mended(self, view: RowView, query: DataQuery) -> RowView:
        left_out = "drop_rows" if view.number in query.recipe.rows_dropped else ""
        if view.number in (3, 30) and query.recipe.does("remove_duplicates"):
            left_out = "remove_duplicates"
        if left_out:
            return view.model_copy(update={"left_out": left_out, "examples": []})
        [example] = view.examples
        many = [TokenView(id=9, text=f" w{index}", trained=True, special=False) for index in range(self.tokens - 4)]
        tokens = [*(example.tokens or []), *many] if example.tokens else None
        parts = [example.model_copy(update={"tokens": tokens})]
        if query.recipe.does("split_long"):
            parts.append(ExampleView(turns=example.turns, rendered="second half", tokens=tokens, length=4))
        return view.model_copy(update={"examples": parts, "problem": self.problem})

    async def survey(self, query: DataQuery, on_progress: Callable[[SurveyProgress], None] = lambda _: None) -> Survey:
        survey = await super().survey(query, on_progress)
        left_out = query.recipe.rows_dropped | ({3, 30} if query.recipe.does("remove_duplicates") else set())
        findings = [EMPTY] if {3, 30} <= left_out else self.findings
        update = {"rows_left_out": len(left_out), "examples": ROWS - len(left_out), "findings": findings}
        return survey.model_copy(update=update)


@pytest.fixture
def inspector(services: Services) -> MendingInspector:
    services.inspector = MendingInspector()
    return services.inspector


async def to_data(user: User) -> None:
    """Choose the starter and its data, and wait until all rows were gone through."""
    await user.open("/train")
    await user.should_see("This run", retries=50)
    user.find(marker="choice-starter").trigger("change")
    await user.should_see("The small model that comes along.", retries=50)
    await press(user, "Continue to data")
    user.find(marker="choice-starter").trigger("change")
    await user.should_see("Row 1 of 40", retries=50)


async def go_to(user: User, number: str) -> None:
    user.find(marker="go-to-row").clear().type(number).trigger("keydown.enter")


def steps(inspector: FakeInspector) -> list[Step]:
    """The mends that the data were looked at with last."""
    return list(inspector.asked[-1][0].recipe.steps)


def said(user: User) -> list[str]:
    """What the polite voices of the page said last."""
    assert user.client is not None
    return [element.text for element in user.client.elements.values() if isinstance(element, LiveRegion)]


async def should_say(user: User, words: str) -> None:
    for _turn in range(50):
        if any(words in text for text in said(user)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{words!r} was not said, but: {said(user)}")


async def test_a_mend_is_recorded_announced_and_taken_back(
    user: User, services: Services, inspector: MendingInspector
) -> None:
    await to_data(user)
    assert not any("remain" in text for text in said(user))
    await press(user, "Remove duplicates")
    await should_say(user, "2 rows are left out now. 38 examples remain.")
    assert steps(inspector) == [Step(do="remove_duplicates")]
    await user.should_not_see("These rows are equal to an earlier one.")
    await press(user, "Take back: Remove duplicates")
    await should_say(user, "40 examples remain.")
    assert steps(inspector) == []
    await user.should_see("These rows are equal to an earlier one.", retries=50)
    await user.should_see("None any more: the rows are taken as their files have them.")


async def test_the_same_mend_is_not_offered_again(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    await press(user, "Drop rows with an empty answer")
    await user.should_see("Leave out rows with an empty answer", retries=50)
    await user.should_see("The answer of these rows is empty.", retries=50)
    assert buttons(user, "Drop rows with an empty answer") == []
    assert len(buttons(user, "Remove duplicates")) == 1


async def test_findings_lead_to_their_rows_one_after_the_other(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    await press(user, "See them: These rows are equal")
    await user.should_see("Row 3 of 40", retries=50)
    await user.should_see("1 of 2: These rows are equal to an earlier one.")
    await press(user, "Next row")
    await user.should_see("Row 30 of 40", retries=50)
    await should_say(user, "Row 30 of 40 2 of 2: These rows are equal to an earlier one.")
    await press(user, "Back to all rows")
    await press(user, "Next row")
    await user.should_see("Row 31 of 40", retries=50)
    await user.should_not_see("2 of 2:")


async def test_any_row_can_be_left_out_and_taken_in_again(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    await press(user, "Next row")
    await press(user, "Leave this row out")
    await user.should_see("This row is left out.", retries=50)
    await user.should_see("By the mend: Leave out single rows.")
    await user.should_see("Leave out single rows: 2", retries=50)
    assert steps(inspector) == [Step(do="drop_rows", rows=(2,))]
    await press(user, "Take it in again")
    await user.should_not_see("This row is left out.", retries=50)
    assert steps(inspector) == []


async def test_a_row_that_a_mend_leaves_out_names_it_and_offers_to_take_it_back(
    user: User, inspector: MendingInspector
) -> None:
    await to_data(user)
    await press(user, "Remove duplicates")
    await go_to(user, "3")
    await user.should_see("By the mend: Remove duplicates.", retries=50)
    user.find(marker="leave-out").click()
    await user.should_not_see("This row is left out.", retries=50)
    assert steps(inspector) == []


@pytest.mark.parametrize(("typed", "answer"), [("41", "from 1 to 40"), ("0", "from 1 to 40"), ("abc", "from 1 to 40")])
async def test_a_row_that_is_not_there_is_refused_in_words(
    user: User, inspector: MendingInspector, typed: str, answer: str
) -> None:
    await to_data(user)
    await go_to(user, typed)
    await user.should_see(f"Give a number {answer}.", retries=50)
    await user.should_see("Row 1 of 40")
    await go_to(user, "1,0")
    await user.should_see("Row 10 of 40", retries=50)
    await user.should_not_see("Give a number")


async def test_the_parts_of_a_row_that_was_split_are_gone_through(
    user: User, services: Services, inspector: MendingInspector
) -> None:
    inspector.findings = [
        Finding(level="warning", message="Long.", mends=[Mend(step=Step(do="split_long"), label="Split long rows")])
    ]
    await to_data(user)
    await user.should_not_see("Part 1 of 2")
    await press(user, "Split long rows")
    await user.should_see("Part 1 of 2", retries=50)
    before = buttons(user, "Next part")[0]
    await press(user, "Next part")
    await user.should_see("Part 2 of 2", retries=50)
    assert buttons(user, "Next part")[0] is before  # and so keeps the focus
    user.find("Rendered").click()
    await user.should_see("second half", retries=50)


async def test_a_long_row_is_drawn_bit_by_bit(user: User, inspector: MendingInspector) -> None:
    inspector.tokens = TOKENS_AT_ONCE + TOKENS_MORE + 10
    await to_data(user)
    assert _tokens(user) == TOKENS_AT_ONCE
    await press(user, "Show 5,000 more")
    assert _tokens(user) == TOKENS_AT_ONCE + TOKENS_MORE
    await press(user, "Show 10 more")
    assert _tokens(user) == inspector.tokens
    assert buttons(user, "Show ") == []
    await press(user, "Next row")
    assert _tokens(user) == TOKENS_AT_ONCE


def _tokens(user: User) -> int:
    [strip] = user.find(kind=TokenStrip).elements
    return len(strip._props["tokens"])


async def test_a_row_that_cannot_be_used_says_why(user: User, inspector: MendingInspector) -> None:
    inspector.problem = "the turns are in the wrong order"
    await to_data(user)
    await user.should_see("The turns are in the wrong order", retries=50)


async def test_a_row_that_cannot_be_used_can_be_left_out_as_well(user: User, inspector: MendingInspector) -> None:
    """The inspector goes on telling what is wrong with it."""
    inspector.problem = "the turns are in the wrong order"
    inspector.findings = [
        Finding(level="error", message="Bad.", mends=[Mend(step=Step(do="skip_bad_rows"), label="Skip these rows")])
    ]
    await to_data(user)
    await user.should_not_see("This row is left out.")
    await press(user, "Skip these rows")
    await user.should_see("By the mend: Skip rows that cannot be used.", retries=50)
    await user.should_see("The turns are in the wrong order")
    user.find(marker="leave-out").click()
    await user.should_not_see("This row is left out.", retries=50)
    assert steps(inspector) == []


# ---- the chat template ----


async def open_editor(user: User) -> ui.codemirror:
    user.javascript_rules[re.compile(".*body--dark", re.DOTALL)] = lambda _match: False
    await press(user, "Edit")
    await user.should_see(kind=TemplateEditor, retries=50)
    [editor] = user.find(kind=ui.codemirror).elements
    return editor


def dialog(user: User) -> TemplateEditor:
    [dialog] = user.find(kind=TemplateEditor).elements
    return dialog


def write(user: User, editor: ui.codemirror, text: str) -> None:
    with user:
        editor.value = text


async def test_a_known_template_is_chosen_and_what_does_not_fit_is_said(
    user: User, services: Services, inspector: MendingInspector
) -> None:
    await to_data(user)
    await user.should_not_see("no tokens of this model")
    [select] = user.find(marker="chat-template").elements
    assert isinstance(select, ui.select)
    select.set_value("llama3")
    await user.should_see("The markers of the chat template are no tokens of this model.", retries=50)
    assert inspector.asked[-1][0].recipe.chat_template == "llama3"


async def test_of_two_quick_choices_the_last_one_holds(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    [select] = user.find(marker="chat-template").elements
    assert isinstance(select, ui.select)
    with user:
        select.set_value("llama3")
        select.set_value("chatml")
    await asyncio.wait_for(_asked_for(inspector, "chatml"), 5)
    asked = len(inspector.asked)
    for _turn in range(100):
        await asyncio.sleep(0)
    assert (select.value, len(inspector.asked)) == ("chatml", asked)


async def test_a_template_of_ones_own_is_tried_while_it_is_typed_and_used(
    user: User, inspector: MendingInspector
) -> None:
    await to_data(user)
    editor = await open_editor(user)
    assert editor.value == OWN
    write(user, editor, f"A\n{OWN}")
    await asyncio.wait_for(_asked_for(inspector, f"A\n{OWN}"), 5)
    await press(user, "Use this template")
    assert not dialog(user).value
    [select] = user.find(marker="chat-template").elements
    assert isinstance(select, ui.select)
    assert select.value == "custom"
    assert inspector.asked[-1][0].recipe.chat_template == f"A\n{OWN}"


async def _asked_for(inspector: MendingInspector, template: str) -> None:
    while (await inspector.news.get()).recipe.chat_template != template:
        pass


async def test_a_mistake_names_and_marks_its_line_and_keeps_the_template_from_use(
    user: User, inspector: MendingInspector
) -> None:
    await to_data(user)
    editor = await open_editor(user)
    write(user, editor, "A\n{% if %}")
    await user.should_see("The chat template has a mistake in line 2", retries=50)
    assert editor.decorations == [{"kind": "line", "line": 2, "class": "qu-line-wrong"}]
    assert buttons(user, "Use this template")[0]._props["title"] == "Mend the template first."
    assert len(buttons(user, "Go to line 2")) == 1
    write(user, editor, "A\nB")
    await user.should_not_see("The chat template has a mistake", retries=50)
    assert editor.decorations == []
    await should_say(user, "Nothing is wrong with the template any more.")
    await press(user, "Use this template")


async def test_a_mistake_that_was_not_tried_yet_is_not_used(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    editor = await open_editor(user)
    write(user, editor, "A\n{% if %}")
    await press(user, "Use this template")
    assert dialog(user).value
    await user.should_see("The chat template has a mistake in line 2")
    assert all(query.recipe.chat_template == "" for query, _start in inspector.asked)


async def test_changes_are_not_thrown_away_unasked(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    editor = await open_editor(user)
    assert "persistent" not in dialog(user)._props
    write(user, editor, "A")
    assert dialog(user)._props["persistent"] is True
    leaving = asyncio.ensure_future(press(user, "Cancel"))
    await user.should_see("Throw your changes away?", retries=50)
    assert dialog(user).value
    await press(user, "Throw away")
    await leaving
    assert not dialog(user).value
    assert inspector.asked[-1][0].recipe.chat_template == ""


async def test_the_way_back_to_the_models_own_template(user: User, inspector: MendingInspector) -> None:
    await to_data(user)
    [select] = user.find(marker="chat-template").elements
    assert isinstance(select, ui.select)
    select.set_value("zephyr")
    await user.should_see("no tokens of this model", retries=50)
    editor = await open_editor(user)
    assert editor.value == "zephyr"
    await press(user, "Back to the model's own")
    assert editor.value == OWN
    await press(user, "Use this template")
    await user.should_not_see("no tokens of this model", retries=50)
    assert select.value == ""
    assert inspector.asked[-1][0].recipe.chat_template == ""


async def test_a_broken_template_can_be_left_for_another(user: User, inspector: MendingInspector) -> None:
    """Nothing can be read with it, and yet it can be changed here."""
    await to_data(user)
    editor = await open_editor(user)
    write(user, editor, "A\nB")
    await press(user, "Use this template")
    inspector.asked.clear()
    [select] = user.find(marker="chat-template").elements
    assert isinstance(select, ui.select)
    select.set_value("")
    await asyncio.wait_for(_asked_for(inspector, ""), 5)
    assert dict(select.options)["custom"] == "a template of your own"
    select.set_value("custom")
    await asyncio.wait_for(_asked_for(inspector, "A\nB"), 5)
