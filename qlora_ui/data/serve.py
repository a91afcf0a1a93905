"""The inspector's own process: requests come in on standard input, a line each, and answers go out the same way.

    python -m qlora_ui.data.serve

It keeps the libraries and the tokenizers that it has loaded, so that any but the first look takes a moment only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, get_args

from qlora_ui.contract.errors import DataError, ModelError, QloraUiError
from qlora_ui.contract.inspection import Survey, SurveyProgress
from qlora_ui.contract.inspector import Answer, Complaint, Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlora_ui.contract.recipe import DataQuery

PROGRESS_EVERY_S = 0.25
LEAST_MEMORY = 4 << 30
NICENESS = 10


def main() -> None:
    """Answer requests until standard input ends."""
    answers = _take_output()
    _bound_memory()
    for line in sys.stdin.buffer:  # in UTF-8, whatever the locale says
        request = Request.model_validate_json(line)
        try:
            answer = _answer(request, answers)
        except QloraUiError as error:
            answer = Answer(error=_complaint(error))
        except RecursionError:
            answer = Answer(error=_complaint(DataError("The data are nested too deeply to be shown.")))
        except MemoryError:
            hint = "A chat template or a single row asks for too much; the rows are read one by one."
            answer = Answer(error=_complaint(DataError("Looking at the data took more memory than it may.", hint)))
        _say(answers, answer)


def _take_output() -> TextIO:
    """The real standard output, for answers only: what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    return answers


def _bound_memory() -> None:
    """A hostile template or file ends this process, and not the machine: half of its memory, and 4 GB in any case."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # as on Windows
        import resource

        most = max(LEAST_MEMORY, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _say(answers: TextIO, answer: Answer) -> None:
    answers.write(answer.model_dump_json(exclude_none=True) + "\n")
    answers.flush()


def _answer(request: Request, answers: TextIO) -> Answer:
    match request.ask:
        case "hub":
            from qlora_ui.data.sources.hub import hub_info

            return Answer(hub=hub_info(request.name, request.offline))
        case "fetch":
            assert request.query is not None
            _fetch(request.query, answers)
            return Answer(is_fetched=True)
        case "survey":
            assert request.query is not None
            return Answer(survey=_survey(request.query, request.cache, answers))
        case "look":
            from qlora_ui.data.look import look

            assert request.query is not None
            tokenizer = _tokenizer_of(request.query)
            seen = look(request.query, tokenizer, start=request.start, limit=request.limit, rows=request.rows)
            return Answer(look=seen)


def _fetch(query: DataQuery, answers: TextIO) -> None:
    from qlora_ui.data.sources.open import open_sources

    open_sources(query.recipe.sources, query.offline, lambda note: _say(answers, Answer(note=note)))


def _survey(query: DataQuery, cache: str, answers: TextIO) -> Survey:
    """Everything, on all cores, but behind what people wait for: the web process, other pages and a training."""
    from qlora_ui.data.prepare import prepare

    told = 0.0

    def tell(progress: SurveyProgress) -> None:
        nonlocal told
        if time.monotonic() - told >= PROGRESS_EVERY_S:
            told = time.monotonic()
            _say(answers, Answer(progress=progress))

    if hasattr(os, "nice"):
        os.nice(NICENESS)  # its processes take it over; this one ends with the survey
    folder = Path(cache) if cache else None
    return prepare(query, _tokenizer_of(query), cache=folder, on_progress=tell, strict=False).survey


def _tokenizer_of(query: DataQuery) -> PreTrainedTokenizerBase | None:
    """The tokenizer with the recipe's template. A template with a mistake is a DataError: the model is not to blame."""
    if not query.model:
        return None
    from qlora_ui.data.templates.named import apply_template

    tokenizer = _tokenizer(query.model, query.offline)
    try:
        return apply_template(tokenizer, query.recipe.chat_template)
    except ModelError as error:
        raise DataError(error.message, error.hint, "chat template") from None


@lru_cache(maxsize=4)
def _tokenizer(model: str, offline: bool) -> PreTrainedTokenizerBase:
    from qlora_ui.data.encoding.tokenizer import load_tokenizer

    return load_tokenizer(model, offline)


def _complaint(error: QloraUiError) -> Complaint:
    name = next((k.__name__ for k in type(error).__mro__ if k.__name__ in _KINDS), "DataError")
    place = str(getattr(error, "place", "") or "")
    return Complaint.model_validate({"kind": name, "message": error.message, "hint": error.hint, "place": place})


_KINDS = get_args(Complaint.model_fields["kind"].annotation)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that what was begun is taken away
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
