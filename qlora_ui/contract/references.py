"""How a person names data: a file, folder or archive on this machine, or a dataset on the hub."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, ConfigDict

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.paths import dataset_location, is_starter

HUB = "hub:"
_KEYS = ("config", "split", "revision")


class FileReference(BaseModel):
    """A file, a folder or an archive, or the data that travel with the program."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    """As it was written: `~/data`, `train.jsonl`, `starter`."""
    split: str = ""
    """Of a folder that has several: `train`. Empty takes the only one, or the one for training."""

    @property
    def location(self) -> Path:
        """The absolute path, whether there is something or not."""
        try:
            return dataset_location(self.path)
        except (OSError, RuntimeError):  # links that lead in a circle, a folder closed to us: opening it tells
            return Path(self.path).absolute()

    @property
    def is_starter(self) -> bool:
        return is_starter(self.path)

    def __str__(self) -> str:
        return f"{self.path}?split={self.split}" if self.split else self.path


class HubReference(BaseModel):
    """A dataset on the hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """`owner/name`."""
    config: str = ""
    """Empty takes the only one, or the one that its author made the default."""
    split: str = ""
    """`train`, `train[:1000]`, `train[10%:20%]`, `train+test`; empty takes the only one, or `train`."""
    revision: str = ""
    """A branch, tag or commit; empty takes the newest."""

    def __str__(self) -> str:
        query = "&".join(f"{key}={value}" for key in _KEYS if (value := getattr(self, key)))
        return f"{HUB}{self.name}?{query}" if query else f"{HUB}{self.name}"


Reference = FileReference | HubReference


class HubSplit(BaseModel):
    """A split of a hub dataset."""

    name: str
    rows: int | None = None
    """As the dataset's card says; None where it does not."""
    bytes: int | None = None
    """Of its files on the hub; of the prepared rows where only these are on this machine."""


class HubConfig(BaseModel):
    """A configuration (subset) of a hub dataset. All its splits are fetched together."""

    name: str
    splits: list[HubSplit]


class HubDataset(BaseModel):
    """What can be chosen of a hub dataset."""

    name: str
    """`owner/name`."""
    configs: list[HubConfig]
    default: str = ""
    """The configuration that is taken when none is named; empty when one must be."""
    revision: str = ""
    """The commit that this is true of; empty where it is not known."""
    note: str = ""
    """Such as: what is cached on this machine, because the hub does not answer."""


def parse_reference(text: str) -> Reference:
    """Understand what a person typed or pasted; `str()` gives the plain form back.

    Beside paths and `hub:owner/name?config=…&split=…&revision=…` these name a hub dataset:
    `hf://datasets/owner/name@revision` and the address of its page. Raises ParameterError, in one sentence.
    """
    text = text.strip()
    if not text:
        raise ParameterError("No data are named.", "Name a file, a folder or a dataset on the hub.")
    if "\0" in text:
        raise ParameterError("The name of the data contains a NUL byte.", "Type it anew.")
    scheme, _, rest = text.partition(":")
    if scheme.lower() in {"http", "https"}:
        return _page(text)
    if scheme.lower() == "hf":
        return _filesystem(rest)
    if scheme.lower() == "hub":
        name, _, query = rest.partition("?")
        return _hub(name, _query(query, text))
    return _file(text)


def check_split(split: str) -> None:
    """Raise ParameterError unless `split` reads as `train`, `train[:1000]`, `train[10%:20%]` or several with `+`."""
    for part in split.split("+"):
        if not _SPLIT.fullmatch(part.strip()):
            raise ParameterError(
                f"The split {split!r} cannot be read.",
                "Write train, train[:1000] for the first thousand rows, train[10%:20%], or train+test.",
            )


_ROWS, _SHARES = r"(?:-?\d[\d_]*)?:(?:-?\d[\d_]*)?", r"(?:-?\d{1,3}%)?:(?:-?\d{1,3}%)?"
_SPLIT = re.compile(rf"\w+(?:\.\w+)*(?:\[(?:{_ROWS}|{_SHARES})\])?")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_NO_CONFIG = re.compile(r'[<>:"/\\|?*\x00-\x1f]|\.\.')
_LOCAL_SPLIT = re.compile(r"(?s)(.+)\?split=([^/\\?&=]*)")


