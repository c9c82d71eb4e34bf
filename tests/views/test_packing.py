"""Tables of what is shown: read again as they were, and by releases that know more or less."""

from __future__ import annotations

import json
from math import inf

import orjson

from llmsim.views import Gauge, Row, Stream
from llmsim.views.packing import packed, unpacked

ROW = Row(
    7, 1.5, "agent", "gpt-4o", "/v1/chat", 1, True, "ok", 200, 0.25, None, 3, 9, 4, "fast", "lorem", ("429", "cut")
)


def sent(table: object) -> object:
    return json.loads(orjson.dumps(table))


def test_rows_are_read_again_as_they_were() -> None:
    assert unpacked(Row, sent(packed([ROW, ROW]))) == [ROW, ROW]


def test_a_gauge_that_is_never_full_again_stays_so_through_json_which_knows_no_infinity() -> None:
    gauge = Gauge("quota", "everybody", "tpd", 10, 3.0, inf, 0, None)
    assert unpacked(Gauge, sent(packed([gauge]))) == [gauge]


def test_a_column_of_a_newer_release_is_left_out_and_one_that_lacks_is_empty() -> None:
    table = {"fields": ["number", "colour", "client"], "rows": [[3, "red", "agent"]]}
    (row,) = unpacked(Row, table)
    assert (row.number, row.client, row.model, row.ttft, row.faults) == (3, "agent", "", None, ())
    (stream,) = unpacked(Stream, {"fields": ["number"], "rows": [[3]]})
    assert (stream.factor, stream.whole) == (1.0, False)


def test_what_is_of_another_type_is_read_as_well_as_can_be() -> None:
    table = {"fields": ["number", "client", "tokens", "faults"], "rows": [["x", 5, 2.0, "no list"]]}
    (row,) = unpacked(Row, table)
    assert (row.number, row.client, row.tokens, row.faults) == (0, "5", 2, ())


def test_what_is_no_table_is_none() -> None:
    assert [unpacked(Row, one) for one in (None, [], {"rows": 3}, packed([]))] == [[], [], [], []]
