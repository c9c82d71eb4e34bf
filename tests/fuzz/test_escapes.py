"""Templates that reach for code, files, the request or all the memory are refused in words."""

from __future__ import annotations

import pytest

from fuzz.escapes import ESCAPES
from fuzz.texts import subject
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.mocks import template


@pytest.mark.parametrize("text", ESCAPES)
def test_a_template_that_reaches_too_far_is_refused(text: str) -> None:
    with pytest.raises((template.TemplateError, SettingsError), match="template"):
        template.write(template.check(text), subject(), Dice(1))
