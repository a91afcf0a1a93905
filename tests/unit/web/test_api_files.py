from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from starlette.responses import StreamingResponse

from qlora_ui.jobs.history.curves import Curves
from qlora_ui.web.api_files import UnknownFileError, columns_of, csv_of, download_from, file_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "tone"
    (run / "checkpoints").mkdir(parents=True)
    (run / "run.log").write_text("It began.")
    (run / "checkpoints" / "a name with ü.bin").write_bytes(b"1")
    (tmp_path / "runs" / "secret.txt").write_text("secret")
    (run / "way-out").symlink_to(tmp_path / "runs" / "secret.txt")
    (run / "folder-out").symlink_to(tmp_path / "runs")
    (run / "way-round").symlink_to(run / "run.log")
    return run


def test_a_file_of_the_run_is_found_by_its_path(folder: Path) -> None:
    assert file_in(folder, "run.log") == folder / "run.log"
    assert file_in(folder, "checkpoints/a name with ü.bin").read_bytes() == b"1"
    assert file_in(folder, "way-round") == folder / "run.log"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "checkpoints",
        "nothing.txt",
        "../secret.txt",
        "checkpoints/../../secret.txt",
        "checkpoints/../run.log",
        "/etc/passwd",
        "way-out",
        "folder-out/secret.txt",
        "run.log/more",
        "a\0b",
        "x" * 5_000,
    ],
)
def test_nothing_else_is_given_away(folder: Path, path: str) -> None:
    with pytest.raises(UnknownFileError):
        file_in(folder, path)


def test_a_home_behind_a_link_is_no_way_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert file_in(tmp_path / "link", "run.log").read_text() == "It began."


def test_the_figures_as_csv_leave_out_what_was_not_measured() -> None:
    curves = Curves()
    for step, value in ((1, 3.0), (2, 2.5), (3, 2.0)):
        curves.add("loss", step, value)
    curves.add("eval_loss", 2, 2.75)
    columns = columns_of(curves)
    curves.add("loss", 4, 1.0)
    assert "".join(csv_of(columns)) == "step,loss,eval_loss\n1,3.0,\n2,2.5,2.75\n3,2.0,\n"


def test_a_long_table_comes_in_blocks() -> None:
    curves = Curves()
    for step in range(5_000):
        curves.add("loss", step, 1.0)
    blocks = list(csv_of(columns_of(curves)))
    assert len(blocks) == 4
    assert "".join(blocks).count("\n") == 5_001


@pytest.mark.parametrize(
    ("name", "head"),
    [("loss", "loss"), ("=1+2", "'=1+2"), ("@a,b", '"\'@a,b"'), ('a"\nb', '"a""\nb"'), ("-x", "'-x")],
)
def test_no_figure_is_a_formula_in_a_spreadsheet(name: str, head: str) -> None:
    columns = {name: (array("q", [1]), array("d", [0.5]))}
    assert "".join(csv_of(columns)) == f"step,{head}\n1,0.5\n"


async def test_a_file_that_is_deleted_while_it_is_sent_arrives_whole(folder: Path) -> None:
    response = download_from(folder, "run.log")
    assert isinstance(response, StreamingResponse)
    (folder / "run.log").unlink()
    assert [block async for block in response.body_iterator] == [b"It began."]
