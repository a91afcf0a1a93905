"""The docs as pages of the app."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from qlora_ui.pages.help import docs as help_docs
from qlora_ui.pages.help.docs import article
from qlora_ui.pages.help.paths import HELP_PATHS, TOPICS

FILES = [topic.file for topic in TOPICS.values() if topic.file]


@pytest.mark.parametrize("file", FILES)
def test_page_has_a_title_and_its_headings_in_order(file: str) -> None:
    title, html = article(file)
    assert title
    assert not title.startswith("#")
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[:1] in ([], [2])
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("file", FILES)
def test_links_lead_to_help_or_out_of_the_app(file: str) -> None:
    for target in re.findall(r'href="([^"#]*)', article(file)[1]):
        assert target in HELP_PATHS or target.startswith("https://") or target == "", target


def test_only_known_pages_are_read() -> None:
    for file in ("../README.md", "/etc/passwd", "screenshots/README.md", ""):
        with pytest.raises(KeyError):
            article(file)


def test_every_page_of_the_docs_is_shown() -> None:
    assert {file.name for file in help_docs.FOLDER.glob("*.md")} == set(FILES)


def test_every_page_of_the_docs_travels_with_the_package() -> None:
    import tomllib

    root = Path(__file__).parents[3]
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {included[f"docs/{file}"] for file in FILES} == {f"qlora_ui/docs/{file}" for file in FILES}


def test_link_between_pages_keeps_its_anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# T\n\n[a](parameters.md#lora) [b](../scripts/messages.py) [c](https://example.org/x) [d](#here)\n"
    (tmp_path / "performance.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(help_docs, "FOLDER", tmp_path)
    html = article.__wrapped__("performance.md")[1]
    assert 'href="/help/parameters#lora"' in html
    assert 'href="#here"' in html
    assert 'href="https://example.org/x" target="_blank" rel="noopener noreferrer"' in html
    assert "messages.py" not in html
