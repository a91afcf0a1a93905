"""What the first page says, on the first day and on a busy one."""

from __future__ import annotations

from datetime import timedelta
from gettext import NullTranslations

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui import demo, locales
from qlora_ui.components import ago, words
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.contract.events import Metric, Progress
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Dataset, ExitRecord, JobKind, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.locales.catalog import Catalog
from qlora_ui.pages.dashboard.guide import Guide
from qlora_ui.services import Services
from tests.fakes.runs import GONE, FakeRun, write_run
from tests.ui.acting import buttons, press


async def test_first_day_leads_to_a_first_run(user: User) -> None:
    await user.open("/")
    await user.should_see("Nothing has run yet.")
    await user.should_see("Your first fine-tune")
    await user.should_see("No GPU is seen", retries=20)
    await user.should_see("Use your own data")
    await user.should_see("a finished training adds one")
    await user.should_see("a file you drop adds one")
    await user.should_see("no runs yet")
    await user.should_not_see("Recent runs")


async def test_busy_day_shows_what_is_true(user: User, busy_services: Services) -> None:
    await user.open("/")
    await user.should_see("One run is at work, one is waiting, one was interrupted and can go on.")
    await user.should_see("support-tone")
    await user.should_see("step 74 of 120")
    await user.should_see("evaluation loss 1.204")
    await user.should_see("1 failed, 1 interrupted")
    await user.should_see("Lower the batch size")
    await user.should_see("was interrupted")
    await user.should_not_see("Your first fine-tune")


async def test_running_card_follows_its_job(user: User, busy_services: Services) -> None:
    job = named(busy_services, "support-tone")
    await user.open("/")
    await user.should_see("61 %")  # 74 of 120 steps
    job.take_in(
        [
            Metric(seq=9001, step=75, values={"loss": 0.987, "tokens_per_second": 12345.0}),
            Progress(seq=9002, step=90, total_steps=120, seconds_left=60.0),
        ]
    )
    await user.should_see("75 %", retries=20)
    await user.should_see("step 90 of 120")
    last_points = [value for _, value in job.curves.points("loss")[-4:]]
    await user.should_see(f"{sum(last_points) / 4:.3f}", retries=20)
    await user.should_see("12,345 tokens/s")


async def test_running_card_says_what_was_asked_of_the_run(user: User, busy_services: Services) -> None:
    job = named(busy_services, "support-tone")
    await user.open("/")
    await user.should_see("step 74 of 120", retries=20)
    await user.should_not_see("It was asked to pause")
    await press(user, "Pause")
    await user.should_see("It was asked to pause, and does so at the next step that can be saved.", retries=20)
    assert job.asked_to == "pause"


async def test_resume_puts_an_interrupted_run_back_into_the_queue(user: User, busy_services: Services) -> None:
    job = named(busy_services, "sql-from-text")
    await user.open("/")
    await press(user, "Resume")
    await user.should_see("two are waiting", retries=20)
    assert job.status is JobStatus.PENDING
    await user.should_not_see("was interrupted and can go on")


async def test_what_failed_is_tried_again(user: User, busy_services: Services) -> None:
    job = named(busy_services, "mail-sorting")
    await user.open("/")
    assert len(buttons(user, "Resume")) == 1, "the interrupted one is resumed, as everywhere"
    await press(user, "Try again")
    await user.should_see("two are waiting", retries=20)
    assert job.status is JobStatus.PENDING


async def test_the_way_to_a_new_fine_tune_and_the_starter_are_offered_once(user: User, services: Services) -> None:
    await services.people.change(guide_hidden=True)
    await user.open("/")
    await user.should_see("Nothing has run yet", retries=20)
    assert main_ways(user) == ["/train"]
    assert len([button for button in buttons(user, "Try the starter run") if is_shown(button)]) == 1
    write_run(services.workspace, FakeRun("done", steps=2))
    await services.jobs.refresh()
    await user.should_see("Nothing is running", retries=20)
    assert main_ways(user) == ["/train"]
    assert len([button for button in buttons(user, "Try the starter run") if is_shown(button)]) == 1


def main_ways(user: User) -> list[str]:
    """Where the links lead that stand out on the page."""
    assert user.client is not None
    found = [one for one in user.client.elements.values() if "qu-btn-primary" in one.classes]
    return [str(one._props["href"]) for one in found if is_shown(one)]


def is_shown(element: ui.element) -> bool:
    return element.visible and all(above.visible for above in element.ancestors())


async def test_starter_run_is_queued_and_opened(user: User, services: Services) -> None:
    await user.open("/")
    await press(user, "Try the starter run")
    await user.should_not_see("Your first fine-tune", retries=40)
    kinds = sorted(job.kind for job in services.jobs.jobs.values())
    assert kinds == ["evaluation", "merge", "training"]
    assert all(job.status is JobStatus.PENDING for job in services.jobs.jobs.values())
    training = next(job for job in services.jobs.jobs.values() if job.kind is JobKind.TRAINING)
    assert user.client is not None
    assert user.client.sub_pages_router.current_path == f"/activity/{training.id}"


async def test_guide_follows_the_starter_run(user: User, services: Services) -> None:
    await user.open("/")
    assert steps_of(user) == ["done", "now", "", "", ""]
    run = await demo.submit_starter(services.jobs)
    await user.should_see("Open the run", retries=20)
    assert steps_of(user) == ["done", "done", "now", "", ""]
    for job in run.jobs:
        write_exit(job)
    await services.jobs.refresh()
    await user.should_see("Read the score", retries=20)
    await user.should_see("Read the receipt")
    assert steps_of(user) == ["done", "done", "done", "done", "now"]


