"""The pages of `docs/` as HTML: they travel with the package, and nothing is fetched to show them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from nicegui.elements.markdown import prepare_content

from qlora_ui.pages.help.paths import TOPICS

_PACKAGE = Path(__file__).parent.parent.parent
FOLDER = next(folder for folder in (_PACKAGE / "docs", _PACKAGE.parent / "docs") if folder.is_dir())
"""Within the installed package, or beside it in a checkout."""

_PATHS = {topic.file: path for path, topic in TOPICS.items() if topic.file}


@cache
def article(file: str) -> tuple[str, str]:
    """The title and, without it, the text of a page of the docs as HTML. It takes some 50 ms the first time.

    Its links lead to pages of help, or out of the app in a new tab; those to other files of the project are plain text.
    """
    if file not in _PATHS:
        raise KeyError(file)
    text = (FOLDER / file).read_text(encoding="utf-8")
    title, _, body = text.removeprefix("# ").partition("\n")
    html = prepare_content(body, "fenced-code-blocks tables header-ids")
    html = re.sub(r'<a href="([^"]*)">(.*?)</a>', _as_link, html, flags=re.DOTALL)
    for tag in ("table", "pre"):
        html = html.replace(f"<{tag}>", f'<div class="qu-scroll" tabindex="0" role="group"><{tag}>')
        html = html.replace(f"</{tag}>", f"</{tag}></div>")
    return title.strip(), html


def _as_link(found: re.Match[str]) -> str:
    target, words = found.groups()
    file, hash_sign, anchor = target.partition("#")
    if file in _PATHS or not file:
        return f'<a class="qu-link" href="{_PATHS.get(file, "")}{hash_sign}{anchor}">{words}</a>'
    if file.startswith("https://"):
        return f'<a class="qu-link" href="{target}" target="_blank" rel="noopener noreferrer">{words}</a>'
    return words
