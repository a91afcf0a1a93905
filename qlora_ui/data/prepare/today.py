"""Bridges to rooms that are being built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Understanding
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.tokens import Encoded, encode_whole
from qlora_ui.data.formats.detect import SAMPLE, Detected, to_conversation

__all__ = ["SAMPLE", "Detected", "Encoded", "to_conversation"]

try:
    from qlora_ui.data.formats.detect import understand
except ImportError:
    from qlora_ui.data.formats.detect import detect

    def understand(rows, data_format, mapping, roles):
        return detect(rows, data_format)

try:
    from qlora_ui.data.formats.requirements import require_trainable
except ImportError:

    def require_trainable(conversation):
        pass

try:
    from qlora_ui.data.steps import apply
except ImportError:

    @dataclass
    class Applied:
        conversations: tuple
        left_out: str = ""

    def apply(conversation, recipe, length):
        return Applied((conversation,))

try:
    from qlora_ui.data.checks import look_at
except ImportError:

    def look_at(conversation):
        return frozenset()


def view(detected) -> Understanding:
    if hasattr(detected, "view"):
        return detected.view()
    return Understanding(format=detected.format, sureness="certain", seen=detected.seen)


def encode_batch(conversations, tokenizer, *, train_on):
    out = []
    for conversation in conversations:
        try:
            out.append(encode_whole(conversation, tokenizer, train_on=train_on))
        except DataError as error:
            out.append(error)
    return out


try:
    from qlora_ui.data.sources.open import OpenSource, open_sources
except ImportError:
    from qlora_ui.contract.inspection import SourceView
    from qlora_ui.contract.paths import dataset_location
    from qlora_ui.data.readers.files import read_rows
    from qlora_ui.data.readers.rows import Row

    @dataclass
    class OpenSource:
        source: Any
        files: list
        view: SourceView

    @dataclass
    class _Block:
        first: int
        count: int
        bytes: int
        kept: list

        def rows(self):
            return iter(self.kept)

    class _File:
        def __init__(self, path):
            self.path, self.name = path, path.name
            self.bytes = path.stat().st_size if path.exists() else None
            self.stamp = f"{path} {path.stat().st_mtime_ns if path.exists() else 0} {self.bytes}"

        def blocks(self, first=1, start=1):
            kept, number = [], first
            for row in read_rows(self.path):
                if row.number < start:
                    continue
                kept.append(Row(number, row.values, row.line, row.file, row.number))
                number += 1
                if len(kept) == 1000:
                    yield _Block(kept[0].number, len(kept), 1000, kept)
                    kept = []
            if kept:
                yield _Block(kept[0].number, len(kept), 1000, kept)

        def fingerprint(self):
            import hashlib

            with self.path.open("rb") as source:
                return hashlib.file_digest(source, "sha256").hexdigest()

    def open_sources(sources, offline=False, on_note=None):
        opened = []
        for source in sources:
            path = dataset_location(source.path)
            file = _File(path)
            opened.append(OpenSource(source, [file], SourceView(path=source.path, name=path.name, bytes=file.bytes)))
        return opened


def source_of(tokenizer, detected) -> str:
    from qlora_ui.data.templates.render import template_source

    return "" if tokenizer is None or detected.format == "text" else template_source(tokenizer)


try:
    from qlora_ui.data.checks.findings import finding
except ImportError:
    from qlora_ui.contract.inspection import Finding

    def finding(kind, rows, count, **facts):
        message = facts.get("problem") or f"These rows: {kind.replace('_', ' ')}."
        level = "error" if kind == "bad_rows" else "warning"
        message = message[:1].upper() + message[1:]
        return Finding(kind=kind, level=level, message=message, hint=facts.get("hint", ""), rows=rows, count=count)
