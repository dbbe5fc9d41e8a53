"""Rows written column by column are the JSON that a list of dicts would be, whatever the values hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.lake.tables import Column
from pipeline.serving import json_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = {
    "STRING": TEXTS,
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "INT": st.integers(0, 3),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates().map(lambda day: day.isoformat()),
    "TIMESTAMP": st.datetimes().map(lambda at: f"{at.isoformat()}+00:00"),
    "DECIMAL(28,6)": st.decimals(0, 9, places=6).map(lambda value: f"{value:f}"),
    "ARRAY<STRING>": st.lists(TEXTS, max_size=2),
    "ARRAY<DATE>": st.lists(st.dates().map(lambda day: day.isoformat()), max_size=2),
}


@st.composite
def tables(draw):
    """Columns of any types, names and lengths, with nulls, and with columns of one value."""
    names = draw(st.lists(TEXTS, min_size=1, max_size=5, unique=True))
    shape = [Column(name, draw(st.sampled_from(sorted(VALUES))), "") for name in names]
    count = draw(st.integers(0, 4))
    columns = {}
    for column in shape:
        value = VALUES[column.type] if draw(st.booleans()) else st.none() | VALUES[column.type]
        columns[column.name] = draw(st.lists(value, min_size=count, max_size=count))
        if count and draw(st.booleans()):
            columns[column.name] = [columns[column.name][0]] * count
    return columns, shape


@given(tables())
def test_rows_are_what_a_list_of_dicts_would_be(table):
    columns, shape = table
    expected = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert json.loads(json_rows.array(columns, shape)) == expected


@pytest.mark.parametrize("value", ["100%", "%s", "%(a)s", '"', "\\", "\n", "\x00", "é", "☃", "</script>"])
def test_no_value_is_taken_for_part_of_the_pattern(value):
    shape = [Column("a%s", "STRING", ""), Column("b", "STRING", "")]
    columns = {"a%s": [value, value], "b": [value, "other"]}
    assert json.loads(json_rows.array(columns, shape)) == [{"a%s": value, "b": value}, {"a%s": value, "b": "other"}]
