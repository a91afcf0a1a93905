"""What a job is given, looked at before it enters the queue: cheap, without torch, and it asks no hub."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import dataset_location, model_location
from qlora_ui.data.encoding.tokenizer import check_folder
from qlora_ui.data.formats.detect import SAMPLE, detect
from qlora_ui.data.readers.files import read_rows


def check_inputs(parameters: JobParameters) -> None:
    """See whether a model folder is one and whether the first rows of the data are understood.

    What is not there is left to the queue, which names every such setting at once. Raises ModelError, DataError.
    """
    folder = Path(model_location(parameters.model_name))
    if folder.is_dir():
        check_folder(folder)
    for field in ("dataset_path", "validation_path"):
        value = getattr(parameters, field, "")
        if value and (file := dataset_location(value)).is_file():
            detect(list(islice(read_rows(file), SAMPLE)), getattr(parameters, "data_format", "auto"))
