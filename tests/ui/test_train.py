"""The way through /train in a simulated browser: every step, its mistakes, and what becomes of a start."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement
from nicegui.testing import User, UserInteraction

from qlora_ui import locales
from qlora_ui.components.forms.drop_zone import DropZone
from qlora_ui.components.forms.knob_field import KnobField
from qlora_ui.components.text import LiveRegion, Text
from qlora_ui.components.toast import Announcer
from qlora_ui.components.token_view import TokenStrip
from qlora_ui.contract.parameters import EvaluationParameters, TrainingParameters
from qlora_ui.contract.records import JobKind
from qlora_ui.demo import STARTER_SETTINGS
from qlora_ui.services import Services
from tests.fakes.inspector import FakeInspector, data_file
from tests.ui.acting import buttons, open_step, press


@pytest.fixture
def inspector(services: Services) -> FakeInspector:
    services.inspector = FakeInspector()
    return services.inspector


async def choose(user: User, name: str) -> None:
    user.find(marker=f"choice-{name}").trigger("change")


async def enter(user: User, marker: str, text: str) -> None:
    """Type into a field and leave it."""
    user.find(marker=marker).clear().type(text).trigger("blur")


async def name_path(user: User, path: Path) -> None:
    """Name data by their path."""
    user.find("Path on this machine").click()
    user.find(marker="dataset-path").clear().type(str(path)).trigger("keydown.enter")


async def to_settings(user: User) -> None:
    """Choose the starter and its data, and go on to the settings."""
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await choose(user, "starter")
    await user.should_see("The small model that comes along.", retries=50)
    await press(user, "Continue to data")
    await choose(user, "starter")
    await user.should_see("40 rows", retries=50)
    await press(user, "Continue to settings")


async def test_the_starter_goes_from_choice_to_queue(user: User, services: Services, inspector: FakeInspector) -> None:
    await to_settings(user)
    await user.should_see("Settings that suit the starter are filled in.", retries=50)
    await press(user, "Continue to check")
    await user.should_see("40 rows were read as question and answer", retries=50)
    await user.should_see(
        "4 held-out rows measure the evaluation loss before the first step and 4 times after.", retries=50
    )
    await press(user, "Continue to start")
    await enter(user, "name", "first try")
    await press(user, "Start training")
    await user.should_see("first try", retries=50)
    by_kind = {job.kind: job for job in services.jobs.jobs.values()}
    training, evaluation = by_kind[JobKind.TRAINING], by_kind[JobKind.EVALUATION]
    assert training.parameters == TrainingParameters(
        name="first try", model_name="starter", dataset_path="starter", **STARTER_SETTINGS
    )
    assert evaluation.record.after == training.id
    assert isinstance(evaluation.parameters, EvaluationParameters)
    assert evaluation.parameters.dataset_path == "starter/heldout"
    assert evaluation.parameters.adapter_path == str(training.paths.adapter)


async def test_scoring_can_be_switched_off(user: User, services: Services, inspector: FakeInspector) -> None:
    await to_settings(user)
    await press(user, "Continue to check")
    await press(user, "Continue to start")
    user.find(marker="score-after").click()
    await user.should_see("Only the training runs.", retries=50)
    await press(user, "Start training")
    assert [job.kind for job in services.jobs.jobs.values()] == [JobKind.TRAINING]


@pytest.mark.parametrize("text", ["-1", "abc"])
async def test_a_bad_learning_rate_is_explained_and_nothing_starts(
    user: User, services: Services, inspector: FakeInspector, text: str
) -> None:
    await to_settings(user)
    await enter(user, "learning_rate", text)
    await user.should_see(f"'{text}' was given, but it must be a number, more than 0, at most 1.", retries=50)
    await user.should_not_see("Start now", retries=50)
    await press(user, "Continue to check")
    await user.should_see(f"Mend this first. Learning rate: '{text}' was given", retries=50)
    await user.should_not_see("What differs from the defaults")
    await open_step(user, "Check")
    await user.should_see(f"Learning rate: '{text}' was given", retries=50)
    await press(user, "Change")
    await enter(user, "learning_rate", "2e-4")
    await user.should_not_see("was given", retries=50)
    await user.should_see("Start now", retries=50)
    assert services.jobs.jobs == {}


async def test_a_file_that_cannot_be_read_is_explained_and_another_one_can_be_named(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    await name_path(user, data_file(tmp_path, "broken.jsonl"))
    await user.should_see("Line 17 is not valid JSON.", retries=50)
    await user.should_see("Look for a missing quote.", retries=50)
    await name_path(user, data_file(tmp_path))
    await user.should_see("40 rows", retries=50)
    await user.should_not_see("Line 17 is not valid JSON.", retries=50)


async def test_tokens_need_a_model_and_appear_when_there_is_one(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    await name_path(user, data_file(tmp_path))
    await user.should_see("Choose a model first", retries=50)
    assert inspector.asked[-1][0].model == ""
    await open_step(user, "Model")
    await inspector.news.get()
    await choose(user, "starter")
    assert (await inspector.news.get()).model == "starter"
    await open_step(user, "Data")
    await user.should_see(kind=TokenStrip, retries=50)


async def test_rows_are_walked_through_and_shown_in_three_ways(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await open_step(user, "Data")
    await user.should_see("Row 1 of 40", retries=50)
    [strip] = user.find(kind=TokenStrip).elements
    assert [text for text, _id, _kind in strip._props["tokens"]][2] == "Answer 1"
    await press(user, "Next row")
    await user.should_see("Row 2 of 40", retries=50)
    user.find("Conversation").click()
    await user.should_see("Question 2 &lt;b&gt;?&lt;/b&gt;", retries=50)
    user.find("Original").click()
    await user.should_see("&quot;answer&quot;: &quot;Answer 2&quot;", retries=50)
    await press(user, "See them")
    await user.should_see("Row 3 of 40", retries=50)


async def test_rows_beyond_the_first_reading_are_read_when_they_are_asked_for(
    user: User, inspector: FakeInspector
) -> None:
    await to_settings(user)
    await open_step(user, "Data")
    for number in range(2, 22):
        await press(user, "Next row")
        await user.should_see(f"Row {number} of 40", retries=50)
    assert inspector.asked[-1][1] == 21


async def test_a_setting_that_changes_the_tokens_reads_the_data_anew(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    assert (await inspector.news.get()).recipe.max_length == STARTER_SETTINGS["max_length"]
    await enter(user, "batch_size", "2")
    await enter(user, "max_length", "64")
    assert (await inspector.news.get()).recipe.max_length == 64
    assert len(inspector.asked) == 2


async def test_yaml_and_form_stay_in_step(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await enter(user, "learning_rate", "3e-4")
    user.javascript_rules[re.compile(".*body--dark", re.DOTALL)] = lambda _: False
    user.find("YAML").click()
    await user.should_see(kind=ui.codemirror, retries=50)
    [editor] = user.find(kind=ui.codemirror).elements
    assert "learning_rate: 0.0003" in editor.value
    with user:
        editor.value = editor.value.replace("batch_size: 16", "batch_size: 32")
    await user.should_see("32 examples", retries=50)
    with user:
        editor.value = editor.value.replace("batch_size: 32", "batch_sise: 32")
    await user.should_see("did you mean batch_size?", retries=50)
    await user.should_see("32 examples", retries=50)
    assert "did you mean" in str(buttons(user, "Start training")[0]._props["title"])


async def test_the_form_survives_a_look_at_another_page(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await enter(user, "learning_rate", "5e-4")
    user.find("Activity").click()
    await user.should_see("No run yet", retries=50)
    with user:
        ui.navigate.to("/train")
    await user.should_see("Settings that suit the starter are filled in.", retries=50)
    [field] = user.find(marker="learning_rate", kind=ui.input).elements
    assert field.value == "5e-4"


async def test_an_upload_becomes_the_data_of_the_run(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    path = data_file(tmp_path, "uploaded.jsonl")
    answer = {"id": "1", "name": path.name, "path": str(path), "bytes": 30}
    user.find(kind=DropZone).trigger("uploaded", answer)
    await user.should_see("uploaded.jsonl", retries=50)
    assert inspector.asked[-1][0].recipe.sources[0].path == str(path)


async def test_a_test_file_that_is_not_there_stops_the_start(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await choose(user, "starter")
    await press(user, "Continue to data")
    await name_path(user, data_file(tmp_path))
    await user.should_see("40 rows", retries=50)
    for step in ("settings", "check", "start"):
        await press(user, f"Continue to {step}")
    await enter(user, "test-path", str(tmp_path / "nowhere.jsonl"))
    await user.should_see("There is no file", retries=50)
    [start] = buttons(user, "Start training")
    assert start._props["aria-disabled"] == "true"
    [reason] = user.find(marker="reason").elements
    assert isinstance(reason, Text)
    assert reason.text.startswith("There is no file")
    await open_step(user, "Check")
    await user.should_see("Test file: There is no file", retries=50)
    assert services.jobs.jobs == {}


async def to_start(user: User, data: Path) -> None:
    """Choose the starter and a file of one's own, and go on to the start."""
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await choose(user, "starter")
    await press(user, "Continue to data")
    await name_path(user, data)
    await user.should_see("40 rows", retries=50)
    await open_step(user, "Start")


