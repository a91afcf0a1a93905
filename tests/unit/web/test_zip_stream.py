from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

from qlora_ui.web.zip_stream import BLOCK_BYTES, zip_folder


def test_the_zip_holds_the_folder_and_is_made_in_blocks(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    (folder / "deeper").mkdir(parents=True)
    weights = os.urandom(3 * BLOCK_BYTES + 17)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    (folder / "deeper" / "größe.json").write_text("{}")
    (folder / "empty").write_bytes(b"")
    (tmp_path / "secret").write_text("not part of it")
    (folder / "link").symlink_to(tmp_path / "secret")

    blocks = list(zip_folder(folder))

    assert len(blocks) >= 4
    assert max(map(len, blocks)) < 2 * BLOCK_BYTES
    with zipfile.ZipFile(io.BytesIO(b"".join(blocks))) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "adapter/adapter_model.safetensors",
            "adapter/deeper/größe.json",
            "adapter/empty",
        ]
        assert archive.read("adapter/adapter_model.safetensors") == weights


def test_a_folder_that_is_deleted_while_it_is_sent_arrives_whole(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(name.encode() * 2 * BLOCK_BYTES)
    os.utime(folder / "b", (0, 0))  # before the first year that a zip file can tell
    blocks = zip_folder(folder)
    first = next(blocks)
    shutil.rmtree(folder)
    with zipfile.ZipFile(io.BytesIO(first + b"".join(blocks))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["adapter/a", "adapter/b", "adapter/c"]
