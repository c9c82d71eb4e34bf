"""A picture of the screen: each word where it stands, for programs too that lose spaces."""

from __future__ import annotations

import re
from html import unescape

from llmsim_tui.screenshot import placed
from rich.cells import cell_len
from tui.stage import stage

TEXT = re.compile(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>([^<]*)</text>')


async def test_it_needs_no_space_to_be_kept_and_moves_nothing() -> None:
    async with stage((120, 40)) as console:
        await console.press("1")
        await console.wait(2.0)
        found = [one for one in TEXT.findall(console.app.export_screenshot()) if one[3] != "\n"]
        cell = 12.2
        drawn = [[" "] * 120 for _ in console.lines()]
        rows = sorted({float(y) for _, y, _, _ in found})
        for x, y, length, text in found:
            words = unescape(text).replace("\xa0", " ")
            assert words == " ".join(words.split()), words
            assert abs(float(length) - cell * cell_len(words)) < 0.1
            at = round(float(x) / cell)
            drawn[rows.index(float(y))][at : at + len(words)] = words
        assert ["".join(line).rstrip() for line in drawn] == console.lines()


def test_signs_are_as_wide_as_their_cells_and_references_are_one_character() -> None:
    text = '<text class="a" x="10.0" y="5" textLength="{}" clip-path="url(#c)">{}</text>'
    drawn = placed(text.format("110", "&#160;&amp;&#160;日本&#160;&#160;x&#160;"))
    assert drawn == text.format("60.0", "&amp;&#160;日本").replace("10.0", "20.0") + text.format("10.0", "x").replace(
        'x="10.0"', 'x="100.0"'
    )
    blank = text.format("30", "&#160;&#160;&#160;")
    assert placed(blank) == ""
    assert placed("<svg>no text</svg>") == "<svg>no text</svg>"
