"""The command line. Each command says what it does in one sentence; the work itself is elsewhere and imported late."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from qlora_ui import __version__, console
from qlora_ui.cli.jobs_commands import jobs
from qlora_ui.cli.options import AsJson, Changes, Home, NoWait, complete, show_commands, workspace_of
from qlora_ui.contract.errors import ParameterError, QloraUiError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind

app = typer.Typer(
    help="Fine-tune an open language model on your own GPU, from your data to a verified model.",
    epilog="Without a command, the app opens in a browser tab.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Look at training data.", callback=show_commands, invoke_without_command=True)
app.add_typer(data, name="data")
app.add_typer(jobs, name="jobs")

Spec = Annotated[Path, typer.Argument(help="A YAML file with the settings.", show_default=False)]
After = Annotated[
    str | None, typer.Option(help="Start it only once this run is completed: its id.", show_default=False)
]


def run(arguments: list[str]) -> int:
    """Run one command; gives its exit code: 0 done, 1 the job failed, 2 bad arguments or parameters."""
    console.bear_any_text()
    try:
        result = app(arguments, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except QloraUiError as error:
        console.tell_error(error, as_json="--json" in arguments)
        return console.exit_code_of(error)
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError, typer.Abort):
        return 130
    except BrokenPipeError:  # the reader of our output has gone (`| head`)
        console.drop_output()
        return 0
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            misuse = ParameterError(error.format_message(), "\n`qlora-ui --help` shows the commands.")
            console.tell_error(misuse, as_json="--json" in arguments)
            return 2
        raise


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8080,
    lan: Annotated[bool, typer.Option("--lan", help="Let others on the network in, behind a sign-in.")] = False,
    native: Annotated[bool, typer.Option("--native", help="Open a desktop window in place of a tab.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    home: Home = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never ask the model hub.")] = False,
    no_standby: Annotated[
        bool, typer.Option("--no-standby", help="Let no worker wait with its libraries loaded.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Start a training of the starter model at once.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Open the app."""
    if version:
        console.say(f"qlora-ui {__version__}")
        raise typer.Exit
    if offline:
        os.environ["QLORA_UI_OFFLINE"] = "1"
    if context.invoked_subcommand is not None:
        context.obj = home
        return
    from qlora_ui.settings import AppSettings, resolve_home

    settings = AppSettings(
        home=resolve_home(home),
        host=host,
        port=port,
        lan=lan,
        native=native,
        browser=not no_browser,
        offline=offline,
        standby=not no_standby,
        demo=demo,
    )
    from qlora_ui.app import run as run_app

    run_app(settings)


@app.command()
def train(
    context: typer.Context,
    file: Spec,
    changes: Changes = None,
    after: After = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Fine-tune a model as a YAML file says. Ctrl+C stops it with a checkpoint."""
    return _run_spec(context, JobKind.TRAINING, file, changes, after, no_wait, as_json, home)


@app.command()
def evaluate(
    context: typer.Context,
    file: Spec,
    changes: Changes = None,
    after: After = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Score a base model and its adapter on the same rows."""
    return _run_spec(context, JobKind.EVALUATION, file, changes, after, no_wait, as_json, home)


@app.command()
def merge(
    context: typer.Context,
    file: Spec,
    changes: Changes = None,
    after: After = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Merge an adapter into its base, and compare the result with the adapter."""
    return _run_spec(context, JobKind.MERGE, file, changes, after, no_wait, as_json, home)


@app.command("estimate")
def estimate_memory(
    context: typer.Context, file: Spec, changes: Changes = None, as_json: AsJson = False, home: Home = None
) -> int:
    """Say what memory and disk a training will need, without starting it."""
    from qlora_ui.cli.show_estimate import estimate_for_people_or_programs
    from qlora_ui.settings import resolve_home

    workspace = Workspace(resolve_home(home or context.find_root().obj))
    return estimate_for_people_or_programs(workspace, file, changes or [], as_json=as_json)


@app.command()
def demo(context: typer.Context, as_json: AsJson = False, home: Home = None) -> int:
    """Train, score, merge and verify the starter model: no GPU and no network needed."""
    workspace = workspace_of(context, home)
    from qlora_ui.cli.show_demo import run_in_terminal

    return complete(run_in_terminal(workspace, as_json=as_json))


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False, home: Home = None) -> int:
    """Say what this machine can do, and what to do about what it can't."""
    from qlora_ui.doctor import examine, report
    from qlora_ui.settings import resolve_home

    checks = examine(Workspace(resolve_home(home or context.obj)))
    console.say(report(checks, as_json=as_json))
    return 1 if any(check.level == "error" for check in checks) else 0


@data.command("inspect")
def inspect(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(help="A file, a folder, an archive, hub:owner/name; `starter` is what comes along.")
    ],
    model: Annotated[str | None, typer.Option(help="Show the tokens of this model.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=1000, help="How many rows to show.")] = 5,
    start: Annotated[int, typer.Option(min=1, help="The first row to show.")] = 1,
    max_length: Annotated[int, typer.Option(help="Cut examples after this many tokens.")] = 1024,
    data_format: Annotated[str, typer.Option("--format", help="Read rows as this format.")] = "auto",
    train_on: Annotated[str, typer.Option(help="`completions` or `all`.")] = "completions",
    template: Annotated[str, typer.Option(help="A chat template: a name such as chatml, or Jinja text.")] = "",
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="part=column, as often as needed: --map answer=reply.")
    ] = None,
    roles: Annotated[
        list[str] | None, typer.Option("--role", help="speaker=role, as often as needed: --role bot=assistant.")
    ] = None,
    steps: Annotated[
        list[str] | None, typer.Option("--step", help="A mend, as often as needed: --step remove_duplicates.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only look at the rows shown; count nothing.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no hub.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> int:
    """Show how data are understood, what is odd about them, and which tokens would be trained."""
    from qlora_ui.cli.show_data import inspect_for_people_or_programs, pairs_of, query_of, steps_of
    from qlora_ui.settings import resolve_home

    settings = {
        "max_length": max_length,
        "data_format": data_format,
        "train_on": train_on,
        "chat_template": template,
        "data_mapping": pairs_of("--map", columns or []),
        "data_roles": pairs_of("--role", roles or []),
        "data_steps": steps_of(steps or []),
    }
    query = query_of(file, model, settings, offline=offline or os.environ.get("QLORA_UI_OFFLINE") == "1")
    workspace = Workspace(resolve_home(home or context.find_root().obj))
    cache = workspace.prepared if workspace.home.is_dir() else None  # a look alone makes no home folder
    return inspect_for_people_or_programs(query, start=start, limit=limit, is_quick=quick, as_json=as_json, cache=cache)


def _run_spec(
    context: typer.Context,
    kind: JobKind,
    file: Path,
    changes: list[str] | None,
    after: str | None,
    no_wait: bool,
    as_json: bool,
    home: Path | None,
) -> int:
    from qlora_ui.cli import follow
    from qlora_ui.cli.inputs import check_inputs, go_through_data
    from qlora_ui.cli.show_jobs import full_id
    from qlora_ui.cli.values import assignments
    from qlora_ui.contract.parsing import read_parameters

    parameters = read_parameters(file, kind, assignments(changes or [], kind))
    check_inputs(parameters)
    workspace = workspace_of(context, home)
    before = full_id(workspace, after) if after is not None else None
    if isinstance(parameters, TrainingParameters) and (no_wait or before is not None):
        asyncio.run(go_through_data(workspace, parameters, quiet=as_json))
    return complete(follow.run_job(workspace, kind, parameters, as_json=as_json, after=before, wait=not no_wait))
