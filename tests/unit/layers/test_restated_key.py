"""The text of a restated value's key, letter by letter: rows that lakes hold already must stay comparable."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from pipeline.lake import tables
from pipeline.layers.restated_key import key_text

AT = datetime(2021, 3, 28, 0, 30, tzinfo=UTC)


def test_keys_are_these_strings_and_no_others():
    assert key_text(tables.METER_DAY.key, {
        "feed": "electricity", "meter_id": "0012, x=1", "direction": "import", "local_date": date(2021, 3, 28),
    }) == "feed=electricity, meter_id=0012, x=1, direction=import, local_date=2021-03-28"  # fmt: skip
    half_hour = {"feed": "gas", "direction": "export", "interval_start": AT}
    expected = "feed=gas, direction=export, interval_start=2021-03-28 00:30:00Z"
    assert key_text(tables.HALF_HOUR.key, half_hour) == expected
    london = AT.astimezone(timezone(timedelta(hours=1)))
    assert key_text(tables.HALF_HOUR.key, half_hour | {"interval_start": london}) == expected
    assert key_text(tables.PRODUCT_DAY.key, {
        "feed": "e", "direction": "import", "date": date(1999, 1, 2), "product_display_name": "(no agreement)",
    }) == "feed=e, direction=import, date=1999-01-02, product_display_name=(no agreement)"  # fmt: skip


def test_a_value_that_is_missing_and_a_time_without_zone_are_written_as_ever():
    assert key_text(("meter_id", "at"), {"meter_id": None, "at": AT.replace(tzinfo=None)}) == (
        "meter_id=None, at=2021-03-28 00:30:00"
    )
