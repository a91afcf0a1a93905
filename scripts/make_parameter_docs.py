"""Writes docs/parameters.md from the parameter models: `python scripts/make_parameter_docs.py`.

A test compares the page with what this script would write.
"""

from __future__ import annotations

from pathlib import Path

from qlora_ui.contract.knobs import GROUPS, Knob, knobs
from qlora_ui.contract.parameters import PARAMETERS

PAGE = Path(__file__).parents[1] / "docs" / "parameters.md"

_INTRODUCTION = """# Parameters

Every setting of every kind of job, as the form, a YAML file and `--set key=value` know it. This page is written by
`scripts/make_parameter_docs.py` from `qlora_ui/contract/parameters.py`; change it there.
"""


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for kind, model in PARAMETERS.items():
        parts.append(f"## {kind.capitalize()}\n\n{(model.__doc__ or '').strip()}\n")
        known = knobs(model).values()
        for group in GROUPS:
            rows = [_row(knob) for knob in known if knob.group == group]
            if rows:
                header = "| Setting | What it does | Allowed | Default |\n|---|---|---|---|"
                parts.append(
                    f"### {group.capitalize() if group.islower() else group}\n\n{header}\n" + "\n".join(rows) + "\n"
                )
    return "\n".join(parts)


def _row(knob: Knob) -> str:
    unit = f" [{knob.unit}]" if knob.unit else ""
    kinds = {
        "integer": "a whole number",
        "number": "a number",
        "text": "text",
        "switch": "true or false",
        "structure": "a list or a table",
    }
    if knob.items == "texts":
        kinds["structure"] = f"a list of at most {knob.longest} texts"
    allowed = ", ".join(f"`{c}`" for c in knob.choices) or ", ".join(filter(None, (kinds[knob.kind], knob.bounds)))
    allowed = f"some of {allowed}" if knob.items == "choices" else allowed
    allowed += ", or empty" if knob.optional else ""
    default = (
        "needed" if knob.required else "empty" if knob.default in (None, "", [], {}) else f"`{_plain(knob.default)}`"
    )
    return f"| `{knob.name}` | **{knob.title}**{unit}. {knob.help} | {allowed} | {default} |"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is written")
