"""A table of readings, written in any dialect of the contract and read back, is the same: the rules in Python.

Cells are taken apart here as a spreadsheet does it; Spark's own way is in tests/spark/formats/test_csv_any_dialect.py.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings

from tests.csv_tables import judged_in_python, tables


# Not made smaller on a failure: a table is readable as it is, and that would take minutes.
@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(tables())
def test_a_table_written_in_any_dialect_and_read_back_is_the_same(table):
    assert judged_in_python(table) == table.readings
