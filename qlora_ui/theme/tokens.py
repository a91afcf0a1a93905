"""Design tokens: the only place where a colour, a size or a distance is written as a number.

There are four modes. In light and dark every text passes WCAG AA (4.5:1) on every ground, the edges of inputs and the
focus ring 3:1, the curves of charts 4.5:1. In high contrast texts pass AAA (7:1), and every edge 4.5:1.
Type and distances are in rem, so that they follow the size of text that a person has set in their browser.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Colors:
    """Colours of one mode, as CSS values. A `soft` colour is the ground on which its namesake is read as text."""

    background: str
    surface: str
    surface_raised: str
    surface_sunken: str
    border: str
    border_strong: str
    text: str
    text_muted: str
    primary: str
    primary_hover: str
    on_primary: str
    primary_soft: str
    primary_text: str
    secondary: str
    success: str
    success_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    info: str
    info_soft: str
    chart_1: str
    chart_2: str
    chart_3: str
    chart_4: str
    chart_5: str


@dataclass(frozen=True)
class Typography:
    font_family: str = "Inter, system-ui, sans-serif"
    mono_family: str = '"JetBrains Mono", ui-monospace, monospace'
    font_size: dict[str, str] = field(
        default_factory=lambda: {
            "xs": "0.75rem",
            "sm": "0.8125rem",
            "md": "0.875rem",
            "lg": "1rem",
            "xl": "1.25rem",
            "2xl": "1.625rem",
        }
    )
    font_weight: dict[str, int] = field(
        default_factory=lambda: {"normal": 400, "medium": 500, "strong": 550, "bold": 600, "title": 650}
    )


@dataclass(frozen=True)
class Theme:
    """All tokens of one mode."""

    colors: Colors
    shadows: dict[str, str]
    """`sm` lies under cards, `md` under what floats above the page."""
    typography: Typography = field(default_factory=Typography)
    spacing: dict[str, str] = field(
        default_factory=lambda: {
            "1": "0.25rem",
            "2": "0.5rem",
            "3": "0.75rem",
            "4": "1rem",
            "5": "1.5rem",
            "6": "2rem",
            "7": "3rem",
        }
    )
    radius: dict[str, str] = field(
        default_factory=lambda: {"sm": "6px", "md": "10px", "lg": "14px", "full": "999px"},
    )


LIGHT = Theme(
    colors=Colors(
        background="#f8f8fb",
        surface="#ffffff",
        surface_raised="#ffffff",
        surface_sunken="#f1f1f6",
        border="#e3e3ec",
        border_strong="#868698",
        text="#1a1a26",
        text_muted="#5a5a6c",
        primary="#5151cd",
        primary_hover="#4343b8",
        on_primary="#ffffff",
        primary_soft="#ececfb",
        primary_text="#4343b8",
        secondary="#0f6e74",
        success="#18703f",
        success_soft="#e3f4ea",
        warning="#8f4a00",
        warning_soft="#fdf0dc",
        error="#b3261e",
        error_soft="#fdeceb",
        info="#0b5cad",
        info_soft="#e5f0fb",
        chart_1="#0072b2",
        chart_2="#b35900",
        chart_3="#007a5a",
        chart_4="#a64d79",
        chart_5="#5a5a6c",
    ),
    shadows={"sm": "0 1px 2px rgb(20 20 40 / .05)", "md": "0 4px 16px rgb(20 20 40 / .08)"},
)

DARK = Theme(
    colors=Colors(
        background="#0f0f15",
        surface="#17171f",
        surface_raised="#1e1e28",
        surface_sunken="#121219",
        border="#2b2b38",
        border_strong="#77778a",
        text="#ececf3",
        text_muted="#a6a6b8",
        primary="#5d5ddb",
        primary_hover="#6666e2",
        on_primary="#ffffff",
        primary_soft="#25254a",
        primary_text="#b3b3ff",
        secondary="#5cc5cb",
        success="#5dd39a",
        success_soft="#12291f",
        warning="#f2b25c",
        warning_soft="#2e2212",
        error="#ff9a92",
        error_soft="#331917",
        info="#7fbdf7",
        info_soft="#13253a",
        chart_1="#56b4e9",
        chart_2="#e69f00",
        chart_3="#3ddbb0",
        chart_4="#e59ac4",
        chart_5="#a6a6b8",
    ),
    shadows={"sm": "none", "md": "0 6px 24px rgb(0 0 0 / .45)"},
)


HIGH_CONTRAST_LIGHT = Theme(
    colors=Colors(
        background="#ffffff",
        surface="#ffffff",
        surface_raised="#ffffff",
        surface_sunken="#f2f2f6",
        border="#62626f",
        border_strong="#3a3a46",
        text="#000000",
        text_muted="#35353f",
        primary="#31319c",
        primary_hover="#232380",
        on_primary="#ffffff",
        primary_soft="#e9e9fd",
        primary_text="#28288f",
        secondary="#084a4e",
        success="#0a4a27",
        success_soft="#e6f6ec",
        warning="#633300",
        warning_soft="#fdf1df",
        error="#851310",
        error_soft="#feefee",
        info="#073f78",
        info_soft="#e8f2fc",
        chart_1="#005a8f",
        chart_2="#8a4300",
        chart_3="#005c43",
        chart_4="#86305c",
        chart_5="#35353f",
    ),
    shadows={"sm": "none", "md": "0 4px 16px rgb(20 20 40 / .2)"},
)

HIGH_CONTRAST_DARK = Theme(
    colors=Colors(
        background="#000000",
        surface="#000000",
        surface_raised="#0d0d12",
        surface_sunken="#121219",
        border="#8c8c9c",
        border_strong="#c4c4d2",
        text="#ffffff",
        text_muted="#d3d3de",
        primary="#b9b9ff",
        primary_hover="#d4d4ff",
        on_primary="#000000",
        primary_soft="#202048",
        primary_text="#cdcdff",
        secondary="#8fe3e8",
        success="#8af0bd",
        success_soft="#0e2a1d",
        warning="#ffcb80",
        warning_soft="#2e210d",
        error="#ffbab5",
        error_soft="#361714",
        info="#aad7ff",
        info_soft="#10263d",
        chart_1="#7accf7",
        chart_2="#ffb733",
        chart_3="#4fe8bd",
        chart_4="#f5b8da",
        chart_5="#d3d3de",
    ),
    shadows={"sm": "none", "md": "none"},
)


def css_variables() -> str:
    """All modes as CSS custom properties of `body`, which carries the classes that choose among them.

    `body--dark` is there in the dark, `qu-contrast` where the person wants high contrast, and `qu-system` where they
    leave the look to their system, which may ask for high contrast too.
    """
    light, dark = _variables(LIGHT), _variables(DARK)
    wanted = _contrast_rules("body.qu-contrast")
    asked_for = _contrast_rules("body.qu-system")
    return (
        f"{_rule(':root', light)}{_rule('body.body--dark', _changed(light, dark))}{wanted}"
        f"@media (prefers-contrast: more) {{\n{asked_for}}}\n"
    )


def _contrast_rules(selector: str) -> str:
    light, dark = _variables(HIGH_CONTRAST_LIGHT), _variables(HIGH_CONTRAST_DARK)
    changed = _changed(_variables(LIGHT), light)
    return _rule(selector, changed) + _rule(f"{selector}.body--dark", _changed(_variables(DARK) | changed, dark))


def _changed(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in after.items() if before[name] != value}


def _rule(selector: str, variables: dict[str, str]) -> str:
    declarations = "".join(f"  --{name}: {value};\n" for name, value in variables.items())
    return f"{selector} {{\n{declarations}}}\n"


def _variables(theme: Theme) -> dict[str, str]:
    """Each token by the name of its CSS variable, without the two dashes."""
    typography = theme.typography
    return {
        **{name.replace("_", "-"): value for name, value in asdict(theme.colors).items()},
        **{f"space-{step}": value for step, value in theme.spacing.items()},
        **{f"radius-{size}": value for size, value in theme.radius.items()},
        **{f"shadow-{size}": value for size, value in theme.shadows.items()},
        "font": typography.font_family,
        "mono": typography.mono_family,
        **{f"size-{size}": value for size, value in typography.font_size.items()},
        **{f"weight-{name}": str(value) for name, value in typography.font_weight.items()},
    }
