"""What becomes of the recorded steps when one is added or taken back."""

from __future__ import annotations

import pytest

from qlora_ui.contract.inspection import Survey
from qlora_ui.contract.recipe import Step, StepName
from qlora_ui.pages.train.data.mending import STEPS, is_chosen, outcome, with_row, with_step
from qlora_ui.pages.train.data.template_editor import line_of

TRIM, DROP = Step(do="trim_space"), Step(do="drop_rows", rows=(3, 17))


def test_every_step_has_a_name() -> None:
    assert set(STEPS) == set(StepName.__args__)  # type: ignore[attr-defined]


def test_a_step_is_added_once() -> None:
    assert with_step([TRIM], TRIM) == [TRIM]
    assert with_step([TRIM], Step(do="drop_long")) == [TRIM, Step(do="drop_long")]


def test_single_rows_are_gathered_in_one_step() -> None:
    assert with_step([DROP, TRIM], Step(do="drop_rows", rows=(17, 5))) == [
        Step(do="drop_rows", rows=(3, 5, 17)),
        TRIM,
    ]


def test_a_row_is_taken_in_again_and_a_step_without_rows_goes() -> None:
    assert with_row([TRIM, DROP], 3) == [TRIM, Step(do="drop_rows", rows=(17,))]
    assert with_row([TRIM, Step(do="drop_rows", rows=(3,))], 3) == [TRIM]


def test_what_is_done_already_is_known() -> None:
    assert is_chosen(TRIM, [DROP, TRIM])
    assert is_chosen(Step(do="drop_rows", rows=(17,)), [DROP])
    assert not is_chosen(Step(do="drop_rows", rows=(17, 18)), [DROP])
    assert not is_chosen(Step(do="drop_long"), [DROP, TRIM])


@pytest.mark.parametrize(
    ("left_out", "examples", "words"),
    [
        (48, 323, "48 rows are left out now. 323 examples remain."),
        (1, 1, "1 row is left out now. 1 example remains."),
        (0, 371, "371 examples remain."),
    ],
)
def test_what_came_of_the_mends_is_said(left_out: int, examples: int, words: str) -> None:
    assert outcome(Survey(rows=371, rows_left_out=left_out, examples=examples)) == words


def test_the_line_of_a_mistake_is_found_in_its_sentence() -> None:
    assert line_of("The chat template has a mistake in line 12: unknown tag.") == 12
    assert line_of("The chat template breaks: 'x' is undefined.") is None
