"""What a job is given, looked at before it enters the queue, without torch."""

from __future__ import annotations

import os
from pathlib import Path

from qlora_ui import console
from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import SurveyProgress
from qlora_ui.contract.parameters import EvaluationParameters, JobParameters, TrainingParameters
from qlora_ui.contract.paths import Workspace, model_location
from qlora_ui.contract.recipe import Recipe, Source
from qlora_ui.contract.references import HUB, FileReference, parse_reference
from qlora_ui.data.encoding.tokenizer import check_folder


def check_inputs(parameters: JobParameters) -> None:
    """See whether a model folder is one and whether the first rows of the data are understood. It asks no hub.

    Data on the hub are left to the job, and what is not there to the queue, which names every such setting at once.
    Raises ModelError, DataError, ParameterError.
    """
    folder = Path(model_location(parameters.model_name))
    if folder.is_dir():
        check_folder(folder)
    if isinstance(parameters, TrainingParameters | EvaluationParameters):
        _check_data(parameters.recipe, getattr(parameters, "validation_path", ""))


async def go_through_data(workspace: Workspace, parameters: TrainingParameters, *, quiet: bool) -> None:
    """Go through all rows of a training that starts later, as the form does: what is found then is found too late.

    The tokens are kept for the training. What is on the hub is fetched. Raises DataError, ModelError for what the
    training would not get past, ParameterError for files that are not there.
    """
    from qlora_ui.inspector import Inspector
    from qlora_ui.jobs.intake import with_full_paths
    from qlora_ui.store.credentials import Credentials

    settled = with_full_paths(parameters)
    assert isinstance(settled, TrainingParameters)
    is_offline = settled.offline or os.environ.get("QLORA_UI_OFFLINE") == "1"
    query = settled.query.model_copy(update={"offline": is_offline})
    inspector = Inspector(cache=workspace.prepared, credentials=Credentials(workspace).environment)
    with console.progress_line(quiet) as line:

        def tell(progress: SurveyProgress) -> None:
            share = progress.bytes / progress.bytes_total if progress.bytes_total else 0.0
            line.show(share, f"It goes through the data · {progress.rows:,} rows")

        if any(source.path.startswith(HUB) for source in query.recipe.sources):
            await inspector.fetch(query, lambda note: line.show(0.0, note))
        survey = await inspector.survey(query, tell)
    if (found := next((one for one in survey.findings if one.level == "error"), None)) is not None:
        where = f"The first of {found.count:,} such rows: {found.place}." if found.place else ""
        raise DataError(found.message, f"{found.hint} {where}".strip(), found.place)


def _check_data(recipe: Recipe, validation_path: str) -> None:
    from qlora_ui.data.formats.detect import detect
    from qlora_ui.data.look import head

    asked = [(source.path, recipe.reading(index)) for index, source in enumerate(recipe.sources)]
    if validation_path:
        asked.append((validation_path, recipe.reading(0)))
    for path, reading in asked:
        reference = parse_reference(path)
        if isinstance(reference, FileReference) and reference.location.exists():
            detect(head([Source(path=path)]), reading.data_format, reading.mapping, reading.roles)
