"""`qlora-ui jobs …`. Each command says what it does in one sentence; the work itself is elsewhere and imported late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qlora_ui import console
from qlora_ui.cli.options import (
    AsJson,
    Changes,
    Home,
    NoWait,
    RunId,
    RunIds,
    complete,
    show_commands,
    workspace_of,
)
from qlora_ui.contract.records import JobKind, JobStatus

jobs = typer.Typer(
    help="The runs and their queue: list, show, stop, resume, extend, move and more.",
    callback=show_commands,
    invoke_without_command=True,
)

# ---- looking ----


def _status(word: str) -> JobStatus:
    """A status by its name, or by the word that the app has for it."""
    names = {"waiting": JobStatus.PENDING, "finished": JobStatus.COMPLETED}
    try:
        return names.get(word) or JobStatus(word)
    except ValueError:
        raise typer.BadParameter(f"{word!r} is none of {', '.join([*JobStatus, *names])}.") from None


@jobs.command("list")
def list_runs(
    context: typer.Context,
    kind: Annotated[list[JobKind] | None, typer.Option(help="Only of this kind; as often as needed.")] = None,
    status: Annotated[
        list[JobStatus] | None,
        typer.Option(
            parser=_status,
            metavar=f"[{'|'.join([*JobStatus, 'waiting', 'finished'])}]",
            help="Only in this state; as often as needed.",
        ),
    ] = None,
    text: Annotated[str, typer.Option(help="Only with these words in the name, the id or the model.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest.", show_default=False)] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """List all runs, the newest last."""
    from qlora_ui.cli import show_jobs

    workspace = workspace_of(context, home)
    kinds, statuses = kind or [], status or []
    return complete(show_jobs.list_all(workspace, kinds, statuses, text, limit, as_json=as_json))


@jobs.command("show")
def show(context: typer.Context, run_id: RunId, as_json: AsJson = False, home: Home = None) -> int:
    """Show where one run stands, its figures and its parameters."""
    from qlora_ui.cli import show_jobs

    return complete(show_jobs.show(workspace_of(context, home), run_id, as_json=as_json))


@jobs.command("logs")
def logs(
    context: typer.Context,
    run_id: RunId,
    search: Annotated[str, typer.Option(help="Only entries with this text, in capitals or not.")] = "",
    level: Annotated[
        Literal["info", "warning", "error"], typer.Option(help="Only entries of this level, or a graver one.")
    ] = "info",
    tail: Annotated[
        int | None, typer.Option(min=1, help="Only so many of the last entries.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Print the log of one run; without a choice among the entries, also what its process printed."""
    from qlora_ui.cli import show_logs

    choice = show_logs.Choice(search=search, level=level, tail=tail, follow=follow)
    return complete(show_logs.logs(workspace_of(context, home), run_id, choice, as_json=as_json))


# ---- asking something of runs ----


@jobs.command("stop")
def stop(context: typer.Context, run_ids: RunIds, as_json: AsJson = False, home: Home = None) -> int:
    """Ask runs to save a checkpoint and end; take waiting ones out of the queue."""
    return _ask(context, home, run_ids, "stop", as_json)


@jobs.command("pause")
def pause(context: typer.Context, run_ids: RunIds, as_json: AsJson = False, home: Home = None) -> int:
    """Ask runs to save a checkpoint, give their device back and keep their place in the queue."""
    return _ask(context, home, run_ids, "pause", as_json)


@jobs.command("resume")
def resume(
    context: typer.Context, run_ids: RunIds, no_wait: NoWait = False, as_json: AsJson = False, home: Home = None
) -> int:
    """Go on with runs from their newest whole checkpoint, and follow them to their end."""
    return _queue_again(context, home, run_ids, "resume", no_wait, as_json)


@jobs.command("retry")
def retry(
    context: typer.Context, run_ids: RunIds, no_wait: NoWait = False, as_json: AsJson = False, home: Home = None
) -> int:
    """The same for runs that failed, were stopped or interrupted, and for no others."""
    return _queue_again(context, home, run_ids, "retry", no_wait, as_json)