def _file(text: str) -> FileReference:
    found = _LOCAL_SPLIT.fullmatch(text)
    if not found:
        return FileReference(path=text)
    path, split = found.groups()
    if not re.fullmatch(r"\w+(?:[.-]\w+)*", split):
        raise ParameterError(f"The split {split!r} of {path} cannot be read.", "Write a plain name: ?split=train.")
    return FileReference(path=path, split=split)


def _hub(name: str, query: dict[str, str]) -> HubReference:
    owner, _, plain = name.partition("/")
    if not plain and _NAME.fullmatch(owner):
        raise ParameterError(f"The hub dataset {name!r} has no owner.", f"Write owner/name: hub:owner/{name}.")
    if not all(_NAME.fullmatch(part) and ".." not in part and "--" not in part for part in (owner, plain)):
        raise ParameterError(f"{name!r} is no name of a hub dataset.", "Write owner/name, as on its page on the hub.")
    if (split := query.get("split", "")) != "":
        check_split(split)
    if _NO_CONFIG.search(config := query.get("config", "")):
        raise ParameterError(f"{config!r} is no name of a configuration.", "Write it as on the dataset's page.")
    revision = query.get("revision", "")
    if revision and (".." in revision or not _REVISION.fullmatch(revision)):
        raise ParameterError(f"{revision!r} is no revision.", "Write a branch, a tag or a commit.")
    return HubReference(name=name, config=config, split=split, revision=revision)


def _query(query: str, text: str) -> dict[str, str]:
    """`config=…&split=…` as it stands: a slice has percent and plus signs that mean themselves."""
    found: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in _KEYS or not equals:
            raise ParameterError(f"{text} asks for {key!r}, which is not known.", f"Known are {', '.join(_KEYS)}.")
        if key in found:
            raise ParameterError(f"{text} names {key} twice.", "Leave one of them out.")
        found[key] = value
    return found


def _filesystem(rest: str) -> HubReference:
    """`//datasets/owner/name@revision`, as the hub's own libraries write it."""
    parts = rest.strip("/").split("/")
    if parts[0] != "datasets" or len(parts) < 3:
        raise ParameterError(f"hf:{rest} names no dataset.", "Write hf://datasets/owner/name, or hub:owner/name.")
    if len(parts) > 3:
        raise _one_file(f"hf:{rest}", "/".join(parts[1:3]).partition("@")[0])
    name, _, revision = f"{parts[1]}/{parts[2]}".partition("@")
    return _hub(name, {} if revision == "main" else {"revision": unquote(revision)})


def _page(address: str) -> HubReference:
    """The address of a dataset's page, as it is copied from a browser."""
    hint = "Download the file and choose it here, or name a dataset on the hub: hub:owner/name."
    try:
        url = urlsplit(address)
    except ValueError:
        raise ParameterError(f"{address} is no whole address.", hint) from None
    parts = [unquote(part) for part in url.path.split("/") if part]
    if (url.hostname or "").removeprefix("www.") not in {"huggingface.co", "hf.co"}:
        raise ParameterError(f"{address} is an address on the web, which is not fetched.", hint)
    if len(parts) < 3 or parts[0] != "datasets":
        raise ParameterError(f"{address} is not the page of a dataset.", hint)
    name, (what, *rest) = "/".join(parts[1:3]), parts[3:] or [""]
    if what in {"resolve", "raw", "blob"}:
        raise _one_file(address, name)
    if what == "viewer":
        return _hub(name, dict(zip(("config", "split"), rest, strict=False)))
    asked = {key: values[0] for key, values in parse_qs(url.query).items() if key in _KEYS}
    revision = "/".join(rest) if what == "tree" else ""
    return _hub(name, asked | ({} if revision in {"", "main"} else {"revision": revision}))


def _one_file(text: str, name: str) -> ParameterError:
    return ParameterError(
        f"{text} names one file of a hub dataset.", f"Name the dataset, hub:{name}, or download the file and choose it."
    )
