from __future__ import annotations

from typing import Any, get_args

import pytest

from qlora_ui.contract.recipe import Step, StepName
from qlora_ui.data.checks.findings import FACTS, KINDS, ROWS_NAMED, finding, gravest_first

FACT = {"problem": "there are no turns.", "hint": "Take it out.", "max_length": 512, "examples": 3, "columns": "a, b"}


def facts(kind: str) -> dict[str, Any]:
    return {name: FACT[name] for name in FACTS.get(kind, ())}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_speaks_in_sentences_with_the_facts_that_are_named(kind: str) -> None:
    found = finding(kind, [3, 5], 7, **facts(kind))
    assert found.kind == kind
    assert (found.rows, found.count) == ([3, 5], 7)
    assert found.message.endswith(".")
    assert not found.hint or found.hint.endswith(".")
    assert not set("{}!") & set(found.message + found.hint)
    assert all(str(fact) in found.message + found.hint for fact in facts(kind).values())


@pytest.mark.parametrize("kind", sorted(FACTS))
def test_a_fact_that_is_not_told_is_a_mistake_of_the_code(kind: str) -> None:
    with pytest.raises(KeyError):
        finding(kind, [1])


def test_every_step_is_offered_by_some_finding() -> None:
    offered = {mend.step.do for kind in KINDS for mend in finding(kind, [1], **facts(kind)).mends}
    assert offered == set(get_args(StepName))


def test_at_most_fifty_rows_are_named_and_all_are_counted() -> None:
    found = finding("overlap", range(1, 201))
    assert found.rows == list(range(1, ROWS_NAMED + 1))
    assert found.count == 200


def test_rows_can_be_dropped_one_by_one_only_where_all_are_known() -> None:
    known, unknown = finding("control_tokens", range(1, 61)), finding("control_tokens", [1, 2], 60)
    assert [mend.step for mend in known.mends] == [Step(do="drop_rows", rows=tuple(range(1, 61)))]
    assert unknown.mends == []


def test_a_level_can_be_told() -> None:
    assert finding("untrainable", [1], max_length=8).level == "warning"
    assert finding("untrainable", [1], level="error", max_length=8).level == "error"


def test_the_gravest_comes_first() -> None:
    found = [finding("spaces", [1]), finding("damaged", [1]), finding("secrets", [1, 2]), finding("empty_answer", [1])]
    assert [one.kind for one in gravest_first(found)] == ["empty_answer", "secrets", "damaged", "spaces"]
