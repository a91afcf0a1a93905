"""Data files over HTTP: as one request, as pasted text, or in parts that outlive a broken connection.

PUT    /datasets?name=rows.jsonl              the file is the body
PUT    /datasets/text                         the text is the body
PUT    /datasets/uploads/{token}?path=…       the body is the next part of a file: `Content-Range: bytes 0-99/200`
GET    /datasets/uploads/{token}              how far each file has come
POST   /datasets/uploads/{token}              all has been sent: make a dataset of it
DELETE /datasets/uploads/{token}              give it up
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from qlora_ui import upload
from qlora_ui.contract.errors import DataError, QloraUiError
from qlora_ui.contract.records import Dataset
from qlora_ui.contract.uploads import MAX_FILES, MAX_TEXT_BYTES, PART_BYTES, UploadedFile, UploadState
from qlora_ui.services import Services
from qlora_ui.upload import ContentRange, TooLargeError

REFUSED_READ_S = 10.0
"""So long the rest of a part that is refused is waited for."""


class UnknownDatasetError(QloraUiError):
    """There is no such data file."""


class EndOfUpload(BaseModel):
    """What is told of an upload when all of it has been sent."""

    files: int | None = Field(None, ge=1, le=MAX_FILES, description="How many files there must be.")
    sha256: dict[str, str] = Field(
        default_factory=dict,
        max_length=MAX_FILES,
        description="Path of a file → its SHA-256 in hexadecimal, for those that are to be checked.",
    )


Token = Annotated[
    str,
    Path(description="The name of the upload: 22 to 128 random letters, digits, - or _ that the sender makes itself."),
]
_ANY_BYTES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}
_ANY_TEXT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def add_datasets(api: FastAPI, services: Services) -> None:
    """Add the ways to list, take in and delete data."""

    @api.get("/datasets", tags=["datasets"])
    async def list_datasets() -> list[Dataset]:
        """The data files in the workspace, and the folders that came together, oldest first."""
        return await services.datasets()

    @api.put("/datasets", tags=["datasets"], status_code=201, response_model=Dataset, openapi_extra=_ANY_BYTES)
    async def upload_dataset(
        request: Request, name: Annotated[str, Query(description="The name of the file, with its ending.")]
    ) -> Dataset | Response:
        """Take in a data file: the body is the file, streamed to the disk. It is there as a whole or not at all."""
        announced = request.headers.get("content-length", "")
        try:
            return await services.add_dataset(name, request.stream(), int(announced) if announced.isdecimal() else None)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it

    @api.put("/datasets/text", tags=["datasets"], status_code=201, response_model=Dataset, openapi_extra=_ANY_TEXT)
    async def upload_text(
        request: Request,
        name: Annotated[
            str, Query(description="What to call it; without an ending, a look at the text adds one.")
        ] = "",
    ) -> Dataset | Response:
        """Take in a text in UTF-8, up to 20 MB: rows as JSONL, JSON, CSV or TSV, or plain text."""
        try:
            return await services.add_text(await _text(request), name)
        except ClientDisconnect:
            return Response(status_code=400)

    @api.delete("/datasets/{dataset_id}", tags=["datasets"], status_code=204)
    async def delete_dataset(dataset_id: str) -> None:
        """Delete a data file or folder that no unfinished job needs."""
        dataset = await asyncio.to_thread(services.store.datasets.get, dataset_id)
        if dataset is None:
            raise UnknownDatasetError(f"There is no data file {dataset_id}.")
        await services.delete_dataset(dataset)

    _add_uploads(api, services)


def _add_uploads(api: FastAPI, services: Services) -> None:
    workspace, address = services.workspace, "/datasets/uploads/{token}"

    @api.put(address, tags=["uploads"], response_model=UploadedFile, openapi_extra=_ANY_BYTES)
    async def upload_part(
        request: Request,
        token: Token,
        path: Annotated[str, Query(description="The name of the file, or `folder/…/name` for each file of a folder.")],
        content_range: Annotated[str, Header(description="Which bytes these are: `bytes 0-99/200`.")] = "",
    ) -> UploadedFile | Response:
        """Send the next part of a file. It must begin where the part before it ended; what arrives is kept for a day,
        also when the connection breaks or the server is started anew. All files of one upload lie in one folder."""
        try:
            part = ContentRange.parse(content_range)
            return await upload.write_part(workspace, token, path, part, request.stream())
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it; what arrived is kept
        except QloraUiError:
            await _read_to_end(request)
            raise

    @api.get(address, tags=["uploads"])
    async def show_upload(token: Token) -> UploadState:
        """How far each file of an upload has come: the next part begins at its `offset`."""
        return await upload.state(workspace, token)

    @api.post(address, tags=["uploads"], status_code=201)
    async def finish_upload(token: Token, end: Annotated[EndOfUpload | None, Body()] = None) -> Dataset:
        """All has been sent: make a dataset of it, in one step. Asked again, it gives the same dataset."""
        end = end or EndOfUpload(files=None)
        return await services.finish_upload(token, files=end.files, sha256=end.sha256)

    @api.delete(address, tags=["uploads"], status_code=204)
    async def cancel_upload(token: Token) -> None:
        """Give an upload up: what has arrived of it is deleted."""
        await upload.cancel(workspace, token)


async def _read_to_end(request: Request) -> None:
    """Let a sender say all of a part: a browser that is refused meanwhile sees a broken connection, not the reason."""
    left = 2 * PART_BYTES
    with contextlib.suppress(ClientDisconnect, TimeoutError, RuntimeError):  # the last where there is nothing left
        async with asyncio.timeout(REFUSED_READ_S):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


async def _text(request: Request) -> str:
    """The body as text. Raises TooLargeError before too much of it is held, DataError when it is no UTF-8."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TEXT_BYTES:
            raise TooLargeError(
                f"The text is longer than {MAX_TEXT_BYTES // 1024**2} MB, the most that can be pasted.",
                "Save it as a file and upload that.",
            )
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"The text is no UTF-8: byte {error.start + 1} cannot be read.", "Save it as UTF-8 and send it again."
        ) from None
