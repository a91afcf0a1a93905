from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from qlora_ui.contract.errors import ModelError
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.templates.named import PLAIN
from tests.unit.data.conftest import MakeTokenizer


def save(folder: Path, tokenizer: Any) -> Path:
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    return folder


def test_a_folder_is_loaded_as_it_stands(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    made = byte_tokenizer("{{- messages[0].content -}}")
    loaded = load_tokenizer(str(save(tmp_path, made)))
    assert loaded("Größe <|im_end|>").input_ids == made("Größe <|im_end|>").input_ids
    assert (loaded.chat_template, loaded.pad_token) == (made.chat_template, "<|pad|>")


def test_what_is_missing_is_put_in(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    loaded = load_tokenizer(str(save(tmp_path, byte_tokenizer(pad=None))))
    assert (loaded.pad_token, loaded.chat_template) == ("<|end|>", PLAIN)
    assert len(loaded) == len(byte_tokenizer())


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "holds no config.json, so it is not a model"),
        ({"tokenizer.json": "{}"}, "holds no config.json"),
        ({"config.json": '{"model_type": "llama"}'}, "holds no tokenizer"),
        ({"config.json": "{}", "tokenizer.json": "{broken"}, "cannot be loaded"),
        ({"config.json": "{}", "tokenizer.json": "{}"}, "cannot be loaded"),
    ],
)
def test_bad_folders_are_told(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=problem) as caught:
        load_tokenizer(str(tmp_path))
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_path_without_a_folder_is_told() -> None:
    with pytest.raises(ModelError, match="There is no folder /no/such/model"):
        load_tokenizer("/no/such/model")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of what was fetched from the hub."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine that gives every request the same answer."""
    server = Hub(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Hub(ThreadingHTTPServer):
    code = 404
    error = ""
    asked = 0


class Answer(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        assert isinstance(self.server, Hub)
        self.server.asked += 1
        self.send_response(self.server.code)
        self.send_header("X-Error-Code", self.server.error)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.usefixtures("cache")
def test_offline_the_hub_is_not_asked(hub: Hub) -> None:
    with pytest.raises(ModelError, match="no model no/such on this machine, and the hub is not asked"):
        load_tokenizer("no/such", offline=True)
    assert hub.asked == 0


@pytest.mark.parametrize(
    ("code", "error", "problem"),
    [
        (404, "RepoNotFound", "The hub has no model named no/such"),
        (403, "GatedRepo", "open only to people who accepted its terms"),
        (503, "", "no model no/such on this machine, and the hub does not answer"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_what_the_hub_says_is_told(hub: Hub, code: int, error: str, problem: str) -> None:
    hub.code, hub.error = code, error
    with pytest.raises(ModelError, match=problem) as caught:
        load_tokenizer("no/such")
    assert caught.value.hint
    assert hub.asked > 0


@pytest.mark.usefixtures("cache")
def test_a_silent_hub_is_asked_once(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    hub.code = 503
    with pytest.raises(ModelError, match="the hub does not answer"):
        load_tokenizer("no/such")
    assert hub.asked == 1 and "Retrying" not in caplog.text


def test_what_was_fetched_is_used_when_the_hub_is_silent(cache: Path, hub: Hub, byte_tokenizer: MakeTokenizer) -> None:
    hub.code = 503
    fetch(cache, byte_tokenizer)
    assert load_tokenizer("some/model")("hi").input_ids == byte_tokenizer()("hi").input_ids
    assert hub.asked == 1


def fetch(cache: Path, byte_tokenizer: MakeTokenizer) -> None:
    repository = cache / "models--some--model"
    save(repository / "snapshots" / "0123456789abcdef0123456789abcdef01234567", byte_tokenizer("{{- 1 -}}"))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123456789abcdef0123456789abcdef01234567", encoding="utf-8")


def test_what_was_fetched_is_used_offline(cache: Path, hub: Hub, byte_tokenizer: MakeTokenizer) -> None:
    fetch(cache, byte_tokenizer)
    assert load_tokenizer("some/model", offline=True)("hi").input_ids == byte_tokenizer()("hi").input_ids
    assert hub.asked == 0


def test_encoding_loads_neither_torch_nor_datasets() -> None:
    code = """if True:
        import sys
        from qlora_ui.data.conversation import Conversation, Turn
        from qlora_ui.data.encoding.describe import describe
        from qlora_ui.data.encoding.encoder import Encoder
        from qlora_ui.data.encoding.tokenizer import load_tokenizer
        assert not {"torch", "transformers", "datasets", "pyarrow"} & set(sys.modules), "at import"
        tokenizer = load_tokenizer("starter", offline=True)
        row = Conversation((Turn("user", "hi"), Turn("assistant", "ho", trained=True)))
        assert Encoder(tokenizer).encode(row).trained.any()
        assert describe(tokenizer).name == "own"
        assert not {"torch", "datasets"} & set(sys.modules), "at work"
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_a_chat_template_is_chosen_by_name_or_given_as_text(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    folder = str(save(tmp_path, byte_tokenizer("{{- messages[0].content -}}")))
    assert "<|im_start|>assistant" in load_tokenizer(folder, chat_template="chatml").chat_template
    assert load_tokenizer(folder, chat_template="{{- 1 -}}").chat_template == "{{- 1 -}}"
    assert load_tokenizer(folder).chat_template == "{{- messages[0].content -}}"
    with pytest.raises(ModelError, match="There is no chat template named chatlm"):
        load_tokenizer(folder, chat_template="chatlm")
