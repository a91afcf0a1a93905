"""The libraries read the hub's address when they are imported, so each question is asked in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.fakes.hub import FakeHub, Repository, fake_hub

ASK = """
import json, sys

strangers = []
def watch(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] != "127.0.0.1":
        strangers.append(str(args[1]))
    if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost"):
        strangers.append(str(args[0]))
sys.addaudithook(watch)

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.recipe import Source
from qlora_ui.data.sources.hub import hub_info
from qlora_ui.data.sources.open import open_sources

what, offline, *references = sys.argv[1:]
for reference in references:
    try:
        if what == "info":
            answer = hub_info(reference, offline == "yes").model_dump()
        else:
            tell = lambda note: print(json.dumps({"told": note}), flush=True)
            [source] = open_sources([Source(path=reference)], offline == "yes", tell)
            [file] = source.files
            rows = [row for block in file.blocks() for row in block.rows()]
            answer = {
                "note": source.view.note,
                "rows": [row.values for row in rows],
                "places": [row.place for row in rows],
                "fingerprint": file.fingerprint(),
            }
    except QloraUiError as error:
        answer = {"error": error.message, "hint": error.hint}
    assert "torch" not in sys.modules
    print(json.dumps(answer | {"strangers": strangers}), flush=True)
"""
PLAIN = "owner/plain"
EXPECTED = [{"question": f"train {i}", "answer": str(i)} for i in range(20)]


def lines(count: int, what: str = "train") -> bytes:
    rows = [{"question": f"{what} {i}", "answer": str(i)} for i in range(count)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(count: int, *pictures: str) -> bytes:
    """Rows of text, and columns of pictures as `datasets` marks them."""
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, list[Any]] = {} if count < 0 else {"text": [f"row {i}" for i in range(count)]}
    columns |= {name: [{"bytes": b"no picture", "path": "a.png"}] * abs(count) for name in pictures}
    features = {name: {"dtype": "string", "_type": "Value"} for name in columns} | {
        name: {"_type": "Image"} for name in pictures
    }
    table = pyarrow.table(columns).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def card(**configs: Any) -> bytes:
    named = [{"config_name": name, "data_files": files} for name, files in configs.items()]
    return f"---\n{json.dumps({'configs': named})}\n---\n# About\n".encode()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    english = [{"split": "train", "path": "en/train.jsonl"}, {"split": "test", "path": "en/test.jsonl"}]
    mixed = [{"tools": [{"a": 1}, {"b": {"c": 2}}]}, {"tools": [{"a": "x"}]}]
    with fake_hub(
        owner__plain=Repository({"train.jsonl": lines(20), "test.jsonl": lines(5, "test")}),
        owner__configs=Repository(
            {
                "README.md": card(en=english, de="de.jsonl"),
                "en/train.jsonl": lines(3),
                "en/test.jsonl": lines(2),
                "de.jsonl": lines(4, "Frage"),
            }
        ),
        owner__parquet=Repository(
            {"data/train-00000-of-00002.parquet": parquet(4), "data/train-00001-of-00002.parquet": parquet(3)}
        ),
        owner__seen=Repository({"train.parquet": parquet(2, "image")}),
        owner__images=Repository({"train.parquet": parquet(-2, "image", "mask")}),
        owner__objects=Repository({"train.jsonl": "\n".join(map(json.dumps, mixed)).encode()}),
        owner__gated=Repository({"train.jsonl": lines(2)}, gated=True),
        owner__private=Repository({"train.jsonl": lines(2)}, private=True),
        owner__script=Repository({"script.py": b"raise SystemExit"}),
        owner__empty=Repository({"README.md": b"# Nothing"}),
        owner__pictures=Repository({"train/a.png": b"1", "train/b.png": b"2"}),
        owner__columns=Repository({"a.jsonl": lines(3), "b.jsonl": b'{"other": 1}\n'}),
        owner__damaged=Repository({"train.jsonl": b'{"a": 1\n{"b"'}),
        owner__local=Repository({"README.md": card(x="/etc/passwd"), "a.jsonl": lines(1)}),
        owner__stranger=Repository({"README.md": card(x="http://192.0.2.1/a.jsonl"), "a.jsonl": lines(1)}),
    ) as running:
        yield running


class Machine:
    """Where questions are asked from: an empty cache, and the address of the hub."""

    def __init__(self, hub: FakeHub, home: Path) -> None:
        left_out = ("_PROXY", "HF_", "HUGGING")
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(left_out)}
        kept = {name: value for name, value in kept.items() if not name.upper().endswith("_PROXY")}
        self.environment = {**kept, "HF_HOME": str(home), "HF_ENDPOINT": hub.endpoint}

    def ask(self, *references: str, what: str = "rows", offline: bool = False, token: str = "") -> list[dict[str, Any]]:
        environment = self.environment | ({"HF_TOKEN": token} if token else {})
        command = [sys.executable, "-c", ASK, what, "yes" if offline else "no", *references]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        for answer in answers:
            assert not answer.pop("strangers", []), answer
        return [answer for answer in answers if "told" not in answer]


@pytest.fixture
def machine(hub: FakeHub, tmp_path: Path) -> Machine:
    return Machine(hub, tmp_path / "hf")


def test_rows_come_from_the_split_and_slice_that_is_asked_for(machine: Machine, hub: FakeHub) -> None:
    whole, first, share, both = machine.ask(
        f"hub:{PLAIN}",
        f"hub:{PLAIN}?split=train[:3]",
        f"hub:{PLAIN}?split=train[10%:20%]",
        f"hf://datasets/{PLAIN}",
    )
    commit = hub.repositories[PLAIN].commit
    assert whole["rows"] == both["rows"] == EXPECTED
    assert whole["note"] == f"Split train; there is test as well. Commit {commit[:7]}."
    assert first["rows"] == EXPECTED[:3] and first["note"] == f"Commit {commit[:7]}."
    assert share["rows"] == EXPECTED[2:4]
    assert whole["places"][0] == f"hub:{PLAIN}, row 1"
    assert len({whole["fingerprint"], first["fingerprint"], share["fingerprint"]}) == 3
    fetched = [request for request in hub.requests if request.startswith("GET") and request.endswith(".jsonl")]
    assert len(fetched) == 2, "each file is fetched once"


def test_slices_are_those_of_datasets(machine: Machine) -> None:
    slices = ["train[:7]", "train[-4:]", "train[15%:35%]", "test+train[:2]", "train[3:900]", "train[1_0:]"]
    script = (
        "import datasets, json, sys; datasets.disable_progress_bars()\n"
        f"for split in sys.argv[1:]: print(json.dumps(list(datasets.load_dataset('{PLAIN}', split=split))))"
    )
    command = [sys.executable, "-c", script, *slices]
    run = subprocess.run(command, env=machine.environment, capture_output=True, text=True, timeout=60, check=True)
    answers = machine.ask(*[f"hub:{PLAIN}?split={split}" for split in slices])
    assert [answer["rows"] for answer in answers] == [json.loads(line) for line in run.stdout.splitlines()]


def test_a_configuration_must_be_named_where_there_are_several(machine: Machine) -> None:
    none, unknown, english, german = machine.ask(
        "hub:owner/configs", "hub:owner/configs?config=fr", "hub:owner/configs?config=en&split=test",
        "hub:owner/configs?config=de",
    )  # fmt: skip
    assert none["error"] == "hub:owner/configs: it has several configurations: en, de."
    assert none["hint"] == "Choose one: hub:owner/configs?config=en."
    assert "it has no configuration fr; there is en, de." in unknown["error"]
    assert english["rows"] == EXPECTED[:2]
    assert [row["question"] for row in german["rows"]] == [f"Frage {i}" for i in range(4)]


def test_without_the_hub_what_is_cached_is_taken_and_said_so(machine: Machine, hub: FakeHub) -> None:
    [online] = machine.ask(f"hub:{PLAIN}?split=train[:3]")
    machine.ask("hub:owner/configs?config=en")
    asked = len(hub.requests)
    cached, other, config, absent = machine.ask(
        f"hub:{PLAIN}?split=train[:3]", f"hub:{PLAIN}?split=test", "hub:owner/configs?config=de", "hub:owner/columns",
        offline=True,
    )  # fmt: skip
    assert len(hub.requests) == asked
    assert cached["rows"] == online["rows"] and cached["fingerprint"] == online["fingerprint"]
    assert cached["note"].startswith("Taken from what is cached on this machine, downloaded on 20")
    assert len(other["rows"]) == 5
    assert "its configuration de is not cached on this machine; there is en." in config["error"]
    assert "it is not cached on this machine, and the hub is not asked while offline." in absent["error"]

    hub.broken = "/"
    silent, absent = machine.ask(f"hub:{PLAIN}", "hub:owner/columns")
    assert silent["rows"] == EXPECTED
    assert silent["note"].startswith("The hub does not answer. Taken from what is cached on this machine")
    assert "it is not cached on this machine, and the hub does not answer." in absent["error"]


def test_a_newer_commit_is_fetched_and_an_older_one_can_be_named(machine: Machine, hub: FakeHub) -> None:
    repository = hub.repositories[PLAIN]
    [before] = machine.ask(f"hub:{PLAIN}")
    old = repository.commit
    repository.files["train.jsonl"] = lines(21)
    [after] = machine.ask(f"hub:{PLAIN}")
    assert (len(before["rows"]), len(after["rows"])) == (20, 21)
    assert before["fingerprint"] != after["fingerprint"]
    newest, named, unknown = machine.ask(
        f"hub:{PLAIN}", f"hub:{PLAIN}?revision={old}", f"hub:{PLAIN}?revision=v1", offline=True
    )
    assert (len(newest["rows"]), len(named["rows"])) == (21, 20)
    assert "not cached on this machine" in unknown["error"]


def test_an_older_commit_is_never_taken_without_saying_so(machine: Machine, hub: FakeHub) -> None:
    machine.ask(f"hub:{PLAIN}")
    hub.repositories[PLAIN].files["train.jsonl"] = lines(21)
    hub.broken, hub.broken_status = "/resolve/", 400
    [answer] = machine.ask(f"hub:{PLAIN}")
    assert "the hub stopped answering while it was asked" in answer["error"]


def test_what_the_hub_does_not_open_is_told_with_the_way_in(machine: Machine) -> None:
    gated, private, absent, revision = machine.ask(
        "hub:owner/gated", "hub:owner/private", "hub:owner/absent", f"hub:{PLAIN}?revision=v9"
    )
    assert "open only to people who accepted its terms" in gated["error"] and "hub token" in gated["hint"]
    assert "the hub has no such dataset, or does not show it to you" in private["error"]
    assert private["error"].replace("private", "absent") == absent["error"]
    assert "the hub has no revision v9" in revision["error"]
    opened = machine.ask("hub:owner/gated", "hub:owner/private", token="hf_opens")
    assert [answer["rows"] for answer in opened] == [EXPECTED[:2]] * 2


def test_what_cannot_be_used_is_told_in_one_sentence(machine: Machine) -> None:
    told = {
        "script": ("no code that comes with data is run", "?revision=refs/convert/parquet"),
        "empty": ("no files in it that can be read as rows", "JSON"),
        "pictures": ("its files (imagefolder) do not hold rows of text", "JSON"),
        "images": ("it holds pictures, sound or the like only (image, mask), and no text", "with text"),
        "columns": ("the files of this dataset do not have the same columns", "Download"),
        "damaged": ("the dataset cannot be prepared", "Download"),
        "local": ("its card names a file outside of the dataset (/etc/passwd)", "another"),
        "stranger": ("its card names a file outside of the dataset (http://192.0.2.1/a.jsonl)", "another"),
    }
    answers = machine.ask(*(f"hub:owner/{name}" for name in told))
    for answer, (problem, hint) in zip(answers, told.values(), strict=True):
        assert problem in answer["error"] and hint in answer["hint"]
        assert "\n" not in answer["error"]


def test_parquet_and_objects_with_keys_of_their_own_are_read(machine: Machine) -> None:
    objects, columns, seen = machine.ask("hub:owner/objects", "hub:owner/parquet", "hub:owner/seen")
    assert seen["rows"] == [{"text": "row 0"}, {"text": "row 1"}]
    assert "Pictures, sound and the like are left out: image." in seen["note"]
    assert [row["text"] for row in columns["rows"]] == [f"row {i}" for i in (0, 1, 2, 3, 0, 1, 2)]
    assert objects["rows"] == [{"tools": [{"a": 1}, {"b": {"c": 2}}]}, {"tools": [{"a": "x"}]}]


def test_a_folder_of_the_same_name_is_not_taken_for_it(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "owner" / "plain").mkdir(parents=True)
    (tmp_path / "owner" / "plain" / "train.jsonl").write_bytes(b'{"from": "here"}\n')
    monkeypatch.chdir(tmp_path)
    [answer] = machine.ask(f"hub:{PLAIN}")
    assert answer["rows"] == EXPECTED


def test_a_download_says_how_far_it_is(machine: Machine, hub: FakeHub) -> None:
    hub.repositories["owner/large"] = Repository({"train.jsonl": b'{"text": "%s"}\n' % (b"x" * 1_000_000) * 24})
    hub.hold = Event()
    command = [sys.executable, "-c", ASK, "rows", "no", "hub:owner/large"]
    with subprocess.Popen(command, env=machine.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if answer.get("told", "").startswith("Fetching owner/large:") and "of 24 MB" in answer["told"]:
                hub.hold.set()
        assert hub.hold.is_set() and len(answer["rows"]) == 24


def test_what_can_be_chosen_is_listed(machine: Machine, hub: FakeHub) -> None:
    plain, configs, gated, absent = machine.ask(
        PLAIN, "hub:owner/configs", "owner/gated", "owner/absent", what="info"
    )  # fmt: skip
    assert plain["default"] == "default" and plain["revision"] == hub.repositories[PLAIN].commit
    [default] = plain["configs"]
    assert [(split["name"], split["bytes"]) for split in default["splits"]] == [
        ("train", len(lines(20))),
        ("test", len(lines(5, "test"))),
    ]
    names = {config["name"]: [split["name"] for split in config["splits"]] for config in configs["configs"]}
    assert names == {"en": ["train", "test"], "de": ["train"]} and configs["default"] == ""
    assert "open only to people" in gated["error"] and "no such dataset" in absent["error"]

    machine.ask("hub:owner/configs?config=en")
    cached, unknown = machine.ask("owner/configs", PLAIN, what="info", offline=True)
    [english] = cached["configs"]
    assert (english["name"], [split["rows"] for split in english["splits"]]) == ("en", [3, 2])
    assert cached["default"] == "en" and "cached on this machine" in cached["note"]
    assert "is not cached on this machine" in unknown["error"]
