"""A lake beside the ledger: every table says what plain Python computed."""

from __future__ import annotations

from pipeline.deliveries import ingestion_log
from pipeline.lake import access, tables
from tests.faults.commands import must_be_conserved, must_be_whole, must_end_true


def values(context, table, *columns):
    """The rows of a table, those columns of them."""
    return [tuple(row.values()) for row in access.small_rows(context, table, columns)]


def must_say_what_the_ledger_says(lake, ledger):
    """Assert that the lake is sound, and holds the deliveries, readings and totals of the ledger."""
    context = lake.context()
    must_be_whole(lake)
    must_be_conserved(lake)
    must_end_true(lake)
    decided = [(e.feed, e.relative_path, e.status) for e in ingestion_log.logged(context) if e.feed != "reference"]
    assert sorted(decided) == sorted((each.feed, each.path, each.status) for each in ledger.arrived)
    current = values(context, tables.READINGS, "feed", "meter_id", "interval_start", "local_date", "consumption")
    assert {key[:3]: key[3:] for key in current} == ledger.current()
    assert len(current) == len(ledger.current())
    assert len(values(context, tables.REJECTED, "row_number")) == ledger.rejected()
    days = values(context, tables.METER_DAY, "feed", "meter_id", "local_date", "consumption", "intervals_received")
    assert {key[:3]: key[3:] for key in days} == ledger.meter_days()
    halves = values(context, tables.HALF_HOUR, "interval_start", "total_kwh", "meterpoint_count")
    assert {start: rest for start, *rest in halves} == {
        start: list(rest) for start, rest in ledger.half_hours().items()
    }
    products = values(context, tables.PRODUCT_DAY, "date", "product_display_name", "total_kwh")
    assert {key[:2]: key[2] for key in products} == ledger.products()
