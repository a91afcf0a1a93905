"""The tokenizer of a model, loaded without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import ModelError
from qlora_ui.contract.paths import model_location
from qlora_ui.data.templates.named import apply_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HUB_SECONDS = 4.0
"""How long the hub has to answer the first question. Once it has, its client is as patient as it likes."""
_SLOW_FILES = ("tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tekken.json")


def load_tokenizer(model_name: str, offline: bool = False, chat_template: str = "") -> PreTrainedTokenizerBase:
    """The tokenizer of a local folder, of `starter` or of a model on the hub.

    `chat_template` is a name of `templates.named`, Jinja text, or empty for the model's own.

    A `tokenizer.json` is taken as it stands, which imports transformers but never torch; a model that comes without one
    goes through AutoTokenizer, which does import torch. No code that comes with a model is run. A tokenizer without a
    padding token pads with its end of sequence, which is harmless because labels never come from the padding; one
    without a chat template gets the plain one of `templates`, so that it is saved along with an adapter.

    Raises ModelError when the folder is not a model's, or the hub does not have it, refuses it or cannot be reached,
    and when there is no such template or it has a mistake.
    """
    location = model_location(model_name)
    folder = Path(location)
    if not folder.is_dir():
        _check_name(model_name)
    local_only = folder.is_dir() or offline or not hub_answers(model_name)
    has_json = check_folder(folder) if folder.is_dir() else _hub_has_json(model_name, offline, local_only)
    try:
        tokenizer = _load(location, has_json, local_only)
    except Exception as error:  # the libraries raise everything from KeyError to their own for a damaged file
        hint = "Copy or download the model's tokenizer files again."
        raise ModelError(f"The tokenizer of {model_name} cannot be loaded: {_reason(error)}.", hint) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return apply_template(tokenizer, chat_template)


def _load(location: str, has_json: bool, local_only: bool) -> PreTrainedTokenizerBase:
    if has_json:
        from transformers import PreTrainedTokenizerFast

        fast: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(location, local_files_only=local_only)
        return fast
    from transformers import AutoTokenizer

    slow: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        location, local_files_only=local_only, trust_remote_code=False
    )
    return slow


def check_folder(folder: Path) -> bool:
    """Whether a model folder has a tokenizer.json, or else another tokenizer. Raises ModelError for neither."""
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"The folder {folder} holds no config.json, so it is not a model.",
            "Choose the folder that holds config.json, the tokenizer's files and the weights.",
        )
    if (folder / "tokenizer.json").is_file():
        return True
    if not any((folder / name).is_file() for name in _SLOW_FILES):
        raise ModelError(
            f"The model folder {folder} holds no tokenizer.",
            "Copy tokenizer.json and tokenizer_config.json of the model into it.",
        )
    return False


def _check_name(model_name: str) -> None:
    """A hub name has one slash at most; anything else was meant to be a folder."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(model_name)
    except HFValidationError:
        raise ModelError(f"There is no folder {model_name}.", "Check the path for a typing mistake.") from None


def _hub_has_json(model_name: str, offline: bool, local_only: bool) -> bool:
    """Whether the model on the hub, or what was once fetched of it, has a tokenizer.json. Fetches it."""
    from huggingface_hub import errors, hf_hub_download

    try:
        hf_hub_download(model_name, "tokenizer.json", local_files_only=local_only)
        return True
    except errors.GatedRepoError:
        hint = "Accept its terms on its page on the hub, and enter a hub token in the settings (or `hf auth login`)."
        raise ModelError(f"The model {model_name} is open only to people who accepted its terms.", hint) from None
    except errors.RepositoryNotFoundError:
        hint = "Check the name; a private model needs a hub token in the settings (or `hf auth login`)."
        raise ModelError(f"The hub has no model named {model_name}.", hint) from None
    except errors.RemoteEntryNotFoundError:
        return False
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        if _was_fetched(model_name):
            return False
        raise _not_here(model_name, offline) from None
    except Exception as error:  # the hub's client lets through whatever its transport raises
        hint = "Try again later, or name a model folder on this machine."
        raise ModelError(f"The model {model_name} cannot be fetched from the hub: {_reason(error)}.", hint) from error


def hub_answers(model_name: str) -> bool:
    """Ask once, for four seconds at most: the client itself would try for 20 seconds, and print each try."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url

    try:
        get_hf_file_metadata(hf_hub_url(model_name, "config.json"), timeout=HUB_SECONDS)
    except errors.HfHubHTTPError as error:
        return bool(error.response.status_code < 500)
    except Exception:  # whatever its transport raises: there was no answer
        return False
    return True


def _was_fetched(model_name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(model_name, "config.json"), str)


def _not_here(model_name: str, offline: bool) -> ModelError:
    if offline:
        message = f"There is no model {model_name} on this machine, and the hub is not asked while offline."
        return ModelError(message, "Name a model folder, choose `starter`, or switch offline off.")
    message = f"There is no model {model_name} on this machine, and the hub does not answer."
    return ModelError(message, "Check the network, or name a model folder or `starter`.")


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
