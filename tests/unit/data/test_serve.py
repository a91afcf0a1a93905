from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from qlora_ui.contract.inspector import Answer, Request
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source


def ask(*requests: Request) -> list[Answer]:
    """What a process of its own answers to these requests, one after the other."""
    lines = "".join(request.model_dump_json() + "\n" for request in requests)
    command = [sys.executable, "-m", "qlora_ui.data.serve"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120, check=True)
    return [Answer.model_validate_json(line) for line in done.stdout.splitlines()]


def query(path: str, template: str = "", model: str = "starter") -> DataQuery:
    recipe = Recipe(sources=(Source(path=path),), chat_template=template)
    return DataQuery(recipe=recipe, held_out=HeldOut(share=0.1), model=model, offline=True)


def test_looks_surveys_and_errors_come_one_after_the_other(tmp_path: Path) -> None:
    answers = ask(
        Request(ask="look", query=query("starter"), limit=2),
        Request(ask="look", query=query("/no/such.jsonl")),
        Request(ask="look", query=query("starter", template="{% for m in messages %}\n{{ m.content }")),
        Request(ask="look", query=query("starter", template="chatml"), limit=1),
        Request(ask="survey", query=query("starter"), cache=str(tmp_path / "prepared")),
        Request(ask="survey", query=query("starter"), cache=str(tmp_path / "prepared")),
    )
    looked, absent, broken, chosen, *surveys = [answer for answer in answers if answer.progress is None]
    assert looked.look is not None and [view.number for view in looked.look.views] == [1, 2]
    assert absent.error is not None and absent.error.kind == "DataError" and "/no/such.jsonl" in absent.error.message
    assert broken.error is not None and broken.error.kind == "DataError" and "line 2" in str(broken.error)
    assert chosen.look is not None and chosen.look.template is not None and chosen.look.template.name == "chatml"
    first, second = (answer.survey for answer in surveys)
    assert first is not None and second is not None
    assert (first.rows, first.examples_train, first.examples_held_out) == (600, 540, 60)
    assert not first.from_cache and second.from_cache
    assert second.model_dump(exclude={"from_cache", "seconds"}) == first.model_dump(exclude={"from_cache", "seconds"})


def test_what_a_library_prints_does_not_disturb_the_answers() -> None:
    program = (
        "import qlora_ui.data.serve as serve, qlora_ui.data.look as look\n"
        "def noisy(*_, **__): print('hello from a library'); raise serve.DataError('Broken.')\n"
        "look.look = noisy; serve.main()"
    )
    line = Request(ask="look", query=query("starter", model="")).model_dump_json() + "\n"
    done = subprocess.run([sys.executable, "-c", program], input=line, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["error"]["message"] == "Broken." and "hello from a library" in done.stderr


def test_names_of_files_are_in_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "größe.txt").write_text("one", encoding="utf-8")
    line = Request(ask="look", query=query(str(tmp_path / "größe.txt"), model="")).model_dump_json() + "\n"
    command, environment = [sys.executable, "-m", "qlora_ui.data.serve"], os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, input=line.encode(), capture_output=True, env=environment, timeout=60, check=True)
    assert json.loads(done.stdout)["look"]["sources"][0]["name"] == "größe.txt"


def test_torch_is_never_loaded() -> None:
    program = "import sys, qlora_ui.data.serve as s; s.main(); print('torch' in sys.modules, file=sys.stderr)"
    line = Request(ask="look", query=query("starter")).model_dump_json() + "\n"
    done = subprocess.run([sys.executable, "-c", program], input=line, capture_output=True, text=True, timeout=60)
    assert '"look"' in done.stdout and done.stderr.strip().endswith("False")
