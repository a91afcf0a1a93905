"""The files of a run over HTTP, and its figures as a table. Nothing outside of the run folder is given away."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.services import Services
from qlora_ui.web.api_jobs import find_job
from qlora_ui.web.file_stream import download

_ROWS_AT_ONCE = 2_000


class UnknownFileError(QloraUiError):
    """A run has no such file."""


def add_files(api: FastAPI, services: Services) -> None:
    @api.get("/jobs/{job_id}/curves.csv", tags=["jobs"], response_class=StreamingResponse)
    async def download_curves(job_id: str) -> Response:
        """All figures of a job: a line a step, a column a figure, empty where it was not measured."""
        job = find_job(services, job_id)
        await services.jobs.load_history(job)
        disposition = f'attachment; filename="{job_id}.csv"'
        return StreamingResponse(csv_of(columns_of(job.curves)), 200, {"content-disposition": disposition}, "text/csv")

    @api.get("/jobs/{job_id}/files/{path:path}", tags=["jobs"], response_class=StreamingResponse)
    async def download_file(job_id: str, path: str) -> Response:
        """One file of the run folder."""
        folder = find_job(services, job_id).paths.folder
        return await asyncio.to_thread(download_from, folder, path)


def download_from(folder: Path, path: str, *, filename: str = "") -> Response:
    """A file below the folder as a download; `filename` is what the browser calls it, by default as it is called there.

    Raises UnknownFileError for anything that is not a file in there, or cannot be read.
    """
    file = file_in(folder, path)
    try:
        return download(file, filename or file.name)
    except OSError as error:
        raise UnknownFileError(f"{path} cannot be read: {error.strerror}.", "Look at its rights.") from error


def file_in(folder: Path, path: str) -> Path:
    """The file of this path below the folder. Raises UnknownFileError for anything that is not a file in there.

    Links are followed only as far as the folder reaches, so none leads out of it.
    """
    relative = PurePosixPath(path)
    try:
        file = (folder / relative).resolve(strict=True)
        is_inside = file.is_relative_to(folder.resolve(strict=True))
        if not relative.is_absolute() and ".." not in relative.parts and is_inside and file.is_file():
            return file
    except (OSError, ValueError, RuntimeError):
        pass
    raise UnknownFileError("This run has no such file.", "Its page lists the files that there are.")


def columns_of(curves: Curves) -> dict[str, tuple[array[int], array[float]]]:
    """Steps and values of each figure as they are now: a copy, which nothing is added to while it is sent."""
    return {name: (curves.column(name).steps[:], curves.column(name).values[:]) for name in curves.names}


def csv_of(columns: Mapping[str, tuple[array[int], array[float]]]) -> Iterator[str]:
    """The lines of the table, in blocks."""
    figures = {name: dict(zip(steps, values, strict=True)) for name, (steps, values) in columns.items()}
    all_steps = sorted({step for points in figures.values() for step in points})
    yield ",".join(["step", *map(_cell, figures)]) + "\n"
    for start in range(0, len(all_steps), _ROWS_AT_ONCE):
        rows = (
            ",".join([str(step), *(str(points.get(step, "")) for points in figures.values())])
            for step in all_steps[start : start + _ROWS_AT_ONCE]
        )
        yield "\n".join(rows) + "\n"


def _cell(name: str) -> str:
    """A figure's name as the head of a column; one that a spreadsheet would take for a formula becomes text."""
    text = f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(letter in text for letter in ',"\r\n') else text