async def test_hidden_guide_stays_hidden_until_it_is_asked_for(user: User, services: Services) -> None:
    await user.open("/")
    await press(user, "Hide the guide")
    await user.should_not_see("Your first fine-tune")
    await user.should_see(EmptyState)
    await user.open("/")
    await user.should_not_see("Your first fine-tune")
    await user.open("/help")
    await press(user, "Show the guide")
    await user.should_see("Your first fine-tune", retries=20)
    assert not services.store.preferences.get().guide_hidden


async def test_failure_that_was_dismissed_stays_away(user: User, busy_services: Services) -> None:
    job = named(busy_services, "mail-sorting")
    await user.open("/")
    await user.should_see("Lower the batch size")
    await press(user, "Dismiss: mail-sorting failed")
    await user.should_not_see("Lower the batch size", retries=20)
    await user.should_see("The run is still in the activity.")
    assert job.status is JobStatus.FAILED
    await user.open("/")
    await user.should_see("sql-from-text")
    await user.should_not_see("Lower the batch size")


async def test_disk_that_fills_up_leads_to_the_clean_up(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free() -> int:
        return 1_200_000_000

    monkeypatch.setattr(services, "disk_free", free)
    await user.open("/")
    await user.should_see("Only 1.2 GB are left", retries=20)
    [link] = [link for link in user.find(ui.link).elements if link._props.get("href") == "/settings#storage"]
    assert link.text == "Clean up"


async def test_add_data_opens_the_form_where_it_takes_data(user: User) -> None:
    await user.open("/")
    await press(user, "Add data")
    await user.should_see("Your data, read and turned into the exact tokens that will be trained.", retries=20)


async def test_what_is_read_later_speaks_the_language_of_the_page(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Marking(Catalog):
        def text(self, text: str, context: str | None = None) -> str:
            return f"»{text}"

    catalogs = {"en": Catalog.english(), "de": Marking(NullTranslations(), ())}
    monkeypatch.setattr(locales, "languages", lambda: catalogs)
    monkeypatch.setattr(locales, "load", lambda code: catalogs[code])
    await services.people.change(language="de")
    await user.open("/")
    for text in ("»a finished training adds one", "»a file you drop adds one", "»no runs yet", "»No GPU is seen"):
        await user.should_see(text, retries=20)
    await services.jobs.submit(JobKind.TRAINING, TrainingParameters(model_name="starter", dataset_path="starter"))
    await user.should_see("»1 run is waiting", retries=20)
    await user.should_not_see("»no runs yet", retries=20)
    await user.should_see("»a finished training adds one")


async def test_data_that_was_added_is_news_and_counted(user: User, services: Services) -> None:
    services.store.datasets.put(Dataset(id="mails", name="mails.csv", path="mails.csv", bytes=9))
    await user.open("/")
    await user.should_see("mails.csv", retries=20)
    await user.should_see(" was added")
    await user.should_see("the newest came just now")


async def test_times_go_on_while_the_page_is_open(
    user: User, busy_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ago, "SAID_ANEW_S", 0.02)
    await user.open("/")
    await user.should_see("8 min ago")
    later = now() + timedelta(hours=2)
    monkeypatch.setattr(words, "now", lambda: later)
    await user.should_see("2 h ago", retries=20)
    await user.should_not_see("8 min ago")


async def test_start_is_told_as_soon_as_the_worker_speaks(user: User, services: Services) -> None:
    run = FakeRun("fresh", JobStatus.RUNNING, process=ProcessIdentity.of())
    paths = write_run(services.workspace, run)
    said = paths.events.read_bytes()
    paths.events.write_bytes(b"")
    await services.jobs.refresh()
    await user.open("/")
    await user.should_see("No GPU is seen", retries=20)  # the last thing that is read when the page opens
    await user.should_not_see(" started")
    paths.events.write_bytes(said)
    await services.jobs.refresh()
    await user.should_see(" started", retries=20)


def steps_of(user: User) -> list[str]:
    """How each step of the guide stands: `done`, `now` or nothing."""
    [guide] = user.find(Guide).elements
    steps = [element for element in guide.descendants() if element.tag == "li"]
    marks = {"qu-step-done": "done", "qu-step-now": "now"}
    return ["".join(word for name, word in marks.items() if name in step.classes) for step in steps]


def write_exit(job: Job) -> None:
    """As its worker would leave it."""
    record = job.record.model_copy(update={"state": "launched", "attempt": 1, "process": GONE})
    write_atomically(job.paths.job, record.model_dump_json())
    done = ExitRecord(status=JobStatus.COMPLETED, attempt=1)
    write_atomically(job.paths.exit, done.model_dump_json())


def named(services: Services, name: str) -> Job:
    [job] = [job for job in services.jobs.jobs.values() if job.name == name]
    return job


async def test_the_queue_is_shown_and_continued(user: User, services: Services) -> None:
    for name in ("alpha", "beta", "gamma", "delta"):
        parameters = TrainingParameters(name=name, model_name="starter", dataset_path="starter")
        await services.jobs.submit(JobKind.TRAINING, parameters)
    await user.open("/")
    await user.should_see("Put it in order", retries=50)
    assert user.client is not None
    places = [e for e in user.client.elements.values() if "qu-queue-place" in e.classes]
    assert [getattr(place, "text", "") for place in places] == ["1", "2", "3"]
    await user.should_not_see("Continue the queue")
    for job in services.jobs.queue[1:]:
        await services.jobs.stop(job.id)
    await user.should_not_see("Put it in order", retries=50)
    await user.should_see("alpha")
    await services.jobs.hold_queue()
    await user.should_see("nothing new is started until it is continued", retries=50)
    await press(user, "Continue the queue")
    assert not services.jobs.queue_held
    await user.should_not_see("nothing new is started until it is continued", retries=50)
