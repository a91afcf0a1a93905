from __future__ import annotations

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Turn
from qlora_ui.data.formats.detect import detect, understand
from tests.unit.data.formats.reading import ANSWER, ASK, CHAT, SYSTEM, read, rows

ODD = [{"who": "me", "says": "hi"}, {"who": "It", "says": "ho"}]


def test_a_mapping_goes_before_what_is_found_part_by_part() -> None:
    row = {"instruction": "no", "title": "hi", "output": "ho", "system": "be brief"}
    [conversation] = read(row, mapping={"instruction": "title"})
    assert conversation.turns == (SYSTEM, ASK, ANSWER)
    assert read(row, mapping={"instruction": "title", "system": ""})[0].turns == (ASK, ANSWER)


def test_assigned_parts_tell_the_format() -> None:
    row = {"text": "t", "foo": "hi", "bar": "ho"}
    detected = understand(rows(row), mapping={"question": "foo", "answer": "bar"})
    assert (detected.format, detected.sureness) == ("question_answer", "chosen")
    assert read(row, mapping={"question": "foo", "answer": "bar"})[0].turns == (ASK, ANSWER)
    detected = understand(rows({"foo": "hi", "bar": "ho"}), mapping={"answer": "foo"})
    assert (detected.mapping, detected.sureness) == ({"answer": "foo", "question": "bar"}, "unsure")


def test_where_nobody_can_be_asked_a_whole_mapping_does() -> None:
    made = rows({"foo": "hi", "bar": "ho"})
    assert detect(made, mapping={"question": "foo", "answer": "bar"}).sureness == "chosen"
    with pytest.raises(DataError, match="fit no known format"):
        detect(made, mapping={"question": "foo"})


def test_a_column_plays_one_part_only() -> None:
    detected = understand(rows({"instruction": "hi", "output": "ho"}), mapping={"instruction": "output"})
    assert detected.missing == ("output",)


def test_keys_and_roles_of_any_name() -> None:
    mapping, roles = {"turns": "log", "role_key": "who", "content_key": "says"}, {"me": "user", "it": "assistant"}
    [conversation] = read({"log": ODD}, data_format="sharegpt", mapping=mapping, roles=roles)
    assert conversation.turns == (ASK, ANSWER)


def test_roles_of_a_person_go_before_known_ones() -> None:
    [conversation] = read({"messages": CHAT}, roles={"User": "system"})
    assert conversation.turns == (Turn("system", "hi"), ANSWER)


def test_calls_of_a_speaker_with_a_name_of_its_own() -> None:
    said = [{"role": "user", "content": "hi"}, {"role": "my_call", "content": '{"name": "f", "arguments": {}}'}]
    [conversation] = read({"messages": said}, roles={"my_call": "assistant"})
    assert conversation.turns[1].calls == '[{"name": "f", "arguments": {}}]'


@pytest.mark.parametrize(
    ("data_format", "mapping", "problem", "hint"),
    [
        ("auto", {"instruction": "titel"}, "names the column titel for instruction", "Did you mean Title?"),
        ("auto", {"instruction": "zzz"}, "names the column zzz for instruction", "There are Title, output and chat."),
        ("messages", {"turns": "chat", "role_key": "rolle"}, "names the key of messages rolle", "Did you mean role?"),
        (
            "text",
            {"answer": "output"},
            "assigns answer, which the format plain text does not have",
            "Its parts are text.",
        ),
        (
            "auto",
            {"text": "output", "label": "chat"},
            "assigns text and label, which no format has together",
            "Parts are instruction",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    data_format: DataFormat, mapping: dict[str, str], problem: str, hint: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        understand(rows({"Title": "hi", "output": "ho", "chat": CHAT}), data_format, mapping)
    assert caught.value.hint.startswith(hint)


def test_a_role_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="gives the speaker gpt the role robot") as caught:
        understand(rows({"messages": CHAT}), roles={"gpt": "robot"})
    assert caught.value.hint == "Roles are system, user, assistant and tool."


def test_the_view_offers_columns_keys_and_speakers() -> None:
    view = understand(rows({"log": ODD, "id": 1}), "sharegpt", roles={"me": "user"}).view()
    parts = {part.name: part for part in view.parts}
    assert (view.format, view.sureness, view.columns) == ("sharegpt", "chosen", ["log", "id"])
    assert (parts["turns"].column, parts["turns"].required, parts["turns"].options) == ("log", True, ["log", "id"])
    assert (parts["role_key"].column, parts["role_key"].options) == ("who", ["who", "says"])
    assert (parts["system"].column, parts["system"].required) == ("", False)
    assert view.roles == {"me": "user", "It": ""}


def test_the_parts_that_are_needed_follow_the_mapping() -> None:
    view = understand(rows({"messages": CHAT, "label": True})).view()
    assert {part.name for part in view.parts if part.required} == {"turns", "label"}
    view = understand(rows({"prompt": "a", "completion": "b", "label": True})).view()
    assert {part.name for part in view.parts if part.required} == {"prompt", "completion", "label"}


def test_what_is_taken_for_names_and_is_none_does_not_flood_the_view() -> None:
    said = [{"role": f"{number} {'x' * (number % 100)}", "content": "x"} for number in range(1000)]
    roles = understand(rows({"messages": said})).view().roles
    assert len(roles) == 50
    assert max(map(len, roles)) <= 80
