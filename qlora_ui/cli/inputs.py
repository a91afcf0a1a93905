"""What a job is given, looked at before it enters the queue: cheap, without torch, and it asks no hub."""

from __future__ import annotations

from pathlib import Path

from qlora_ui.contract.parameters import EvaluationParameters, JobParameters, TrainingParameters
from qlora_ui.contract.paths import model_location
from qlora_ui.contract.recipe import Recipe, Source
from qlora_ui.contract.references import FileReference, parse_reference
from qlora_ui.data.encoding.tokenizer import check_folder


def check_inputs(parameters: JobParameters) -> None:
    """See whether a model folder is one and whether the first rows of the data are understood.

    Data on the hub are left to the job, and what is not there to the queue, which names every such setting at once.
    Raises ModelError, DataError, ParameterError.
    """
    folder = Path(model_location(parameters.model_name))
    if folder.is_dir():
        check_folder(folder)
    if isinstance(parameters, TrainingParameters | EvaluationParameters):
        _check_data(parameters.recipe, getattr(parameters, "validation_path", ""))


def _check_data(recipe: Recipe, validation_path: str) -> None:
    from qlora_ui.data.formats.detect import understand
    from qlora_ui.data.look import head

    asked = [(source.path, recipe.reading(index)) for index, source in enumerate(recipe.sources)]
    if validation_path:
        asked.append((validation_path, recipe.reading(0)))
    for path, reading in asked:
        reference = parse_reference(path)
        if isinstance(reference, FileReference) and reference.location.exists():
            understand(head([Source(path=path)]), reading.data_format, reading.mapping, reading.roles)
