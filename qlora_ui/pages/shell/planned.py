"""Pages whose work is not built yet: what they will do, and how to do it today."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.button import link_button
from qlora_ui.components.layout import Card, columns, row
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.text import Text, code_block, paragraph
from qlora_ui.locales import _, mark
from qlora_ui.theme import Icon


@dataclass(frozen=True)
class PlannedPage:
    """An honest page: no control that does nothing, no figure that was not measured. Its texts are marked."""

    title: str
    subtitle: str
    will_do: tuple[tuple[str, str], ...]
    """What a person will do here: an icon and a sentence each."""
    today: str
    """How to come to the same end today, in a sentence."""
    command: str = ""
    """What to type into a terminal today, complete but for what the sentence asks to put in."""
    link: tuple[str, str] = (mark("Start a fine-tune"), "/train")
    """Where to go from here, as (words, path)."""
    crumbs: tuple[tuple[str, str], ...] = ()
    """The pages above this one, as (words, path)."""


_EVALUATE = """echo "model_name: starter
dataset_path: starter/heldout
adapter_path: FOLDER" > evaluation.yaml
qlora-ui evaluate evaluation.yaml"""
_MERGE = """echo "model_name: starter
dataset_path: starter/heldout
adapter_path: FOLDER" > merge.yaml
qlora-ui merge merge.yaml"""

PAGES = {
    "/playground": PlannedPage(
        title=mark("Playground"),
        subtitle=mark("Talk to a base model and its adapters, side by side."),
        will_do=(
            (
                "message-square",
                mark("Ask the base model and up to three adapters the same question and watch the answers arrive."),
            ),
            ("sliders-horizontal", mark("Set a system prompt, the sampling and a seed, and keep prompts for later.")),
            ("clock", mark("See how many tokens a second each of them writes.")),
        ),
        today=mark(
            "An evaluation writes down the answers of base and adapter to every held-out row, side by side, in "
            "report/answers.jsonl of its run folder. Put the folder of your adapter, which the page of its run shows, "
            "in the place of FOLDER, and your own model and rows in that of the starter's:"
        ),
        command=_EVALUATE,
        link=(mark("Look at your runs"), "/activity"),
    ),
    "/evaluate": PlannedPage(
        title=mark("Evaluate"),
        subtitle=mark("Find out whether an adapter is better than its base, and how sure that is."),
        will_do=(
            ("hourglass", mark("Choose adapters and held-out data, and queue evaluations.")),
            ("chart-column", mark("Read loss, perplexity, exact match and BLEU with their uncertainty.")),
            (
                "search",
                mark(
                    "Step through the rows that an adapter got right and its base got wrong, and the other way round."
                ),
            ),
        ),
        today=mark(
            "A training can be scored as soon as it ends: leave “Score it afterwards” switched on when you start it. "
            "For an adapter that is there already, put its folder, which the page of its run shows, in the place of "
            "FOLDER, and your own model and rows in that of the starter's:"
        ),
        command=_EVALUATE,
    ),
    "/evaluate/dashboard": PlannedPage(
        title=mark("Compare models"),
        subtitle=mark("All evaluated models in one view: a verdict in words, a chart, a table."),
        will_do=(
            ("chart-column", mark("See which model is better on which data, with intervals instead of bare numbers.")),
            ("activity", mark("Lay curves of several runs over each other.")),
            ("sliders-horizontal", mark("Read what differs between the parameters of two runs.")),
        ),
        today=mark(
            "The page of each evaluation compares one adapter with its base, on the same rows. "
            "All runs, with their ids, are listed by:"
        ),
        command="qlora-ui jobs list",
        link=(mark("Open the activity"), "/activity"),
        crumbs=((mark("Evaluate"), "/evaluate"),),
    ),
    "/publish": PlannedPage(
        title=mark("Publish"),
        subtitle=mark("Turn an adapter into a model that others can use, with proof that it is the same."),
        will_do=(
            (
                "git-merge",
                mark("Merge an adapter into its base and read the receipt that says how well the two agree."),
            ),
            ("package", mark("Export to safetensors, GGUF or Ollama.")),
            ("upload", mark("Write the model card from the run's real numbers, and push it all to a hub.")),
        ),
        today=mark(
            "The page of a finished training merges its adapter with a button, receipt included. The command line can "
            "do it too: put the folder of your adapter, which the page of its run shows, in the place of FOLDER, and "
            "your own model and rows for the proof in that of the starter's:"
        ),
        command=_MERGE,
        link=(mark("Look at your runs"), "/activity"),
    ),
}


def build(page: PlannedPage) -> None:
    PageHeader(_(page.title), _(page.subtitle), crumbs=[(_(word), path) for word, path in page.crumbs])
    with columns():
        with Card(_("What you will do here")):
            paragraph(_("This page is planned and not built yet."), muted=True, size="sm")
            with ui.element("ul").classes("qu-list"):
                for icon, text in page.will_do:
                    with ui.element("li").classes("qu-row qu-gap-3"):
                        with ui.element("span").classes("qu-dot qu-tone-idle"):
                            Icon(icon)
                        Text(_(text))
        with Card(_("Today")):
            paragraph(_(page.today), size="sm")
            if page.command:
                with row(top=True):
                    command = code_block(page.command, _("Command")).classes("qu-grow")
                    copy_from(command, _("Copy the command"), is_icon=True)
            with row():
                link_button(_(page.link[0]), page.link[1], icon_after="chevron-right")
