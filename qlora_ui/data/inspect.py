"""What a person should know of a data file before training: the rows as they will be trained, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Inspection, RowView, TokenView, TurnView
from qlora_ui.contract.paths import dataset_location
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.encoding.tokens import Encoded, TrainOn, encode_whole
from qlora_ui.data.formats.detect import SAMPLE, Detected, detect, to_conversation
from qlora_ui.data.readers.files import Row, read_rows
from qlora_ui.data.survey import Survey
from qlora_ui.data.templates.render import special_tokens, template_source

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def inspect_file(
    path: str | Path,
    *,
    model: str | None = None,
    offline: bool = False,
    limit: int = 5,
    start: int = 1,
    max_length: int = 1024,
    data_format: DataFormat = "auto",
    train_on: TrainOn = "completions",
) -> Inspection:
    """Go through the whole file as a training would, and show `limit` rows from row `start` on.

    With a `model`, every row is tokenised by its tokenizer and the shown rows carry their tokens and which of them are
    trained. Rows that cannot be used become findings of level `error`. Raises DataError when the file as a whole
    cannot be read, and ModelError when the tokenizer cannot be loaded.
    """
    file = dataset_location(str(path))
    rows = read_rows(file)
    first = list(islice(rows, SAMPLE))
    detected = detect(first, data_format)
    tokenizer = load_tokenizer(model, offline) if model else None
    survey = Survey(detected, tokenizer, max_length)
    shown = range(start, start + limit)
    views = []
    for row in chain(first, rows):
        conversation, encoded = _pass(row, survey, train_on)
        if row.number in shown:
            views.append(_view(row, conversation, encoded, survey))
    return Inspection(
        file=file.name,
        bytes=file.stat().st_size,
        rows=survey.rows,
        format=detected.format,
        seen=detected.seen,
        columns=list(survey.columns),
        findings=survey.findings(),
        views=views,
        template=_template(tokenizer, detected),
        tokens=survey.tokens if tokenizer else None,
        tokens_trained=survey.tokens_trained if tokenizer else None,
        rows_truncated=survey.truncated.count if tokenizer else None,
        rows_untrainable=survey.untrainable.count if tokenizer else None,
        duplicates=survey.duplicates.count,
    )


def _pass(row: Row, survey: Survey, train_on: TrainOn) -> tuple[Conversation | None, Encoded | None]:
    """Take one row as far as it can be taken, and tell the survey."""
    survey.rows += 1
    survey.columns |= dict.fromkeys(row.values)
    conversation: Conversation | None = None
    try:
        conversation = to_conversation(row, survey.detected)
        survey.note(conversation)
        if survey.tokenizer is None:
            return conversation, None
        encoded = encode_whole(conversation, survey.tokenizer, train_on=train_on)
    except DataError as error:
        survey.mistake(row.number, error)
        return conversation, None
    survey.measure(row.number, encoded)
    return conversation, encoded


def _view(row: Row, conversation: Conversation | None, encoded: Encoded | None, survey: Survey) -> RowView:
    turns = conversation.turns if conversation else ()
    return RowView(
        number=row.number,
        original=_plain(row.values),
        turns=[TurnView(role=turn.role, content=turn.content, trained=turn.trained) for turn in turns],
        tokens=_tokens(encoded, survey) if encoded else None,
        truncated=encoded is not None and len(encoded.ids) > survey.max_length,
    )


def _tokens(encoded: Encoded, survey: Survey) -> list[TokenView]:
    assert survey.tokenizer is not None
    special = set(survey.tokenizer.convert_tokens_to_ids(list(special_tokens(survey.tokenizer))))
    kept = islice(zip(encoded.ids, encoded.pieces, encoded.trained, strict=True), survey.max_length)
    return [TokenView(id=id_, text=text, trained=trained, special=id_ in special) for id_, text, trained in kept]


def _template(tokenizer: PreTrainedTokenizerBase | None, detected: Detected) -> str:
    if tokenizer is None:
        return ""
    if detected.format == "text":
        return "Plain text: no chat template is used."
    return template_source(tokenizer)


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: dates, bytes and the like as their text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
