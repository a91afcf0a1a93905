"""The fold of events into what a page shows."""

from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.history.history import History


def test_a_resumed_run_measures_the_steps_after_its_checkpoint_anew() -> None:
    history = History()
    for step in range(1, 8):
        history.apply(events.Metric(step=step, values={"loss": float(step)}))
    history.apply(events.CheckpointSaved(step=5, folder="checkpoint-5", bytes=10))
    history.apply(events.CheckpointSaved(step=7, folder="checkpoint-7", bytes=10))
    history.apply(events.Sample(step=7, prompt="p", answer="a"))
    history.apply(events.Resumed(step=5))
    assert history.curves.points("loss") == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0)]
    assert [c.step for c in history.checkpoints] == [5]
    assert history.samples == []
    history.apply(events.Metric(step=6, values={"loss": 0.5}))
    assert history.curves.latest("loss") == 0.5


def test_a_new_attempt_promises_nothing_of_the_old_one() -> None:
    history = History()
    history.apply(events.Phase(name="training", message="It trains."))
    history.apply(events.Progress(step=8, total_steps=10, epoch=4.0, seconds_left=3.0))
    history.apply(events.Started(process=ProcessIdentity(pid=7, started="x"), attempt=2))
    assert history.progress is not None
    assert (history.progress.step, history.progress.seconds_left, history.message) == (8, None, "")
    history.apply(events.Resumed(step=4))
    assert (history.progress.step, history.progress.epoch) == (4, 2.0)


def test_a_step_measured_twice_keeps_its_later_value() -> None:
    curves = Curves()
    for step, value in [(1, 1.0), (3, 3.0), (2, 2.0), (3, 0.3)]:
        curves.add("loss", step, value)
    assert curves.points("loss") == [(1, 1.0), (2, 2.0), (3, 0.3)]


def test_curves_of_different_names_do_not_disturb_each_other() -> None:
    curves = Curves()
    curves.add("loss", 1, 2.0)
    curves.add("eval_loss", 1, 3.0)
    curves.cut_after(0)
    assert curves.points("loss") == curves.points("eval_loss") == curves.points("unknown") == []
    assert curves.latest("loss") is None


def test_the_log_says_in_words_what_happened() -> None:
    history = History()
    told: list[events.Event] = [
        events.Started(process=ProcessIdentity(pid=7, started="x"), attempt=2),
        events.Phase(name="loading", message="Loads the model."),
        events.Metric(step=3, values={"loss": 1.25, "learning_rate": 2e-4, "tokens_per_second": 9240.4}),
        events.Progress(step=3, total_steps=10),
        events.Alert(message="The loss is not a number.", hint="Lower the learning rate."),
        events.Failed(error="It broke.", hint="Mend it."),
    ]
    lines = [history.apply(event) for event in told]
    assert [line and line.message for line in lines] == [
        "Process 7 started, attempt 2.",
        "Loads the model.",
        "step 3  loss 1.2500  lr 2.00e-04  9,240 tok/s",
        None,
        "The loss is not a number. Lower the learning rate.",
        "It broke. Mend it.",
    ]
    assert [entry.level for entry in history.logs] == ["info", "info", "info", "warning", "error"]
    assert history.message == "Loads the model."


def test_what_a_new_beginning_tells_again_is_shown_once() -> None:
    history = History()
    for answer in ("first", "second"):
        history.apply(events.Sample(step=0, prompt="p", answer=answer))
    history.apply(events.Sample(step=0, prompt="q", answer="other"))
    assert [(s.prompt, s.answer) for s in history.samples] == [("p", "second"), ("q", "other")]


def test_a_sample_is_compared_with_none_of_the_others() -> None:
    class Counted(events.Sample):
        """Counts how often it is read."""

        def __getattribute__(self, name: str) -> Any:
            if name == "prompt":
                read.append(1)
            return super().__getattribute__(name)

    counts = []
    for samples in (100, 200):
        read: list[int] = []
        history = History()
        for number in range(samples):
            history.apply(Counted(step=number // 4, prompt=f"p {number % 4}", answer="a"))
        assert len(history.samples) == samples
        counts.append(len(read))
    assert counts[1] <= 2 * counts[0]


def test_what_is_no_number_has_no_place_on_a_curve() -> None:
    curves = Curves()
    curves.add("loss", 1, float("nan"))
    curves.add("loss", 2, float("inf"))
    curves.add("loss", 3, 1.0)
    assert curves.points("loss") == [(3, 1.0)]