async def test_the_form_survives_a_reload_and_reads_the_data_again(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await enter(user, "learning_rate", "5e-4")
    asked = len(inspector.asked)
    await user.open("/train")
    await user.should_see("Settings that suit the starter are filled in.", retries=50)
    [field] = user.find(marker="learning_rate", kind=ui.input).elements
    assert field.value == "5e-4"
    assert len(inspector.asked) == asked + 1
    await open_step(user, "Data")
    await user.should_see("Row 1 of 40", retries=50)


async def test_another_tab_has_a_form_of_its_own(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    user.tab_id = "another-tab"
    await user.open("/train")
    await user.should_see("not chosen yet", retries=50)


async def test_scoring_of_own_data_is_off_until_a_test_file_is_named(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    await to_start(user, data_file(tmp_path))
    await user.should_see("name a test file with rows that are not among your training data", retries=50)
    [switch] = user.find(marker="score-after", kind=ui.switch).elements
    assert (switch.value, switch.enabled) == (False, False)
    test_file = tmp_path / "test.jsonl"
    test_file.write_text('{"question": "another", "answer": "one"}\n')
    await enter(user, "test-path", str(test_file))
    await user.should_see("answer the rows of the test file", retries=50)
    assert (switch.value, switch.enabled) == (True, True)
    await press(user, "Start training")
    assert {job.kind for job in services.jobs.jobs.values()} == {JobKind.TRAINING, JobKind.EVALUATION}


@pytest.mark.parametrize("name", ["rows.jsonl", "copy.jsonl", "link.jsonl"])
async def test_the_training_data_is_refused_as_test_file(
    user: User, inspector: FakeInspector, tmp_path: Path, name: str
) -> None:
    data = data_file(tmp_path)
    data_file(tmp_path, "copy.jsonl")
    (tmp_path / "link.jsonl").symlink_to(data)
    await to_start(user, data)
    await enter(user, "test-path", str(tmp_path / name))
    await user.should_see("This is the training data itself", retries=50)
    [start] = buttons(user, "Start training")
    assert start._props["aria-disabled"] == "true"


async def test_a_test_file_that_cannot_be_read_is_named_at_its_field(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await to_start(user, data_file(tmp_path))
    other = tmp_path / "broken.jsonl"
    other.write_text("{")
    await enter(user, "test-path", str(other))
    await user.should_see("broken.jsonl cannot be used: Line 17 is not valid JSON.", retries=50)


async def test_few_steps_are_remarked_on_and_can_be_made_more(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await press(user, "Continue to check")
    await user.should_see("9 steps teach little. About 17 epochs make 50 steps.", retries=50)
    await press(user, "Train 17 epochs")
    await user.should_not_see("teach little", retries=50)
    await user.should_see("51", retries=50)


async def test_yaml_with_a_mistake_is_kept_while_the_form_is_shown(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    user.javascript_rules[re.compile(".*body--dark", re.DOTALL)] = lambda _: False
    user.find("YAML").click()
    await user.should_see(kind=ui.codemirror, retries=50)
    [editor] = user.find(kind=ui.codemirror).elements
    wrong = editor.value + "batch_size: 7\n"
    with user:
        editor.value = wrong
    await user.should_see("batch_size is set twice, first in line", retries=50)
    user.find("Form").click()
    await user.should_see("What you typed is kept under YAML.", retries=50)
    user.find("YAML").click()
    await user.should_see(kind=ui.codemirror, retries=50)
    [editor] = user.find(kind=ui.codemirror).elements
    assert editor.value == wrong
    user.find("Form").click()
    await press(user, "Forget that edit")
    await user.should_not_see("is set twice", retries=50)


async def test_an_upload_that_could_not_be_read_is_marked_and_can_be_deleted(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{"

    dataset = await services.add_dataset("broken.jsonl", chunks())
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    await choose(user, dataset.path)
    await user.should_see("Could not be read: Line 17 is not valid JSON.", retries=50)
    user.find(marker=f"remove-{dataset.path}").click()
    await user.should_see("Delete broken.jsonl?", retries=50)
    await press(user, "Delete the file")
    await user.should_not_see("Could not be read", retries=50)
    assert await services.datasets() == []


async def test_a_field_that_was_only_looked_at_keeps_following_the_model(
    user: User, inspector: FakeInspector, tmp_path: Path
) -> None:
    await to_settings(user)
    user.find(marker="learning_rate").trigger("blur")
    await open_step(user, "Model")
    await enter(user, "model-name", "Qwen/Qwen3-0.6B")
    await user.should_see("is taken from the hub", retries=50)
    await open_step(user, "Settings")
    [field] = user.find(marker="learning_rate", kind=ui.input).elements
    assert field.value == "0.0002"


async def test_news_of_the_form_do_not_disturb_what_is_being_typed(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    user.find(marker="learning_rate").clear().type("5e-")
    await enter(user, "batch_size", "2")
    [field] = user.find(marker="learning_rate", kind=ui.input).elements
    assert field.value == "5e-"


async def test_a_whole_number_may_have_a_point(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await inspector.news.get()
    await enter(user, "max_length", "512.0")
    assert (await inspector.news.get()).recipe.max_length == 512


async def test_a_file_that_was_mended_is_read_again(user: User, inspector: FakeInspector, tmp_path: Path) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    file = data_file(tmp_path, "broken.jsonl")
    await name_path(user, file)
    await user.should_see("Line 17 is not valid JSON.", retries=50)
    [field] = user.find(marker="dataset-path", kind=ui.input).elements
    assert field.value == str(file)
    asked = len(inspector.asked)
    await press(user, "Read it again")
    assert len(inspector.asked) == asked + 1


async def test_the_preferred_model_begins_a_new_fine_tune(
    user: User, services: Services, inspector: FakeInspector
) -> None:
    await services.people.change(default_model="starter")
    await user.open("/train")
    await user.should_see("The small model that comes along.", retries=50)
    [radio] = user.find(marker="choice-starter").elements
    assert radio._props["checked"] is True
    await press(user, "Continue to data")
    await user.should_see(kind=DropZone, retries=50)


async def test_a_draft_keeps_its_model_whatever_is_preferred(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path
) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await enter(user, "model-name", str(tmp_path))
    await user.should_see("has no config.json", retries=50)
    await services.people.change(default_model="starter")
    await user.open("/train")
    await user.should_see("has no config.json", retries=50)


async def test_the_sentence_about_a_knob_opens_and_escape_closes_it(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    [field] = [field for field in user.find(kind=KnobField).elements if field.label.text == "Batch size"]
    about = "How many examples are on the device at once; more is faster and needs more memory. Allowed: at least 1"
    assert field.help.text.startswith(about)
    assert field.help.html_id in field.control._props["aria-describedby"]
    assert not field.help.visible
    await press(user, "About Batch size")
    assert field.help.visible
    assert buttons(user, "About Batch size")[0]._props["aria-expanded"] == "true"
    UserInteraction(user, {field}, None).trigger("keydown.escape")
    assert not field.help.visible
    assert buttons(user, "About Batch size")[0]._props["aria-expanded"] == "false"


async def test_a_reader_with_a_screen_reader_has_every_sentence_open(
    user: User, services: Services, inspector: FakeInspector
) -> None:
    await services.people.change(accessibility={"screen_reader": True})
    await to_settings(user)
    assert all(field.help.visible for field in user.find(kind=KnobField).elements)


async def test_the_last_step_leads_to_what_stands_in_the_way(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await enter(user, "learning_rate", "abc")
    await open_step(user, "Start")
    await user.should_see("Learning rate: 'abc' was given", retries=50)
    await press(user, "Show me where")
    await user.should_see("Good settings are filled in", retries=50)
    [field] = user.find(marker="learning_rate", kind=ui.input).elements
    assert field._props["aria-invalid"] == "true"


async def test_a_refused_upload_is_explained(
    user: User, inspector: FakeInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[object, ...]] = []
    monkeypatch.setattr(DropZone, "run_method", lambda self, *arguments: said.append(arguments))
    await user.open("/train")
    await user.should_see("This run", retries=50)
    await press(user, "Continue to data")
    user.find(kind=DropZone).trigger("refused", {"error": "The file a.csv is empty.", "hint": "Choose another."})
    assert said == [("fail", "The file a.csv is empty. Choose another.")]


async def test_the_page_speaks_the_language_of_the_person(
    user: User, services: Services, inspector: FakeInspector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {
        "New fine-tune": "Neue Feinabstimmung",
        "Continue to settings": "Weiter zu den Einstellungen",
        "The small model that comes along.": "Das kleine Modell, das dabei ist.",
        "{given} was given, but it must be {wanted}": "{given} geht nicht, es muss {wanted} sein",
        "a number": "eine Zahl",
        "Learning rate": "Lernrate",
    }
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    entries = [f'msgid "{english}"\nmsgstr "{german}"\n' for english, german in words.items()]
    (tmp_path / "de.po").write_text("\n".join([head, *entries]), "utf-8")
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    locales.languages.cache_clear()
    locales._load.cache_clear()
    await services.people.change(language="de")
    try:
        await user.open("/train")
        await user.should_see("Neue Feinabstimmung", retries=50)
        await user.should_see("This run", retries=50)
        await choose(user, "starter")
        await user.should_see("Das kleine Modell, das dabei ist.", retries=50)
        await open_step(user, "Data")
        await choose(user, "starter")
        await user.should_see("40 rows", retries=50)
        await press(user, "Weiter zu den Einstellungen")
        await enter(user, "learning_rate", "abc")
        await user.should_see("'abc' geht nicht, es muss eine Zahl, more than 0, at most 1 sein.", retries=50)
    finally:
        locales.languages.cache_clear()
        locales._load.cache_clear()


async def test_the_step_is_said_when_it_changes_and_not_at_every_change(user: User, inspector: FakeInspector) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    regions = user.find(kind=LiveRegion).elements
    [region] = [element for element in regions if not isinstance(element, Announcer)]
    assert region.text == ""
    await choose(user, "starter")
    await user.should_see("The small model that comes along.", retries=50)
    assert region.text == ""
    await press(user, "Continue to data")
    assert region.text == "Step 2 of 5: Data."
    await choose(user, "starter")
    await user.should_see("40 rows", retries=50)
    assert region.text == "Step 2 of 5: Data."


def value_of(user: User, marker: str) -> object:
    (field,) = user.find(marker=marker).elements
    assert isinstance(field, ValueElement)
    return field.value


async def test_a_preset_sets_its_knobs_and_says_what_differs_from_it(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await user.should_see(marker="choice-quick_try", retries=50)
    await choose(user, "quick_try")
    await user.should_see("at most so many: enough to see the loss fall, or not", retries=50)
    assert (value_of(user, "max_steps"), value_of(user, "lora_rank")) == ("60", "8")
    rate = value_of(user, "learning_rate")

    await enter(user, "lora_rank", "4")
    await user.should_see("Otherwise than in the preset: Rank 4.", retries=50)
    await user.should_see("Quick try, 1 change")
    await press(user, "Back to the preset")
    await user.should_not_see("Otherwise than in the preset", retries=50)
    assert value_of(user, "lora_rank") == "8"

    await choose(user, "small_gpu")
    await user.should_see("memory grows with the length", retries=50)
    assert value_of(user, "max_length") == str(STARTER_SETTINGS["max_length"]), "no preset makes them longer"

    await choose(user, "balanced")
    await user.should_not_see("memory grows with the length", retries=50)
    await user.should_not_see("at most so many: enough to see the loss fall, or not", retries=50)
    assert (value_of(user, "max_steps"), value_of(user, "lora_rank")) == ("", str(STARTER_SETTINGS["lora_rank"]))
    assert value_of(user, "learning_rate") == rate, "no preset's, so it stays"


async def test_a_file_of_another_tool_is_recognised_and_taken_over(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    user.javascript_rules[re.compile(".*body--dark", re.DOTALL)] = lambda _: False
    user.find("YAML").click()
    await user.should_see(kind=ui.codemirror, retries=50)
    theirs = "base_model: starter\nadapter: qlora\nload_in_4bit: true\nlora_r: 24\nspecial_tokens: {pad_token: x}\n"
    [editor] = user.find(kind=ui.codemirror).elements
    with user:
        editor.value = theirs
    await user.should_see("This is a file of Axolotl.", retries=50)
    await press(user, "Take them over")
    await user.should_see("Not taken over:", retries=50)
    await user.should_see("There is no such setting here.")
    [editor] = user.find(kind=ui.codemirror).elements
    taken = yaml.safe_load(editor.value)
    assert (taken["lora_rank"], taken["method"], taken["model_name"]) == (24, "qlora", "starter")
    assert taken["dataset_path"] == "starter", "the data that were chosen stay"
