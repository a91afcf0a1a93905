"""The forms that LLaMA-Factory documents with its demo files, and every row of TRL's table of dataset types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.detect import to_conversation, understand
from qlora_ui.data.formats.requirements import require_trainable
from tests.unit.data.formats.reading import rows

SKY = [{"role": "user", "content": "Why is grass green?"}]
LEAF = [{"role": "assistant", "content": "Chlorophyll."}]
PAINT = [{"role": "assistant", "content": "Paint."}]

GRASS = Turn("user", "Why is grass green?")
GOOD = Turn("assistant", "Chlorophyll.", trained=True)
BAD = Turn("assistant", "Paint.")

WEATHER = {
    "name": "weather",
    "description": "Tells the weather of a town",
    "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}
TOOLS = json.dumps([{"type": "function", "function": WEATHER}])
ASKED = '{"name": "weather", "arguments": {"town": "Ulm"}}'


def user(content: str) -> Turn:
    return Turn("user", content)


def learnt(content: str, calls: str = "") -> Turn:
    return Turn("assistant", content, True, calls)


LLAMA_FACTORY = {
    "alpaca_en_demo": (
        {"instruction": "Name a river.", "input": "", "output": "The Danube."},
        "alpaca",
        Conversation((user("Name a river."), learnt("The Danube."))),
    ),
    "alpaca with all columns": (
        {
            "instruction": "And translate:",
            "input": "sea",
            "output": "Meer",
            "system": "You translate.",
            "history": [["Translate: river", "Fluss"], ["Translate: lake", "See"]],
        },
        "alpaca",
        Conversation(
            (
                Turn("system", "You translate."),
                user("Translate: river"),
                learnt("Fluss"),
                user("Translate: lake"),
                learnt("See"),
                user("And translate:\n\nsea"),
                learnt("Meer"),
            )
        ),
    ),
    "identity": (
        {"instruction": "Who are you?", "input": "", "output": "I am {{name}}, made by {{author}}."},
        "alpaca",
        Conversation((user("Who are you?"), learnt("I am {{name}}, made by {{author}}."))),
    ),
    "c4_demo": (
        {"text": "Rain fell on the hills.\nNobody minded."},
        "text",
        Conversation((Turn("text", "Rain fell on the hills.\nNobody minded.", True),)),
    ),
    "glaive_toolcall_en_demo": (
        {
            "conversations": [
                {"from": "human", "value": "Is it raining in Ulm?"},
                {"from": "function_call", "value": ASKED},
                {"from": "observation", "value": '{"rain": true}'},
                {"from": "gpt", "value": "Yes, it is."},
            ],
            "tools": json.dumps([WEATHER]),
        },
        "sharegpt",
        Conversation(
            (
                user("Is it raining in Ulm?"),
                learnt("", f"[{ASKED}]"),
                Turn("tool", '{"rain": true}'),
                learnt("Yes, it is."),
            ),
            tools=TOOLS,
        ),
    ),
    "glaive_toolcall_en_demo without tools": (
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "tools": "[]"},
        "sharegpt",
        Conversation((user("Hi"), learnt("Hello"))),
    ),
    "sharegpt with a system column": (
        {
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
            "system": "Be kind.",
            "tools": "",
        },
        "sharegpt",
        Conversation((Turn("system", "Be kind."), user("Hi"), learnt("Hello"))),
    ),
    "openai": (
        {"messages": [{"role": "system", "content": "Be kind."}, *SKY, *LEAF]},
        "messages",
        Conversation((Turn("system", "Be kind."), GRASS, GOOD)),
    ),
    "dpo_en_demo": (
        {
            "conversations": [{"from": "human", "value": "Why is grass green?"}],
            "chosen": {"from": "gpt", "value": "Chlorophyll."},
            "rejected": {"from": "gpt", "value": "Paint."},
        },
        "preference",
        Conversation((GRASS, GOOD), rejected=(BAD,)),
    ),
    "alpaca preference": (
        {"instruction": "Why is", "input": "grass green?", "chosen": "Chlorophyll.", "rejected": "Paint."},
        "preference",
        Conversation((user("Why is\n\ngrass green?"), GOOD), rejected=(BAD,)),
    ),
    "alpaca ranking": (
        {"instruction": "Why is grass green?", "input": "", "output": ["Chlorophyll.", "Paint."]},
        "preference",
        Conversation((GRASS, GOOD), rejected=(BAD,)),
    ),
    "kto_en_demo": (
        {"messages": [{"content": m["content"], "role": m["role"]} for m in SKY + PAINT], "label": False},
        "kto",
        Conversation((GRASS, BAD), desirable=False),
    ),
    "alpaca kto": (
        {"instruction": "Why is grass green?", "input": "", "output": "Chlorophyll.", "kto_tag": True},
        "kto",
        Conversation((GRASS, GOOD), desirable=True),
    ),
    "sharegpt kto": (
        {
            "conversations": [
                {"from": "human", "value": "Why is grass green?"},
                {"from": "gpt", "value": "Chlorophyll."},
            ],
            "kto_tag": True,
        },
        "kto",
        Conversation((GRASS, GOOD), desirable=True),
    ),
}

CALL = {"type": "function", "function": {"name": "weather", "arguments": {"town": "Ulm"}}}

TRL = {
    "language modeling, standard": (
        {"text": "Grass is green."},
        "text",
        Conversation((Turn("text", "Grass is green.", True),)),
    ),
    "language modeling, conversational": ({"messages": SKY + LEAF}, "messages", Conversation((GRASS, GOOD))),
    "language modeling, with tools": (
        {
            "messages": [
                {"role": "user", "content": "Is it raining in Ulm?"},
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "name": "weather", "content": "rain"},
                {"role": "assistant", "content": "Yes."},
            ],
            "tools": [{"type": "function", "function": WEATHER}],
        },
        "messages",
        Conversation(
            (user("Is it raining in Ulm?"), learnt("", f"[{ASKED}]"), Turn("tool", "rain"), learnt("Yes.")),
            tools=TOOLS,
        ),
    ),
    "prompt-completion, standard": (
        {"prompt": "Grass is", "completion": " green."},
        "prompt_completion",
        Conversation((user("Grass is"), learnt(" green."))),
    ),
    "prompt-completion, conversational": (
        {"prompt": SKY, "completion": LEAF},
        "prompt_completion",
        Conversation((GRASS, GOOD)),
    ),
    "preference, standard": (
        {"prompt": "Grass is", "chosen": " green.", "rejected": " red."},
        "preference",
        Conversation((user("Grass is"), learnt(" green.")), rejected=(Turn("assistant", " red."),)),
    ),
    "preference, standard, implicit prompt": (
        {"chosen": "Grass is green.", "rejected": "Grass is red."},
        "preference",
        Conversation((user("Grass is"), learnt(" green.")), rejected=(Turn("assistant", " red."),)),
    ),
    "preference, conversational": (
        {"prompt": SKY, "chosen": LEAF, "rejected": PAINT},
        "preference",
        Conversation((GRASS, GOOD), rejected=(BAD,)),
    ),
    "preference, conversational, implicit prompt": (
        {"chosen": SKY + LEAF, "rejected": SKY + PAINT},
        "preference",
        Conversation((GRASS, GOOD), rejected=(BAD,)),
    ),
    "unpaired preference, standard": (
        {"prompt": "Grass is", "completion": " green.", "label": True},
        "kto",
        Conversation((user("Grass is"), learnt(" green.")), desirable=True),
    ),
    "unpaired preference, conversational": (
        {"prompt": SKY, "completion": PAINT, "label": False},
        "kto",
        Conversation((GRASS, BAD), desirable=False),
    ),
}


@pytest.mark.parametrize(
    ("row", "data_format", "expected"), [*LLAMA_FACTORY.values(), *TRL.values()], ids=[*LLAMA_FACTORY, *TRL]
)
def test_published_forms_are_read_untouched(row: dict[str, Any], data_format: str, expected: Conversation) -> None:
    [made] = rows(row)
    detected = understand([made])
    assert (detected.format, detected.sureness, detected.missing) == (data_format, "certain", ())
    found = to_conversation(made, detected)
    assert found == Conversation(
        expected.turns, made.place, made.number, expected.tools, expected.rejected, expected.desirable
    )
    require_trainable(found)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"prompt": "Grass is"}, "the column prompt holds questions only, so there is no answer to learn."),
        ({"prompt": SKY}, "the column prompt holds questions only, so there is no answer to learn."),
        (
            {"prompt": "Which is more, 3 or 5?", "completions": ["5 follows 4.", "So 3."], "labels": [True, False]},
            "the columns completions and labels judge the steps of an answer one by one, which cannot be trained.",
        ),
    ],
    ids=["prompt-only, standard", "prompt-only, conversational", "stepwise supervision"],
)
def test_published_forms_without_an_answer_are_refused_in_words(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError) as caught:
        understand(rows(row))
    assert caught.value.message == f"train.csv, line 2: {problem}"
    assert caught.value.hint


def test_tags_of_a_dataset_description() -> None:
    row = {"talk": [{"speaker": "Q", "words": "Hi"}, {"speaker": "A", "words": "Hello"}]}
    mapping = {"turns": "talk", "role_key": "speaker", "content_key": "words"}
    detected = understand(rows(row), "sharegpt", mapping, {"Q": "user", "A": "assistant"})
    assert to_conversation(rows(row)[0], detected).turns == (user("Hi"), learnt("Hello"))
