"""The HTTP interface under `/api/v1`: data files, jobs and adapters, as JSON. `/api/v1/openapi.json` describes it.

Every error is `{"error": sentence, "hint": sentence}`, with `fields` where parameters are at fault.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from qlora_ui import __version__
from qlora_ui.contract.errors import JobError, ParameterError, QloraUiError, WorkspaceError
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import Adapter
from qlora_ui.jobs.logs.derived_log import log_of, told_anew
from qlora_ui.services import Services
from qlora_ui.upload import DiskFullError, TooLargeError, UnknownUploadError, UploadConflictError
from qlora_ui.web.api_datasets import UnknownDatasetError, add_datasets
from qlora_ui.web.api_files import UnknownFileError, add_files, download_from, file_in
from qlora_ui.web.api_jobs import UnknownJobError, add_jobs, find_job
from qlora_ui.web.zip_stream import zip_folder

API_PATH = "/api/v1"
CONSOLE_LINES = 10_000
CONSOLE_BYTES = 2 * 1024**2
"""A console may hold one endless line; `download` gives all of it."""


class NotFoundError(QloraUiError):
    """There is nothing under this id."""


class ApiError(BaseModel):
    """What went wrong, and what to do about it."""

    error: str
    hint: str = ""
    fields: dict[str, str] | None = None


class Health(BaseModel):
    status: str
    version: str


def register(app: FastAPI, services: Services) -> None:
    """Add `/healthz`, which is open to everyone, and everything under `/api/v1` to the app."""

    @app.get("/healthz")
    async def health() -> Health:
        return Health(status="ok", version=__version__)

    app.mount(API_PATH, build(services))


def build(services: Services) -> FastAPI:
    """The application that is mounted at `/api/v1`."""
    api = FastAPI(
        title="qlora-ui",
        version=__version__,
        description="Data files, jobs and adapters of one home folder.",
        docs_url=None,  # those pages would load their scripts from the internet
        redoc_url=None,
        dependencies=[Depends(services.until_runs_known)],
        responses={"4XX": {"model": ApiError}, "5XX": {"model": ApiError}},
        exception_handlers={
            QloraUiError: _explain,
            RequestValidationError: _explain_request,
            HTTPException: _explain_http,
            Exception: _explain_unexpected,
        },
    )
    add_datasets(api, services)
    add_jobs(api, services)
    _add_job_files(api, services)
    add_files(api, services)
    _add_adapters(api, services)
    return api


def _add_job_files(api: FastAPI, services: Services) -> None:
    @api.get("/jobs/{job_id}/console", tags=["jobs"], response_class=PlainTextResponse)
    async def show_console(
        job_id: str,
        lines: Annotated[int, Query(ge=1, le=CONSOLE_LINES, description="How many of the last lines.")] = 200,
        download: Annotated[bool, Query(description="The whole file, as a download.")] = False,
    ) -> Response:
        """What the job's process wrote."""
        paths = find_job(services, job_id).paths
        if not await asyncio.to_thread(paths.console.is_file):
            return PlainTextResponse("")
        if download:
            name = f"{job_id}-console.log"
            return await asyncio.to_thread(download_from, paths.folder, paths.console.name, filename=name)
        return PlainTextResponse(await asyncio.to_thread(_last_lines, paths, lines))

    @api.get("/jobs/{job_id}/log", tags=["jobs"], response_class=PlainTextResponse)
    async def download_log(job_id: str) -> Response:
        """The whole log, as a download: a line an entry, with its time and level."""
        paths = find_job(services, job_id).paths
        try:
            path = await asyncio.to_thread(log_of, paths)
        except WorkspaceError:  # nothing can be kept in the cache now
            headers = {"content-disposition": f'attachment; filename="{job_id}.log"'}
            return StreamingResponse(await asyncio.to_thread(told_anew, paths), 200, headers, "text/plain")
        if path is None:
            return PlainTextResponse("")
        return await asyncio.to_thread(download_from, path.parent, path.name, filename=f"{job_id}.log")

    @api.get("/jobs/{job_id}/files/adapter", tags=["jobs"], response_class=StreamingResponse)
    async def download_adapter(job_id: str) -> Response:
        """The finished adapter's folder as a zip file."""
        folder = find_job(services, job_id).paths.adapter
        if not await asyncio.to_thread(lambda: folder.is_dir() and not folder.is_symlink()):
            raise NotFoundError("This job has no adapter.", "An adapter is there once a training is completed.")
        try:
            blocks = await asyncio.to_thread(zip_folder, folder)
        except OSError as error:
            raise NotFoundError(f"The adapter cannot be read: {error.strerror}.", "Look at its rights.") from error
        disposition = f'attachment; filename="{job_id}-adapter.zip"'
        return StreamingResponse(blocks, 200, {"content-disposition": disposition}, "application/zip")


def _add_adapters(api: FastAPI, services: Services) -> None:
    @api.get("/adapters", tags=["adapters"])
    async def list_adapters() -> list[Adapter]:
        """Finished adapters, oldest first."""
        return await services.adapters()


async def _explain(_request: Request, error: QloraUiError) -> JSONResponse:
    fields = error.fields if isinstance(error, ParameterError) else None
    answer = ApiError(error=error.message, hint=error.hint, fields=fields)
    return JSONResponse(answer.model_dump(exclude_none=True), _status_of(error))


def _status_of(error: QloraUiError) -> int:
    match error:
        case NotFoundError() | UnknownDatasetError() | UnknownFileError() | UnknownJobError() | UnknownUploadError():
            return 404
        case JobError() | UploadConflictError():
            return 409
        case TooLargeError():
            return 413
        case DiskFullError():
            return 507
        case WorkspaceError():
            return 500
    return 422


async def _explain_request(_request: Request, error: RequestValidationError) -> JSONResponse:
    """A request that does not fit the description: which part of it, and why."""
    fields = {".".join(map(str, problem["loc"][1:])) or "body": str(problem["msg"]) for problem in error.errors()}
    listed = "; ".join(f"{name}: {problem}" for name, problem in fields.items())
    answer = ApiError(
        error=f"This request cannot be used: {listed}.",
        hint=f"{API_PATH}/openapi.json describes the requests; a body is JSON with the type application/json.",
        fields=fields,
    )
    return JSONResponse(answer.model_dump(), 422)


async def _explain_http(_request: Request, error: HTTPException) -> JSONResponse:
    """Unknown addresses and methods."""
    answer = ApiError(error=f"{error.detail}.", hint=f"See {API_PATH}/openapi.json.")
    return JSONResponse(answer.model_dump(exclude_none=True), error.status_code, headers=error.headers)


async def _explain_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """A mistake of ours; the server logs its traceback."""
    answer = ApiError(error="Something went wrong that should not.", hint="The server's terminal has the details.")
    return JSONResponse(answer.model_dump(exclude_none=True), 500)


def _last_lines(paths: RunPaths, count: int) -> str:
    """The last lines of the console, as far as `CONSOLE_BYTES` reach, so that its size does not matter."""
    with file_in(paths.folder, paths.console.name).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - CONSOLE_BYTES))
        tail = file.read(CONSOLE_BYTES)
    return b"".join(tail.splitlines(keepends=True)[-count:]).decode(errors="replace")
