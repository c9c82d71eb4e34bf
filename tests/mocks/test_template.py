"""Templates of mocks: what they see, and what they may not do."""

from __future__ import annotations

import pytest
from support import ask_for

from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.match import Subject
from llmsim.mocks import Mock, template
from llmsim.mocks.template import TemplateError, write


def written(text: str) -> str:
    return write(text, Subject(ask_for("add 20 22")), Dice(7))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no template", "no template"),
        ("{{ model }} {{ text | upper }}", "gpt-4o ADD 20 22"),
        ("{{ text.split()[1:] | map('int') | sum }}", "42"),
        ("{{ 'ab' * 3 }} {{ 2 ** 10 }} {{ 2 * 3.5 }} {{ [1] * 2 }} {{ 0 * 9 }}", "ababab 1024 7.0 [1, 1] 0"),
        (
            "{{ 'of 12345678: %03d' % 7 }} {{ '{:>5}'.format(1) }} {{ '%s %s' | format(1, 2) }}",
            "of 12345678: 007     1 1 2",
        ),
        ("{{ 'a'.ljust(3) }}|{{ 'a' | center(3) }}|{{ 10 % 4 }} {{ 'a\nb' | indent(1) }}", "a  | a |2 a\n b"),
        ("{{ call }} {{ turn }} {{ seen }} {{ body }}", "None 1 0 None"),
    ],
)
def test_it_is_written_over_the_request(text: str, told: str) -> None:
    assert written(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ 9 ** (9 ** 9) }}", "too large"),
        ("{{ 9 ** 9000 * 9 ** 9000 }}", "too large"),
        ("{{ 'x' * 100000000 }}", "too large"),
        ("{{ [0] * 100000000 }}", "too large"),
        ("{% for n in range(100000) %}{{ 'x' * 1000 }}{% endfor %}", "more than 4194304 characters"),
        ("{% for n in range(10000000) %}x{% endfor %}", "Range too big"),
        ("{{ '%1000000000d' % 1 }}", "too large"),
        ("{{ '%*d' % (1000000000, 1) }}", "too large"),
        ("{{ '%1000000000d' | format(1) }}", "too large"),
        ("{{ '{:1000000000}'.format(1) }}", "too large"),
        ("{{ 'a'.ljust(10 ** 10) }}", "too large"),
        ("{{ 'a'.center(width=10 ** 10) }}", "center"),
        ("{{ '1'.zfill(10 ** 10) }}", "too large"),
        ("{{ 'a' | center(10 ** 10) }}", "too large"),
        ("{{ 'a' | indent(width=10 ** 10, first=true) }}", "too large"),
        ("{% set n = namespace(x='ab') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "~"),
        ("{% set n = namespace(x='ab') %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}", "too large"),
        ("{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}", "too large"),
        ("{% set n = namespace(x='a') %}{% for i in range(40) %}{% set n.x = [n.x, n.x] | join %}{% endfor %}", "join"),
        ("{{ ['x' * 1000000] * 1000 | join }}", "not iterable"),
        ("{{ (['x' * 1000000] * 1000) | join }}", "join"),
        ("{{ lipsum(9) }}", "'lipsum' is undefined"),
        ("{{ nothing * 2 }}", "'nothing' is undefined"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ choice.__self__ }}", "unsafe"),
        ("{{ id.__closure__ }}", "unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "unsafe"),
        ("{{ self.__init__.__globals__ }}", "unsafe"),
        ("{{ () | attr('\\x5f\\x5fclass\\x5f\\x5f') }}", "unsafe"),
        ("{{ '{0.__class__}'.format(1) }}", "unsafe"),
        ("{% set f = '{0.__class__}'.format %}{{ f(1) }}", "unsafe"),
        ("{{ headers.clear() }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{% import 'os' as os %}", "no loader"),
    ],
)
def test_what_it_may_not_do_is_told(text: str, told: str) -> None:
    with pytest.raises(TemplateError, match=told):
        written(text)


def test_a_header_that_cannot_be_sent_is_told_in_a_sentence() -> None:
    raw = {"template": True, "raw": {"body": "b", "headers": {"x-text": "{{ text }}"}}}
    (answer,) = Mock.model_validate({"reply": raw}).answers
    with pytest.raises(ValueError, match=r"^headers: x-text: 'a.nb' is no value of a header$"):
        answer.written(lambda text: "a\nb" if "{{" in text else text)


@pytest.mark.parametrize("text", ["{{ model }}" * 2_001, "{{ model }}" + "a" * 100_000])
def test_a_template_is_so_long_and_no_longer(text: str) -> None:
    with pytest.raises(SettingsError, match="a template has at most 100,000 characters and 4,000 opening braces"):
        template.check(text)
    assert template.check("{{ model }}" * 2_000)
    assert template.check("a" * 1_000_000)