@jobs.command("delete")
def delete(
    context: typer.Context,
    run_ids: RunIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Delete runs with their checkpoints, adapters and logs."""
    from qlora_ui.cli import show_jobs

    workspace = workspace_of(context, home)
    if not yes:
        named = ", ".join(show_jobs.full_id(workspace, run_id) for run_id in run_ids)
        console.confirm(f"Delete {named} for good?", option="--yes", quiet=as_json)
    return _ask(context, home, run_ids, "delete", as_json)


# ---- new runs from old ones ----


@jobs.command("duplicate")
def duplicate(
    context: typer.Context,
    run_id: RunId,
    changes: Changes = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Run the same once more from the beginning, and follow it to its end."""
    from qlora_ui.cli import new_runs

    return complete(
        new_runs.duplicate(workspace_of(context, home), run_id, changes or [], wait=not no_wait, as_json=as_json)
    )


@jobs.command("extend")
def extend(
    context: typer.Context,
    run_id: RunId,
    epochs: Annotated[float, typer.Option(help="How many epochs more.", show_default=False)],
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Go on with an ended training for more epochs, as a new run from its last checkpoint."""
    from qlora_ui.cli import new_runs

    return complete(new_runs.extend(workspace_of(context, home), run_id, epochs, wait=not no_wait, as_json=as_json))


@jobs.command("branch")
def branch(
    context: typer.Context,
    run_id: RunId,
    step: Annotated[int, typer.Option(help="The step of the checkpoint.", show_default=False)],
    changes: Changes = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Go on from one checkpoint of a training in another way, as a new run."""
    from qlora_ui.cli import new_runs

    return complete(
        new_runs.branch(workspace_of(context, home), run_id, step, changes or [], wait=not no_wait, as_json=as_json)
    )


@jobs.command("follow-up")
def follow_up(
    context: typer.Context,
    run_id: RunId,
    kind: Annotated[Literal["evaluation", "merge"], typer.Argument(help="What comes after it.", show_default=False)],
    data: Annotated[str, typer.Option(help="The rows to score; else those that the training never sees.")] = "",
    output: Annotated[str, typer.Option(help="Where a merge puts the model.")] = "",
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Score or merge the adapter of a training as soon as the training is completed."""
    from qlora_ui.cli import new_runs

    workspace = workspace_of(context, home)
    return complete(
        new_runs.follow_up(workspace, run_id, JobKind(kind), data, output, wait=not no_wait, as_json=as_json)
    )


# ---- the queue ----


@jobs.command("move")
def move(
    context: typer.Context,
    run_id: RunId,
    place: Annotated[int, typer.Argument(min=1, help="1 is next.", show_default=False)],
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Put a waiting run at another place in the queue."""
    from qlora_ui.cli import ask_jobs

    return complete(ask_jobs.move(workspace_of(context, home), run_id, place, as_json=as_json))


@jobs.command("hold")
def hold(context: typer.Context, as_json: AsJson = False, home: Home = None) -> int:
    """Start nothing new, neither here nor in the app, until the queue is continued; what is at work goes on."""
    from qlora_ui.cli import ask_jobs

    return complete(ask_jobs.hold(workspace_of(context, home), held=True, as_json=as_json))


@jobs.command("continue")
def continue_(context: typer.Context, as_json: AsJson = False, home: Home = None) -> int:
    """Let what waits in the queue start again."""
    from qlora_ui.cli import ask_jobs

    return complete(ask_jobs.hold(workspace_of(context, home), held=False, as_json=as_json))


@jobs.command("work")
def work(context: typer.Context, as_json: AsJson = False, home: Home = None) -> int:
    """Start what waits, one run after the other, until the queue is empty. Ctrl+C leaves what is at work to itself."""
    from qlora_ui.cli import work_queue

    return complete(work_queue.work(workspace_of(context, home), as_json=as_json))


def _ask(context: typer.Context, home: Path | None, run_ids: list[str], action: str, as_json: bool) -> int:
    from qlora_ui.cli import ask_jobs

    return complete(ask_jobs.ask(workspace_of(context, home), run_ids, action, as_json=as_json))


def _queue_again(
    context: typer.Context, home: Path | None, run_ids: list[str], action: str, no_wait: bool, as_json: bool
) -> int:
    from qlora_ui.cli import ask_jobs

    workspace = workspace_of(context, home)
    return complete(ask_jobs.queue_again(workspace, run_ids, action, wait=not no_wait, as_json=as_json))
