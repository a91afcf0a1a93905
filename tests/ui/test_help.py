"""Help: the words of the field where they are used, the glossary, the keys and the docs."""

from __future__ import annotations

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.explain import explain
from qlora_ui.components.glossary import TERMS
from qlora_ui.locales.catalog import Catalog
from qlora_ui.pages.help import pages as help_pages
from qlora_ui.pages.help.paths import HELP_PATHS, TOPICS
from qlora_ui.pages.shell.frame import PATHS
from qlora_ui.pages.shortcuts import SHORTCUTS
from qlora_ui.services import Services
from tests.ui.acting import buttons, press


async def test_word_is_explained_beside_it(user: User) -> None:
    @ui.page("/component")
    def page() -> None:
        explain("perplexity")

    await user.open("/component")
    [button] = buttons(user, "What is perplexity?")
    assert user.client is not None
    [popover] = [element for element in user.client.elements.values() if "popover" in element._props]
    assert button._props["popovertarget"] == popover.html_id
    assert popover._props["aria-label"] == "Perplexity"
    await user.should_see("Among how many equally likely tokens the model wavers")
    [link] = user.find(ui.link).elements
    assert link._props["href"] == "/help/glossary#perplexity"


def test_word_that_nobody_explains_is_a_mistake_of_the_code() -> None:
    with pytest.raises(KeyError):
        explain("perplexitty")


@pytest.mark.parametrize("path", HELP_PATHS)
async def test_every_page_of_help_has_its_title(user: User, path: str) -> None:
    client = await user.open(path)
    await user.should_see(HELP_PATHS[path], retries=20)
    assert client.title == f"{HELP_PATHS[path]} · qlora-ui"
    assert path in PATHS


async def test_help_leads_to_every_topic(user: User, services: Services) -> None:
    await user.open("/help")
    targets = {link._props.get("href") for link in user.find(ui.link).elements}
    assert TOPICS.keys() <= targets
    await user.should_see(str(services.workspace.home))


async def test_glossary_has_every_term_at_its_anchor(user: User) -> None:
    client = await user.open("/help/glossary")
    anchors = [element._props["id"] for element in client.elements.values() if element._props.get("id") in TERMS]
    assert set(anchors) == set(TERMS)


async def test_glossary_is_in_the_order_of_its_language(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalog, "text", lambda self, text, context=None: {"Adapter": "Zusatz"}.get(text, text))
    client = await user.open("/help/glossary")
    anchors = [element._props["id"] for element in client.elements.values() if element._props.get("id") in TERMS]
    assert anchors[-1] == "adapter"


async def test_every_key_is_listed(user: User) -> None:
    client = await user.open("/help/shortcuts")
    keys = [getattr(element, "text", "") for element in client.elements.values() if element.tag == "kbd"]
    assert {key for shortcut in SHORTCUTS for key in shortcut.split() if "+" not in key} <= set(keys)


async def test_docs_say_that_they_are_in_english(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    await user.open("/help/architecture")
    await user.should_see("How it works", retries=20)
    await user.should_not_see("This page is written in English.")
    monkeypatch.setattr(help_pages, "language", lambda: "de")
    await user.open("/help/architecture")
    await user.should_see("This page is written in English.", retries=20)


async def test_unknown_page_of_help_reads_no_file(user: User) -> None:
    await user.open("/help")
    user.navigate.to("/help/..%2F..%2FREADME")
    await user.should_see("This page does not exist")


async def test_guide_is_asked_for(user: User, services: Services) -> None:
    await services.people.change(guide_hidden=True)
    await user.open("/help")
    await press(user, "Show the guide")
    assert not services.store.preferences.get().guide_hidden
