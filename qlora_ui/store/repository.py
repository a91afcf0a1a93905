"""One table of the database as a small collection of typed records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from tinydb import where

from qlora_ui.store.database import Database

log = logging.getLogger(__name__)

Record = TypeVar("Record", bound=BaseModel)


class Repository(Generic[Record]):
    """Records of one model, each known by a text key. Every method raises WorkspaceError when the file fails."""

    def __init__(self, database: Database, table: str, model: type[Record]) -> None:
        self._database = database
        self._table = table
        self._model = model

    def list(self) -> list[Record]:
        """All records by key. One that cannot be read is left out, left in the file and named in the log."""
        documents = sorted(self._database.look(self._table), key=lambda document: str(document.get("key", "")))
        records = (self._parse(document) for document in documents)
        return [record for record in records if record is not None]

    def items(self) -> dict[str, Record]:
        """Key → record, without those that cannot be read."""
        found = {str(document.get("key", "")): self._parse(document) for document in self._database.look(self._table)}
        return {key: record for key, record in found.items() if record is not None}

    def get(self, key: str) -> Record | None:
        found = (document for document in self._database.look(self._table) if document.get("key") == key)
        document = next(found, None)
        return self._parse(document) if document is not None else None

    def put(self, key: str, record: Record) -> None:
        """Add the record, or replace the one with this key."""
        with self._database.change() as db:
            db.table(self._table).upsert(_document(key, record), where("key") == key)

    def update(self, key: str, change: Callable[[Record | None], Record]) -> tuple[Record | None, Record]:
        """Make a record out of the one with this key, if there is one, while nobody else can write.

        Returns the old and the new one; writes nothing when they are equal, or when `change` raises.
        """
        with self._database.change() as db:
            table = db.table(self._table)
            document = next((found for found in table.all() if found.get("key") == key), None)
            old = self._parse(dict(document)) if document is not None else None
            new = change(old)
            if new != old:
                table.upsert(_document(key, new), where("key") == key)
        return old, new

    def change(self, records: Mapping[str, Record], *, forgotten: Collection[str] = ()) -> None:
        """Put and delete several records; writes nothing when there is nothing to do."""
        if not records and not forgotten:
            return
        with self._database.change() as db:
            table = db.table(self._table)
            table.remove(where("key").one_of([*records, *forgotten]))
            table.insert_multiple(_document(key, record) for key, record in records.items())

    def delete(self, key: str) -> bool:
        """Whether there was such a record."""
        with self._database.change() as db:
            return bool(db.table(self._table).remove(where("key") == key))

    def _parse(self, document: dict[str, Any]) -> Record | None:
        try:
            return self._model.model_validate(document["value"])
        except (ValidationError, KeyError) as error:
            log.warning("a record of the table %s cannot be read and is left out: %s", self._table, error)
            return None


def _document(key: str, record: BaseModel) -> dict[str, Any]:
    return {"key": key, "value": record.model_dump(mode="json")}
