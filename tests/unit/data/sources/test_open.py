from __future__ import annotations

import json
import os
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Source
from qlora_ui.data.readers.rows import Row
from qlora_ui.data.sources import folder as folders
from qlora_ui.data.sources.open import OpenSource, open_sources


def write(path: Path, *texts: str) -> Path:
    """JSON Lines with one column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def opened(*references: str | Path) -> list[OpenSource]:
    return open_sources([Source(path=str(reference)) for reference in references])


def read(*references: str | Path) -> list[tuple[int, str, str]]:
    """Number, place and text of every row, numbered over all files."""
    rows: list[tuple[int, str, str]] = []
    for source in opened(*references):
        for file in source.files:
            for block in file.blocks(len(rows) + 1):
                for row in block.rows():
                    assert isinstance(row, Row)
                    rows.append((row.number, row.place, row.values["text"]))
    return rows


def refusal(reference: str | Path) -> DataError:
    with pytest.raises(DataError) as caught:
        opened(reference)
    return caught.value


def test_a_file_is_one_source(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", "a", "b")
    [source] = open_sources([Source(path=str(file), weight=2)])
    assert source.source.weight == 2
    assert (source.view.name, source.view.files, source.view.note) == ("train.jsonl", 1, "")
    assert source.view.bytes == file.stat().st_size
    assert read(file) == [(1, "train.jsonl, line 1", "a"), (2, "train.jsonl, line 2", "b")]


def test_the_starter_travels_with_the_program() -> None:
    train, held_out = opened("starter", "starter/heldout")
    assert (train.view.name, held_out.view.name) == ("starter", "starter/heldout")
    assert train.files[0].fingerprint() != held_out.files[0].fingerprint()


def test_rows_count_over_all_sources_in_their_order(tmp_path: Path) -> None:
    second = write(tmp_path / "b.jsonl", "b")
    parts = write(tmp_path / "parts" / "x.jsonl", "x").parent
    write(parts / "y.jsonl", "y")
    assert [(number, text) for number, _, text in read(second, parts, second)] == [
        (1, "b"),
        (2, "x"),
        (3, "y"),
        (4, "b"),
    ]


def test_a_folder_is_all_the_files_in_it(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", "3")
    write(tmp_path / "a" / "2.jsonl", "2")
    write(tmp_path / "a" / "1.jsonl", "1")
    write(tmp_path / ".hidden.jsonl", "no")
    write(tmp_path / ".git" / "x.jsonl", "no")
    (tmp_path / "README.md").write_text("# About", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    [source] = opened(tmp_path)
    assert source.view.files == 3
    assert source.view.note == "Files left out because they are no data: 2. Hidden files and folders left out: 2."
    names = [place for _, place, _ in read(tmp_path)]
    assert names == [f"{tmp_path.name}/{name}, line 1" for name in ("a/1.jsonl", "a/2.jsonl", "b.jsonl")]


def test_an_archive_is_found_in_a_folder_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("one.jsonl", '{"text": "1"}\n')
        archive.writestr("part/two.jsonl", '{"text": "2"}\n')
    assert read(tmp_path / "rows.zip") == [
        (1, "rows.zip/one.jsonl, line 1", "1"),
        (2, "rows.zip/part/two.jsonl, line 1", "2"),
    ]
    write(tmp_path / "z.jsonl", "3")
    assert [text for _, _, text in read(tmp_path)] == ["1", "2", "3"]


def test_prose_beside_tables_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "a")
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    [source] = opened(tmp_path)
    assert "several kinds (.jsonl, .txt)" in source.view.note


def test_splits_are_told_by_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000-of-00002.jsonl", "1")
    write(tmp_path / "data" / "train-00001-of-00002.jsonl", "2")
    write(tmp_path / "data" / "test-00000-of-00001.jsonl", "t")
    write(tmp_path / "dev" / "rows.jsonl", "v")
    write(tmp_path / "more.jsonl", "m")
    [source] = opened(tmp_path)
    assert source.view.note == (
        "Split train; there is test, validation as well. Files left out because they belong to no split: 1."
    )
    assert [text for _, _, text in read(tmp_path)] == ["1", "2"]
    assert [text for _, _, text in read(f"{tmp_path}?split=test")] == ["t"]
    assert [text for _, _, text in read(f"{tmp_path}?split=validation")] == ["v"]
    assert "has no split other" in refusal(f"{tmp_path}?split=other").message


def test_the_name_of_one_split_alone_leaves_nothing_out(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", "1")
    write(tmp_path / "more.jsonl", "2")
    assert [text for _, _, text in read(tmp_path)] == ["2", "1"]
    assert opened(tmp_path)[0].view.note == ""


def test_held_out_splits_alone_are_not_trained_unasked(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", "1")
    write(tmp_path / "dev.jsonl", "2")
    error = refusal(tmp_path)
    assert "several splits (test, validation), and none is named train" in error.message
    assert "?split=test" in error.hint


def test_words_inside_of_words_are_no_splits(tmp_path: Path) -> None:
    write(tmp_path / "latest.jsonl", "1")
    write(tmp_path / "trainers.jsonl", "2")
    write(tmp_path / "evaluate-contest.jsonl", "3")
    assert len(read(tmp_path)) == 3


def save_to_disk(folder: Path, **splits: list[str]) -> None:
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    tables = {name: Dataset.from_dict({"text": texts}) for name, texts in splits.items()}
    if set(tables) == {"whole"}:
        tables["whole"].save_to_disk(folder, num_shards=2)
    else:
        DatasetDict(tables).save_to_disk(folder)


def test_a_folder_that_datasets_saved_is_read_in_its_order(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "saved", whole=["1", "2", "3"])
    assert [text for _, _, text in read(tmp_path / "saved")] == ["1", "2", "3"]
    assert opened(tmp_path / "saved")[0].view.files == 2
    assert "has no split train" in refusal(f"{tmp_path / 'saved'}?split=train").message


def test_of_saved_splits_one_is_taken(tmp_path: Path) -> None:
    save_to_disk(tmp_path, train=["1"], test=["t"])
    assert [text for _, _, text in read(tmp_path)] == ["1"]
    assert opened(tmp_path)[0].view.note == "Split train; there is test as well."
    assert [text for _, _, text in read(f"{tmp_path}?split=test")] == ["t"]
    assert "has no split dev" in refusal(f"{tmp_path}?split=dev").message


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("dataset_dict.json", '{"splits": ["../other"]}'),
        ("dataset_dict.json", '{"splits": []}'),
        ("dataset_dict.json", "[1"),
        ("state.json", '{"_data_files": [{"filename": "../../etc/passwd"}]}'),
        ("state.json", '{"_data_files": [1]}'),
        ("state.json", "[]"),
        ("state.json", "{}"),
    ],
)
def test_a_damaged_description_of_saved_data_is_told(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / "dataset_info.json").write_text("{}", encoding="utf-8")
    (tmp_path / file).write_text(content, encoding="utf-8")
    error = refusal(tmp_path)
    assert "is not what save_to_disk writes" in error.message and file in error.place


def test_loops_of_links_end_and_links_to_files_are_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "elsewhere" / "real.jsonl", "1")
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.jsonl").symlink_to("self.jsonl")
    (folder / "gone.jsonl").symlink_to("nowhere.jsonl")
    (folder / "there.jsonl").symlink_to(real)
    assert [text for _, _, text in read(folder)] == ["1"]
    assert opened(folder)[0].view.note == "Files left out because they are no data: 2."


def test_pipes_and_sockets_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jsonl"))
        assert "this is a pipe, not a file" in refusal(tmp_path / "pipe.jsonl").message
        assert "this is a socket, not a file" in refusal(tmp_path / "socket.jsonl").message
        assert "holds no file of a known kind" in refusal(tmp_path).message
    (tmp_path / "circle.jsonl").symlink_to("circle.jsonl")
    assert "it is a link" in refusal(tmp_path / "circle.jsonl").hint.lower()
    assert "this is a device, not a file" in refusal("/dev/null").message


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("absent.jsonl", "there is no such file"),
        ("file.jsonl/x", "a part of this path is a file"),
        ("file.jsonl?split=train", "only a folder or a hub dataset has splits"),
        ("x" * 5000, "cannot be read"),
        ("empty", "holds no file of a known kind"),
        ("file.xyz", "the ending .xyz does not tell"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, reference: str, problem: str) -> None:
    write(tmp_path / "file.jsonl", "1")
    write(tmp_path / "file.xyz", "1")
    (tmp_path / "empty").mkdir()
    error = refusal(tmp_path / reference)
    assert problem in error.message and error.hint


def test_a_folder_that_is_closed_to_us_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.jsonl", "1")

    look = os.scandir

    def closed(path: Path) -> Iterator[os.DirEntry[str]]:
        if path == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert "the folder cannot be opened: Permission denied" in refusal(tmp_path).message


def test_a_folder_of_too_many_files_is_told_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_ENTRIES", 2)
    for name in "abc":
        write(tmp_path / f"{name}.jsonl", "1")
    assert "holds more than 2 files" in refusal(tmp_path).message


def test_the_list_of_an_archive_is_read_once_for_all_its_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        for number in range(20):
            archive.writestr(f"{number:02}.jsonl", f'{{"text": "{number}"}}\n')
    listed, listings = zipfile.ZipFile.infolist, []

    def infolist(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        listings.append(archive)
        return listed(archive)

    monkeypatch.setattr(zipfile.ZipFile, "infolist", infolist)
    assert [text for _, _, text in read(tmp_path / "rows.zip")] == [str(number) for number in range(20)]
    assert len(listings) == 2


def test_a_file_of_the_same_size_and_time_with_other_rows_is_another_one(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", "one")
    before, times = opened(path)[0].files[0], path.stat()
    known = before.stamp, before.fingerprint()
    write(path, "two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = opened(path)[0].files[0]
    assert after.stamp != known[0] and after.fingerprint() != known[1]
