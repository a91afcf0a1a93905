"""The trackers of a training, which are told how it ends whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobStatus
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import StopRequested
from qlora_ui.worker.trackers import Trackers, open_trackers


@contextmanager
def tracked(context: Context, parameters: TrainingParameters) -> Iterator[Trackers]:
    """The trackers that were chosen. They are closed here when the training does not come to its end."""
    trackers = open_trackers(context, parameters, context.record.name)
    try:
        yield trackers
    except StopRequested as request:
        trackers.close(JobStatus.PAUSED if request.paused else JobStatus.STOPPED)
        raise
    except BaseException:
        trackers.close(JobStatus.FAILED)
        raise
