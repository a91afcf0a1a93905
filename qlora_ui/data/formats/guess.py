"""Where no form fits: what the kinds of values suggest, and forms that are known but hold nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.formats.detected import Detected
from qlora_ui.data.formats.overrides import formats_with
from qlora_ui.data.formats.sample import Sample
from qlora_ui.data.formats.shapes import KINDS, NAMES, SHAPES, Kind, required_parts
from qlora_ui.data.formats.values import listed
from qlora_ui.data.places import data_error

_ANSWERS = frozenset({"output", "answer", "completion", "text"})
"""Parts that the longest texts are taken for."""

_JUDGED = frozenset({"chosen", "rejected"})
"""Parts that are never guessed: nothing in a text tells which of two is the better one."""


def guessed(sample: Sample, data_format: DataFormat, wanted: Mapping[str, str]) -> Detected:
    """A reading of columns whose names fit no form. Raises DataError where nothing suggests one.

    A format that a person named, or whose parts one assigned, is given as far as columns for it are found.
    """
    if data_format != "auto":
        return _filled(sample, data_format, wanted)
    if wanted:
        return replace(_filled(sample, formats_with(wanted, "auto")[0], wanted), sureness="unsure")
    _refuse(sample)
    if sample.chats:
        column = sample.chats[0]
        seen = f"No known form fits, but the column {column} holds lists of messages."
        return Detected("messages", {"turns": column}, sureness="unsure", seen=seen)
    if len(sample.texts) > 1:
        answer, question = sample.texts[:2]
        seen = (
            f"No known form fits: {question} is taken for the question and {answer}, the longer text, for the answer."
        )
        return Detected("question_answer", {"question": question, "answer": answer}, sureness="unsure", seen=seen)
    if sample.texts:
        seen = f"No known form fits, but the column {sample.texts[0]} holds text."
        return Detected("text", {"text": sample.texts[0]}, sureness="unsure", seen=seen)
    raise unknown(sample, data_format)


def unknown(sample: Sample, data_format: DataFormat) -> DataError:
    """The columns do not fit the format, or none at all."""
    first = sample.rows[0]
    if data_format == "auto":
        wanted = "messages; conversations; prompt and completion; instruction and output; question and answer; text"
        problem = f"the columns {listed(first.values)} fit no known format."
    else:
        wanted = "; ".join(dict.fromkeys(_columns_of(data_format)))
        problem = f"the columns {listed(first.values)} do not fit the format {NAMES[data_format]}."
    hint = f"Looked for: {wanted}. Assign the columns, rename them, or choose another format."
    return data_error(first.place, problem, hint)


def _columns_of(data_format: DataFormat) -> list[str]:
    """The columns that a format is known by, one entry for each of its forms."""
    shapes = [shape for shape in SHAPES if shape.format == data_format]
    return [listed(dict.fromkeys(names[0] for names in shape.required.values())) for shape in shapes]


def _refuse(sample: Sample) -> None:
    """Raise DataError for published forms from which no answer can be learnt."""
    first = sample.rows[0]
    if sample.column(("completions",)) and sample.column(("labels",)):
        problem = "the columns completions and labels judge the steps of an answer one by one, which cannot be trained."
        raise data_error(first.place, problem, "Write the whole answer in a column named completion.")
    prompt = sample.column(("prompt",))
    if prompt and not [column for column in (*sample.texts, *sample.chats) if column != prompt]:
        problem = f"the column {prompt} holds questions only, so there is no answer to learn."
        raise data_error(first.place, problem, "Add the answers in a column named completion.")


def _filled(sample: Sample, data_format: DataFormat, wanted: Mapping[str, str]) -> Detected:
    """The format with columns for its parts: those a person named, then by their names, then by what they hold."""
    found = dict(wanted)
    for shape in SHAPES:
        if shape.format == data_format and not shape.ranked:
            for part, names in (*shape.required.items(), *shape.optional.items()):
                column = sample.column(names)
                if column and part not in found and column not in found.values():
                    found[part] = column
    if data_format == "kto" and sample.chats and not {"prompt", "completion"} <= found.keys():
        found.setdefault("turns", sample.chats[0])
    missing = [part for part in required_parts(data_format, found) if part not in found and part not in _JUDGED]
    taken = set(found.values())
    guesses = _by_kind(sample, missing, taken)
    seen = f"The names of the columns do not fit; taken by what they hold: {listed(guesses.values())}."
    is_open = any(len(_fitting(sample, KINDS.get(part, "text"), taken)) > 1 for part in guesses)
    return Detected(
        data_format, {**found, **guesses}, sureness="unsure" if is_open else "likely", seen=seen if guesses else ""
    )


def _by_kind(sample: Sample, parts: list[str], taken: set[str]) -> dict[str, str]:
    """Columns for parts, by what they hold; the longest text for the answer."""
    texts = [part for part in parts if KINDS.get(part, "text") in ("text", "side")]
    answer_first = sorted(texts, key=lambda part: part not in _ANSWERS)
    found = dict(zip(answer_first, _fitting(sample, "text", taken), strict=False))
    for part in parts:
        if part not in texts and (fitting := _fitting(sample, KINDS[part], taken)):
            found[part] = fitting[0]
    return found


def _fitting(sample: Sample, kind: Kind, taken: set[str]) -> list[str]:
    """The free columns that may hold what is wanted, the likeliest first."""
    if kind in ("text", "side"):
        return [column for column in sample.texts if column not in taken]
    return [column for column in sample.columns if column not in taken and sample.is_mostly(column, kind)]
