"""What the card of a hub dataset may ask for, looked at before its files are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.references import HubReference
from qlora_ui.data.places import data_error
from qlora_ui.data.sources.hub_errors import could_not_fetch

if TYPE_CHECKING:
    from huggingface_hub.hf_api import DatasetInfo

_CARDS = ("README.md", ".huggingface.yaml")


def refuse_other_places(reference: HubReference, info: DatasetInfo) -> None:
    """Raise DataError when the card names files on other hosts, in this machine's network or on this machine."""
    for path in _named_in_card(reference, info):
        if "://" in path or path.startswith(("/", "~", "\\")) or ".." in path.split("/"):
            problem = f"its card names a file outside of the dataset ({path}), which is not fetched."
            raise data_error(str(reference), problem, "Choose another dataset.")


def _named_in_card(reference: HubReference, info: DatasetInfo) -> Iterator[str]:
    import yaml
    from huggingface_hub import hf_hub_download

    there = {file.rfilename for file in info.siblings or ()}
    for name in (name for name in _CARDS if name in there):
        try:
            path = hf_hub_download(reference.name, name, repo_type="dataset", revision=info.sha)
            text = Path(path).read_text(encoding="utf-8")
            if name == "README.md":
                text = text.partition("---\n")[2].partition("\n---")[0]
            content = yaml.safe_load(text)
        except Exception as error:  # whatever the transport raises, and YAML that is none
            raise could_not_fetch(reference, error) from None
        yield from _texts(content.get("configs") if isinstance(content, dict) else None)


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """All texts under `data_files` and `data_dir`, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, key if key in {"data_files", "data_dir"} else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str) and key in {"data_files", "data_dir"}:
        yield value
