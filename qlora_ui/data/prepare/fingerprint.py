"""What makes two preparations the same: the data's bytes, the settings that matter, the tokenizer and the code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.recipe import DataQuery
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.sources.open import OpenSource

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Remember = Callable[[str, Callable[[], str]], str]
"""A file's stamp, and how to work out its fingerprint → the fingerprint, worked out only once where that can be."""

_LIBRARIES = ("transformers", "tokenizers", "jinja2", "numpy", "pyarrow")


def data_fingerprint(opened: Sequence[OpenSource], remember: Remember) -> str:
    """Of the rows alone: for a single file the SHA-256 of its bytes; empty for no source. Raises DataError."""
    prints = [_file(file, remember) for source in opened for file in source.files]
    if len(prints) < 2:
        return "".join(prints)
    return hashlib.sha256("\n".join(prints).encode()).hexdigest()


def whole_fingerprint(
    query: DataQuery,
    opened: Sequence[OpenSource],
    evaluation: Sequence[OpenSource],
    tokenizer: PreTrainedTokenizerBase | None,
    checks: bool,
    remember: Remember,
) -> str:
    """The name of what comes of it in the cache. Paths do not matter, but the names by which places are told do."""
    recipe, held_out = query.recipe, query.held_out
    steps = sorted({step.do for step in recipe.steps})
    parts = {
        "rows": [_source(source, remember) for source in opened],
        "evaluation": [_source(source, remember) for source in evaluation],
        "recipe": recipe.model_dump(mode="json", exclude={"sources", "steps", "chat_template"}),
        "steps": [*steps, *sorted(recipe.rows_dropped)],
        "held_out": held_out.model_dump(mode="json", exclude={"path"}),
        "tokenizer": tokenizer_fingerprint(tokenizer) if tokenizer is not None else "",
        "checks": checks,
        "code": code_fingerprint(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def tokenizer_fingerprint(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 of everything that decides what text becomes: vocabulary, rules, special tokens, template."""
    digest = hashlib.sha256(f"{type(tokenizer).__name__} {tokenizer.chat_template}".encode())
    digest.update(json.dumps(tokenizer.special_tokens_map, sort_keys=True, default=str).encode())
    if tokenizer.is_fast:
        digest.update(tokenizer.backend_tokenizer.to_str().encode())
    else:
        digest.update(json.dumps(sorted(tokenizer.get_vocab().items())).encode())
        digest.update(json.dumps(tokenizer.init_kwargs, sort_keys=True, default=str).encode())
        for file in sorted(str(name) for name in (getattr(tokenizer, "vocab_file", None),) if name):
            digest.update(Path(file).read_bytes() if Path(file).is_file() else file.encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """SHA-256 of the code that turns files into tokens and of the versions of what it uses: an update that changes what
    comes out must not meet what came out before it."""
    digest = hashlib.sha256()
    for name in _LIBRARIES:
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{name} absent\n".encode())
    folder = Path(__file__).parent.parent
    for file in sorted(file for file in folder.rglob("*") if file.suffix in {".py", ".jinja"}):
        digest.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _source(source: OpenSource, remember: Remember) -> list[Any]:
    settings = source.source.model_dump(mode="json", exclude={"path"})  # its weight, and how its rows are read
    return [settings, [[file.name, _file(file, remember)] for file in source.files]]


def _file(file: DataFile, remember: Remember) -> str:
    return remember(file.stamp, file.fingerprint)
