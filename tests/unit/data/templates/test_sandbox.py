"""Chat templates of strangers: mistakes name their line, and nothing goes on for ever."""

from __future__ import annotations

import pytest

from qlora_ui.data.templates import bounds
from qlora_ui.data.templates.sandbox import ChatTemplateError, Compiled

MESSAGES = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("{%- for m in messages -%}\n{{ m.content }}\n", 2, "endfor"),
        ("a\nb\n{{ messages[0].content }\n", 3, "unexpected '}'"),
        ("{% if messages %}\n{% endfor %}", 2, "unknown tag 'endfor'"),
        ("\n{{ 1 | shout }}", 2, "No filter named 'shout'"),
        ("{% generation %}\nx", 2, "endgeneration"),
        ("{{" + "(" * 500 + "1" + ")" * 500 + "}}", None, "nested too deeply"),
        ("x" * 1_000_001, None, "longer than 1,000,000 characters"),
    ],
)
def test_a_mistake_names_its_line(template: str, line: int | None, reason: str) -> None:
    with pytest.raises(ChatTemplateError) as caught:
        Compiled(template)
    assert caught.value.line == line
    assert reason.lower() in caught.value.reason.lower()


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("a\n\n{{ messages[0].name.first }}", 3, "no attribute 'name'"),
        ("{%- macro m(x) -%}\n{{ x + 1 }}\n{%- endmacro -%}\n\n{{ m('a') }}", 2, "can only concatenate str"),
        ("\n{{ messages[7].content }}", 2, "no element 7"),
        ("\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("\n{% set x = messages.append(1) %}", 2, "unsafe"),
        ("\n{% set ns = namespace(__class__=1) %}{{ ns.__class__.__mro__ }}", 2, "unsafe"),
        ("\n{{ range(10 ** 9) }}", 2, "Range too big"),
    ],
)
def test_what_breaks_names_its_line(template: str, line: int, reason: str) -> None:
    with pytest.raises(ChatTemplateError, match=rf"\(line {line} of the template\)") as caught:
        Compiled(template).render(MESSAGES)
    assert caught.value.line == line
    assert reason in caught.value.reason
    assert not caught.value.refused


def test_a_refusal_is_told_in_the_words_of_the_template() -> None:
    with pytest.raises(ChatTemplateError, match=r"^Roles must alternate$") as caught:
        Compiled("\n{{ raise_exception('Roles must\nalternate.') }}").render(MESSAGES)
    assert (caught.value.refused, caught.value.line) == (True, 2)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% macro m(n) %}{% if n < 99 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}",
        "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
        "{{ 'x' * 10 ** 10 }}",
        "{{ [0] * 10 ** 10 }}",
        "{{ 10 ** 10 ** 10 ** 10 }}",
        "{{ 'x'.ljust(10000000000) }}",
        "{{ 'x' | center(10000000000) }}",
        "{{ messages | tojson(indent=10000000000) }}",
        "{{ '%10000000000d' % 1 }}",
        "{{ '%*d' % (10000000000, 1) }}",
        "{{ '{:10000000000}'.format(1) }}",
        "{{ '{:{w}}'.format(1, w=10000000000) }}",
        "{{ '%10000000000d' | format(1) }}",
        "{{ ('x' * 9999999).replace('x', 'y' * 9999999) }}",
        "{{ ('x' * 9999999) | replace('x', 'y' * 9999999) }}",
        "{{ range(99999) | list | join('x' * 9999999) }}",
        "{{ range(99999) | map('string') | join('x' * 9999999) }}",
        "{{ ('x' * 9999999).join(range(99999) | map('string')) }}",
        "{{ (['x' * 9999999] * 99999) | join }}",
        "{{ ('\\n' * 99999) | indent(99999) }}",
        "{{ ('\\t' * 99999).expandtabs(99999) }}",
        "{{ range(99999) | list | tojson(indent=99999) }}",
        "{{ ('%s' * 99999) % (('x' * 99999,) * 99999) }}",
        "{{ ('{0}' * 99999).format('x' * 99999) }}",
        "{{ ('x' * 9999999).join(range(99999) | map('string') | list) }}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}"
        "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] | join('') %}{% endfor %}",
        "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
        "{{ lipsum(n=100000) }}",
    ],
)
@pytest.mark.timeout(20)
def test_a_hostile_template_comes_to_an_end(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_TURNS", 20_000)
    with pytest.raises(ChatTemplateError) as caught:
        Compiled(template).render(MESSAGES)
    assert not any(late in caught.value.reason for late in ("memory", "seconds"))  # a bound met it before these


def test_a_slow_template_is_stopped_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECONDS", -1.0)
    with pytest.raises(ChatTemplateError, match="takes longer than"):
        Compiled("{% for i in range(99) %}{% endfor %}").render(MESSAGES)


def test_each_rendering_has_the_whole_of_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_TURNS", 150)
    template = Compiled("{% for i in range(100) %}.{% endfor %}")
    assert template.render(MESSAGES) == template.render(MESSAGES) == "." * 100


def test_ordinary_work_is_left_alone() -> None:
    template = Compiled(
        "{% set ns = namespace(self=1, n=0) %}{% for m in messages %}{% set ns.n = ns.n + 5000000 %}{% endfor %}"
        "{{ '%d' % ns.n }} {{ '{}'.format(ns.n) }} {{ '%d' | format(ns.n) }} {{ {'a': '<ü>'} | tojson }}"
        "{{ dict(a=1).get('b', 7000000) }} {{ 'ab' * 3 ~ 1 }} {{ 2 ** 10 }} {{ strftime_now('%%') }}"
        "{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}"
    )
    assert template.render(MESSAGES) == '10000000 10000000 10000000 {"a": "<ü>"}7000000 ababab1 1024 %1'


def test_marks_are_found_in_macros_and_loops_too() -> None:
    template = Compiled(
        "{% macro said(m) %}<{% generation %}{{ m.content }}!{% endgeneration %}>{% endmacro %}"
        "{% for m in messages %}{{ said(m) }}{% endfor %}"
    )
    assert template.render(MESSAGES) == "<hi!><ho!>"
    assert template.render_marked(MESSAGES) == ("<hi!><ho!>", [(1, 4), (6, 9)])
    assert template.render(MESSAGES) == "<hi!><ho!>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ '{0:{1}}'.format('a', '9' * 9) }}",
        "{{ '{0:>{1.width}}'.format('a', messages) }}",
        "{% set ns = namespace(n=3) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}",
    ],
)
def test_a_width_given_as_text_and_a_number_without_end_are_refused(template: str) -> None:
    with pytest.raises(ChatTemplateError, match="too large"):
        Compiled(template).render(MESSAGES)


def test_a_problem_keeps_nothing_of_what_the_template_has_made() -> None:
    with pytest.raises(ChatTemplateError) as caught:
        Compiled("{{ 'x' * 1000 }}{{ none.name.first }}").render(MESSAGES)
    assert caught.value.__context__ is None
