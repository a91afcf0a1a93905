"""The data of /train in a simulated browser: choosing, mixing, understanding, holding out, counting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.forms.drop_zone import DropZone
from qlora_ui.components.text import LiveRegion
from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Look, PartView, Survey, SurveyProgress, Understanding
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.contract.references import HubConfig, HubDataset, HubSplit
from qlora_ui.pages.train.data.state import ROWS_KEPT, DataState
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.services import Services
from qlora_ui.store.recipes import KeptRecipe
from tests.fakes.inspector import FakeInspector, data_file
from tests.ui.acting import buttons, open_step, press

COLUMNS = ["frage", "antwort", "kunde"]


class OddInspector(FakeInspector):
    """Data with columns and speakers that are not known by name, as long as nobody says what they are."""

    def __init__(self, speakers: Sequence[str] = (), guesses: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.speakers, self.guesses = speakers, guesses or {}
        self.hub_asked: list[tuple[str, bool]] = []

    async def look(self, query: DataQuery, *, start: int = 1, limit: int = 20, rows: Sequence[int] = ()) -> Look:
        look = await super().look(query, start=start, limit=limit, rows=rows)
        recipe = query.recipe
        if "gone" in recipe.mapping.values():
            raise DataError("The mapping names the column gone, but the data has none of that name.")
        columns = {**self.guesses, **recipe.mapping}
        parts = [
            PartView(name=name, column=columns.get(name, ""), required=name != "system", options=COLUMNS)
            for name in ("question", "answer", "system")
        ]
        understanding = Understanding(
            format="question_answer" if recipe.data_format == "auto" else recipe.data_format,
            sureness="unsure" if recipe.data_format == "auto" else "chosen",
            seen="No known form fits.",
            alternatives=["alpaca"],
            columns=COLUMNS,
            parts=parts,
            roles={name: recipe.roles.get(name, "") for name in self.speakers},
        )
        return look.model_copy(update={"understanding": understanding})

    async def hub(self, name: str, *, offline: bool = False) -> HubDataset:
        self.hub_asked.append((name, offline))
        if "nowhere" in name:
            raise DataError(f"There is no dataset {name} on the hub.", "Check the name.")
        train, test = HubSplit(name="train", rows=12_000, bytes=3_400_000), HubSplit(name="test", rows=40)
        configs = [HubConfig(name="default", splits=[train, test]), HubConfig(name="small", splits=[test])]
        return HubDataset(name=name, configs=configs, default="default", note="It was fetched last week.")


@pytest.fixture
def inspector(services: Services) -> FakeInspector:
    services.inspector = FakeInspector()
    return services.inspector


@pytest.fixture
def odd(services: Services) -> OddInspector:
    services.inspector = inspector = OddInspector()
    return inspector


async def enter(user: User, marker: str, text: str) -> None:
    user.find(marker=marker).clear().type(text).trigger("blur")


async def to_data(user: User) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    user.find(marker="choice-starter").trigger("change")
    await user.should_see("The small model that comes along.", retries=50)
    await press(user, "Continue to data")


async def name_path(user: User, path: Path | str) -> None:
    user.find("Path on this machine").click()
    user.find(marker="dataset-path").clear().type(str(path)).trigger("keydown.enter")


async def choose_file(user: User, path: Path) -> None:
    """Name data by their path, and wait until their first rows are there."""
    await to_data(user)
    await name_path(user, path)
    await user.should_see("Row 1", retries=50)


def select_of(user: User, marker: str) -> ui.select:
    [select] = user.find(kind=ui.select, marker=marker).elements
    return select


async def pick(user: User, marker: str, value: str) -> None:
    """Choose an option of a select."""
    with user:
        select_of(user, marker).value = value


async def asked(inspector: FakeInspector, **expected: Any) -> DataQuery:
    """The first query whose recipe has these values."""
    return await _until(
        inspector, lambda query: all(getattr(query.recipe, name) == value for name, value in expected.items())
    )


# ---- choosing ----


async def test_a_reference_that_cannot_be_understood_is_explained_at_its_field(
    user: User, inspector: FakeInspector
) -> None:
    await to_data(user)
    await name_path(user, "https://example.org/rows.jsonl")
    await user.should_see("is an address on the web, which is not fetched.", retries=50)
    assert inspector.asked == []


async def look_up(user: User, name: str) -> None:
    """Ask what a dataset of the hub offers."""
    await to_data(user)
    user.find("Hub").click()
    await enter(user, "hub-name", name)
    await press(user, "See what is in it")


async def test_a_dataset_of_the_hub_is_looked_up_and_picked(user: User, odd: OddInspector) -> None:
    await look_up(user, "https://huggingface.co/datasets/owner/rows/tree/v2")
    await user.should_see("It was fetched last week.", retries=50)
    assert odd.hub_asked == [("owner/rows", False)]
    assert select_of(user, "hub-split").options == {"train": "train: 12,000 rows, 3.4 MB", "test": "test: 40 rows"}
    await pick(user, "hub-config", "small")
    assert select_of(user, "hub-split").value == "test"
    await pick(user, "hub-config", "default")
    await pick(user, "hub-split", "train")
    user.find("First rows").click()
    await enter(user, "hub-count", "none")
    await press(user, "Use this data")
    await user.should_see("Give a whole number.", retries=50)
    await enter(user, "hub-count", "500")
    await press(user, "Use this data")
    await asked(odd, sources=(Source(path="hub:owner/rows?config=default&split=train[:500]&revision=v2"),))
    await user.should_see("hub, default, train[:500], v2", retries=50)


async def test_what_is_fetched_from_the_hub_is_said_while_it_comes(user: User, odd: OddInspector) -> None:
    odd.may_fetch.clear()
    await look_up(user, "owner/rows")
    await user.should_see("It was fetched last week.", retries=50)
    await press(user, "Use this data")
    await user.should_see("Fetching data/train.parquet: 1.5 MB of 3.0 MB.", retries=50)
    assert odd.asked == []
    odd.may_fetch.set()
    await user.should_see("Row 1", retries=50)
    await user.should_not_see("Fetching data/train.parquet")


async def test_a_share_of_a_split_is_asked_for_in_per_cent(user: User, odd: OddInspector) -> None:
    await look_up(user, "owner/rows")
    user.find("First per cent").click()
    await enter(user, "hub-count", "101")
    await press(user, "Use this data")
    await user.should_see("Give a whole number from 1 to 100.", retries=50)
    await enter(user, "hub-count", "5")
    await press(user, "Use this data")
    await asked(odd, sources=(Source(path="hub:owner/rows?config=default&split=train[:5%]"),))


async def test_a_hub_address_in_the_path_leads_to_the_hub(user: User, odd: OddInspector) -> None:
    await to_data(user)
    await name_path(user, "hf://datasets/owner/nowhere")
    await user.should_see("There is no dataset owner/nowhere on the hub. Check the name.", retries=50)


async def test_offline_is_said_and_kept_to(user: User, services: Services, odd: OddInspector) -> None:
    services.settings = services.settings.model_copy(update={"offline": True})
    await to_data(user)
    user.find("Hub").click()
    await user.should_see("The hub is not asked: this app is offline.", retries=50)
    await enter(user, "hub-name", "owner/rows")
    await press(user, "See what is in it")
    assert odd.hub_asked == [("owner/rows", True)]


async def test_data_are_mixed_weighted_and_taken_away_again(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    one, two = data_file(tmp_path, "one.jsonl"), data_file(tmp_path, "two.jsonl")
    await choose_file(user, one)
    await press(user, "Add more data")
    await name_path(user, two)
    both = (Source(path=str(one)), Source(path=str(two)))
    await asked(inspector, sources=both)
    await user.should_see("Mixed data", retries=50)
    await user.should_see("2 sources", retries=50)
    await enter(user, "weight-1", "0")
    await user.should_see("Give a number above 0, at most 100.", retries=50)
    await enter(user, "weight-1", "0.5")
    await asked(inspector, sources=(both[0], Source(path=str(two), weight=0.5)))
    await press(user, "Go on without one.jsonl")
    await asked(inspector, sources=(Source(path=str(two), weight=0.5),))
    await user.should_not_see("Mixed data", retries=50)


async def test_other_data_are_only_taken_once_they_are_chosen(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await choose_file(user, data_file(tmp_path))
    await press(user, "Replace")
    await user.should_see(kind=DropZone, retries=50)
    await user.should_see("rows.jsonl")
    user.find("Path on this machine").click()
    await enter(user, "dataset-path", str(data_file(tmp_path, "other.jsonl")))  # as who goes to the button does
    await press(user, "Cancel")
    await user.should_not_see(kind=DropZone, retries=50)
    assert len(inspector.asked) == 1


async def test_a_path_that_is_taken_twice_takes_no_other_data_away(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    one, two = data_file(tmp_path, "one.jsonl"), data_file(tmp_path, "two.jsonl")
    await choose_file(user, one)
    await press(user, "Add more data")
    user.find("Path on this machine").click()
    user.find(marker="dataset-path").clear().type(str(two)).trigger("keydown.enter").trigger("keydown.enter")
    await user.should_see("Mixed data", retries=50)
    assert [source.path for source in inspector.asked[-1][0].recipe.sources] == [str(one), str(two)]
    assert len(inspector.asked) == 2


class SurveyFails(FakeInspector):
    async def survey(self, query: DataQuery, on_progress: Callable[[SurveyProgress], None] = lambda _: None) -> Survey:
        await self.may_survey.wait()
        raise DataError("The file was taken away.")


async def test_what_is_under_way_in_the_chooser_stays_whatever_becomes_of_the_data_before(
    user: User, services: Services, tmp_path: Path
) -> None:
    services.inspector = inspector = SurveyFails()
    inspector.may_survey.clear()
    await choose_file(user, data_file(tmp_path))
    await press(user, "Replace")
    await user.should_see(kind=DropZone, retries=50)
    before = user.find(kind=DropZone).elements
    inspector.may_survey.set()
    await user.should_see("The file was taken away.", retries=50)
    assert user.find(kind=DropZone).elements == before


async def test_of_a_tab_that_is_gone_nothing_is_kept_but_what_was_set(
    services: Services, inspector: FakeInspector
) -> None:
    session = TrainSession(services)
    session.form.set("dataset_path", "starter")
    session.form.data.look = look = await inspector.look(DataQuery(recipe=Recipe(sources=(Source(path="starter"),))))
    session.form.data.views.update({view.number: view for view in look.views})
    session.close()
    session.read_data()
    data = session.form.data
    assert (data.look, data.survey, data.views, data.is_looking) == (None, None, {}, False)
    assert session.form.get("dataset_path") == "starter"


# ---- understanding ----


async def test_columns_are_assigned_by_a_person(user: User, odd: OddInspector, tmp_path: Path) -> None:
    await choose_file(user, data_file(tmp_path))
    await user.should_see("Only a guess", retries=50)
    await user.should_see("No column is chosen yet for: Question, Answer.", retries=50)
    assert "No column is chosen yet" in _reason(user)
    await pick(user, "part-question", "frage")
    await asked(odd, mapping={"question": "frage"}, data_format="question_answer")
    await pick(user, "part-answer", "antwort")
    await asked(odd, mapping={"question": "frage", "answer": "antwort"})
    await user.should_not_see("No column is chosen yet", retries=50)
    await user.should_see("Chosen by you", retries=50)
    assert _reason(user) == ""
    assert "" not in select_of(user, "part-question").options
    await press(user, "Forget my changes")
    await asked(odd, mapping={}, data_format="auto")
    await user.should_see("No column is chosen yet", retries=50)


async def test_a_guess_that_is_right_is_taken_as_it_is(user: User, services: Services, tmp_path: Path) -> None:
    guesses = {"question": "frage", "answer": "antwort"}
    services.inspector = odd = OddInspector(guesses=guesses)
    await choose_file(user, data_file(tmp_path))
    await user.should_see("Only a guess", retries=50)
    await press(user, "That is right")
    await asked(odd, mapping=guesses, data_format="question_answer")
    await user.should_see("Chosen by you", retries=50)
    await user.should_not_see("That is right", retries=50)


async def test_another_format_forgets_the_columns_of_the_one_before(
    user: User, odd: OddInspector, tmp_path: Path
) -> None:
    await choose_file(user, data_file(tmp_path))
    await pick(user, "part-question", "frage")
    await asked(odd, mapping={"question": "frage"})
    formats = list(select_of(user, "data-format").options)
    assert formats[:3] == ["auto", "question_answer", "alpaca"]
    await pick(user, "data-format", "alpaca")
    await asked(odd, mapping={}, data_format="alpaca")


async def test_speakers_that_are_not_known_block_until_they_are(user: User, services: Services, tmp_path: Path) -> None:
    services.inspector = odd = OddInspector(speakers=["captain", "bot_2"])
    services.store.recipes.keep(
        str(data_file(tmp_path)),
        KeptRecipe(data_format="question_answer", data_mapping={"question": "frage", "answer": "antwort"}),
    )
    await choose_file(user, tmp_path / "rows.jsonl")
    await user.should_see("The speakers captain, bot_2 are not known.", retries=50)
    assert "“captain”" in _reason(user)
    await pick(user, "speaker-captain", "user")
    await asked(odd, roles={"captain": "user"})
    await user.should_see("The speaker bot_2 is not known.", retries=50)
    await pick(user, "speaker-bot_2", "assistant")
    await asked(odd, roles={"captain": "user", "bot_2": "assistant"})
    await user.should_not_see("not known", retries=50)
    assert _reason(user) == ""


async def test_data_are_read_as_last_time_when_they_are_chosen_again(
    user: User, odd: OddInspector, services: Services, tmp_path: Path
) -> None:
    rows = data_file(tmp_path)
    await choose_file(user, rows)
    await pick(user, "part-question", "frage")
    await asked(odd, mapping={"question": "frage"})
    await press(user, "Replace")
    await name_path(user, data_file(tmp_path, "other.jsonl"))
    await asked(odd, sources=(Source(path=str(tmp_path / "other.jsonl")),), mapping={}, data_format="auto")
    await user.should_not_see("Read as last time.", retries=50)
    await press(user, "Replace")
    await name_path(user, rows)
    await asked(odd, sources=(Source(path=str(rows)),), mapping={"question": "frage"})
    await user.should_see("Read as last time.", retries=50)
    await press(user, "Read it anew")
    await asked(odd, mapping={}, data_format="auto")
    await user.should_not_see("Read as last time.", retries=50)
    assert services.store.recipes.get(str(rows)) is None


async def test_what_was_just_said_counts_before_it_is_written_down(
    user: User, odd: OddInspector, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_is_slow, keep = asyncio.Event(), services.keep_recipe

    async def keep_later(reference: str, recipe: KeptRecipe) -> None:
        await disk_is_slow.wait()
        await keep(reference, recipe)

    monkeypatch.setattr(services, "keep_recipe", keep_later)
    rows = data_file(tmp_path)
    await choose_file(user, rows)
    await pick(user, "part-question", "frage")
    await asked(odd, mapping={"question": "frage"})
    await press(user, "Replace")
    await name_path(user, data_file(tmp_path, "other.jsonl"))
    await asked(odd, sources=(Source(path=str(tmp_path / "other.jsonl")),), mapping={})
    await press(user, "Replace")
    await name_path(user, rows)
    await asked(odd, sources=(Source(path=str(rows)),), mapping={"question": "frage"})
    disk_is_slow.set()


async def test_a_column_that_is_gone_can_be_forgotten(
    user: User, odd: OddInspector, services: Services, tmp_path: Path
) -> None:
    rows = data_file(tmp_path)
    services.store.recipes.keep(str(rows), KeptRecipe(data_mapping={"question": "gone"}))
    await to_data(user)
    await name_path(user, rows)
    await user.should_see("The mapping names the column gone", retries=50)
    await user.should_see("Read as last time.", retries=50)
    await press(user, "Read it anew")
    await asked(odd, mapping={})
    await user.should_not_see("The mapping names", retries=50)


async def test_a_reload_keeps_what_a_person_said_of_the_data(user: User, odd: OddInspector, tmp_path: Path) -> None:
    await choose_file(user, data_file(tmp_path))
    await pick(user, "part-question", "frage")
    await asked(odd, mapping={"question": "frage"})
    await user.open("/train")
    await asked(odd, mapping={"question": "frage"}, data_format="question_answer")


# ---- holding out ----


async def test_rows_are_held_out_in_four_ways(user: User, inspector: FakeInspector, tmp_path: Path) -> None:
    await choose_file(user, data_file(tmp_path))
    await user.should_see("Examples to train: 36. Held out: 4.", retries=50)
    user.find("A number").click()
    await user.should_see("Held-out rows", retries=50)
    await _until(inspector, lambda query: query.held_out.rows == 4)
    await enter(user, "validation_rows", "0")
    await user.should_see("'0' was given, but it must be a whole number, at least 1", retries=50)
    await enter(user, "validation_rows", "7")
    await _until(inspector, lambda query: query.held_out.rows == 7)
    await pick(user, "split-column", "question")
    await _until(inspector, lambda query: query.held_out.column == "question")
    user.find("None").click()
    await _until(inspector, lambda query: query.held_out.rows is None and query.held_out.share == 0)
    user.find("A share").click()
    await _until(inspector, lambda query: query.held_out.share == 0.1)
    user.find("A file").click()
    await user.should_see(marker="validation_path", retries=50)
    await enter(user, "validation_path", str(tmp_path / "nowhere.jsonl"))
    await user.should_see("There is no file", retries=50)
    assert "There is no file" in _reason(user)


async def test_a_number_takes_the_place_of_a_file_once_it_is_given(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    inspector.may_survey.clear()
    await choose_file(user, data_file(tmp_path))
    held = str(data_file(tmp_path, "held.jsonl"))
    user.find("A file").click()
    await user.should_see(marker="validation_path", retries=50)
    await enter(user, "validation_path", held)
    await _until(inspector, lambda query: query.held_out.path == held)
    user.find("A number").click()
    await user.should_see("This holds as soon as it is filled in.", retries=50)
    await enter(user, "validation_rows", "7")
    await _until(inspector, lambda query: query.held_out.rows == 7 and not query.held_out.path)


async def test_nothing_is_held_out_where_nothing_is_measured(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await choose_file(user, data_file(tmp_path))
    await open_step(user, "Settings")
    await enter(user, "evaluations", "0")
    await open_step(user, "Data")
    await user.should_see("Nothing is held out.", retries=50)
    await press(user, "Measure it 4 times")
    await user.should_not_see("Nothing is held out.", retries=50)
    await _until(inspector, lambda query: query.held_out.share == 0.1)


async def test_a_column_that_the_data_do_not_have_is_named(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    rows = data_file(tmp_path)
    services.store.recipes.keep(str(rows), KeptRecipe(split_column="customer"))
    await choose_file(user, rows)
    await user.should_see("The data have no column customer.", retries=50)


# ---- counting ----


async def test_the_page_is_of_use_while_all_rows_are_counted(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    inspector.may_survey.clear()
    await choose_file(user, data_file(tmp_path))
    await user.should_see("10 rows counted so far, 21 % of 18.2 kB.", retries=50)
    assert "All rows are being counted." in _said(user)
    await open_step(user, "Check")
    await user.should_see("The rows are still being counted.", retries=50)
    await press(user, "Start now")
    assert [job.parameters.model_name for job in services.jobs.jobs.values()] == ["starter"]


@pytest.mark.usefixtures("user")
async def test_who_goes_on_before_the_first_look_is_there_still_gets_all_rows_counted(
    services: Services, inspector: FakeInspector
) -> None:
    session = TrainSession(services)
    session.form.set("dataset_path", "starter")
    session.read_data()
    session.data.show_row(21)
    assert len(inspector.surveyed) == 0
    while session.form.data.survey is None:
        await asyncio.sleep(0)
    assert session.form.data.view is not None and session.form.data.view.number == 21
    assert len(inspector.surveyed) == 1


@pytest.mark.usefixtures("user")
async def test_counting_that_is_stopped_before_it_began_does_not_begin(
    services: Services, inspector: FakeInspector
) -> None:
    session = TrainSession(services)
    session.form.set("dataset_path", "starter")
    session.read_data()
    session.data.give_up_survey()
    while session.form.data.is_looking:
        await asyncio.sleep(0)
    for _turn in range(20):  # in which a survey would begin
        await asyncio.sleep(0)
    assert inspector.surveyed == []
    session.data.survey_again()
    while session.form.data.survey is None:
        await asyncio.sleep(0)


@pytest.mark.usefixtures("user")
async def test_what_is_wrong_further_on_is_not_forgotten_by_looking_at_rows(services: Services) -> None:
    services.inspector = SurveyFails()
    session = TrainSession(services)
    data = session.form.data
    session.form.set("dataset_path", "starter")
    session.read_data()
    while data.problem is None:
        await asyncio.sleep(0)
    session.data.show_row(21)
    while data.view is None:
        await asyncio.sleep(0)
    assert data.problem == ("The file was taken away.", "")


async def test_only_the_rows_of_late_are_at_hand(inspector: FakeInspector) -> None:
    state = DataState()
    for start in range(1, 41, 4):
        look = await inspector.look(DataQuery(recipe=Recipe(sources=(Source(path="starter"),))), start=start, limit=10)
        state.keep([view.model_copy(update={"number": 10 * view.number}) for view in look.views])
        state.keep([view.model_copy(update={"number": 1_000 + start + view.number}) for view in look.views])
    assert len(state.views) == ROWS_KEPT
    assert max(state.views) in list(state.views)[-10:]


async def test_counting_can_be_stopped_and_begun_again(user: User, inspector: FakeInspector, tmp_path: Path) -> None:
    inspector.may_survey.clear()
    await choose_file(user, data_file(tmp_path))
    await user.should_see("10 rows counted so far", retries=50)
    await press(user, "Stop counting")
    await user.should_see("Not all rows were counted.", retries=50)
    assert "The counting was stopped." in _said(user)
    inspector.may_survey.set()
    await press(user, "Count all rows")
    await user.should_see("Row 1 of 40", retries=50)
    assert "All 40 rows were counted." in _said(user)


async def test_what_differs_is_said_in_words(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    rows = data_file(tmp_path)
    kept = KeptRecipe(
        data_format="question_answer",
        data_mapping={"question": "frage", "system": ""},
        data_roles={"bot_2": "assistant"},
        data_steps=TrainingParameters.model_validate(
            {"model_name": "m", "dataset_path": "d", "data_steps": [{"do": "remove_duplicates"}]}
        ).data_steps,
    )
    services.store.recipes.keep(str(rows), kept)
    await choose_file(user, rows)
    await open_step(user, "Check")
    await user.should_see("Question: frage, System message: none", retries=50)
    await user.should_see("bot_2: the model, which learns this", retries=50)
    await user.should_see("Remove duplicates", retries=50)


def _reason(user: User) -> str:
    """Why the person cannot go on, as the page says it."""
    assert user.client is not None
    [reason] = [element for element in user.client.elements.values() if "reason" in element._markers]
    assert buttons(user, "Continue to settings")
    return str(reason.text) if reason.visible else ""  # type: ignore[attr-defined]  # found by its marker


def _said(user: User) -> list[str]:
    """What screen readers were told last, by each of the page's voices."""
    assert user.client is not None
    return [element.text for element in user.client.elements.values() if isinstance(element, LiveRegion)]


async def _until(inspector: FakeInspector, is_wanted: Callable[[DataQuery], bool]) -> DataQuery:
    """The first query of which this is true."""
    async with asyncio.timeout(10):
        while not is_wanted(query := await inspector.news.get()):
            pass
    return query
