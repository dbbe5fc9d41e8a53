"""The format `csv`: delimited text whose dialect, layout and columns the feed's configuration says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.formats import (
    csv_bronze,
    csv_document,
    csv_long,
    csv_long_rows,
    csv_outline,
    csv_text,
    csv_wide,
    csv_wide_rows,
)
from pipeline.formats.csv_document import csv_of
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.row_judge import RowJudge

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed

# A wide row holds 48 readings in the bytes of eight.
WEIGHT_OF_WIDE = 6


def _long(feed: Feed, form: FeedFormat) -> FeedFormat:
    said = csv_of(feed)
    return replace(
        form,
        judged=csv_long.judged,
        in_order=None if csv_long.is_of_days(feed) else csv_long.in_order,
        many_readings_per_row=csv_long.may_hold_several(feed),
        most_readings=2 if said.value.has_both else 1,
        carries_direction=said.value.has_both or said.direction is not None,
        carries_quality=said.quality is not None,
        row_judge=RowJudge(_columns, csv_long_rows.judged, csv_long_rows.as_received),
    )


def _wide(feed: Feed, form: FeedFormat) -> FeedFormat:
    return replace(
        form,
        judged=csv_wide.judged,
        many_readings_per_row=True,
        most_readings=csv_wide.MOST_READINGS,
        carries_direction=csv_of(feed).direction is not None,
        carries_quality=True,
        weight=WEIGHT_OF_WIDE,
        row_judge=RowJudge(_columns, csv_wide_rows.judged, csv_wide_rows.as_received),
    )


def _columns(feed: Feed) -> tuple[str, ...]:
    """What the Python rules read; the meter's column first."""
    said = csv_of(feed)
    meter = csv_bronze.meter_column(said)
    others = [name for name in csv_bronze.names(said).values() if name != meter]
    of_wide = [csv_bronze.VALUES] if said.is_wide else []
    beside = [csv_bronze.QUALITIES] if said.quality_beside else []
    return (meter, *others, *of_wide, *beside, "raw")


def _configured(feed: Feed, form: FeedFormat) -> FeedFormat:
    return _wide(feed, form) if csv_of(feed).is_wide else _long(feed, form)


FORMAT = FeedFormat(
    ending=csv_document.ENDING,
    identity_is_name=False,
    bronze_columns=csv_bronze.columns,
    inspect=csv_document.inspect,
    outline=csv_outline.OUTLINE,
    contents=csv_text.contents,
    rows=csv_text.rows,
    judged=csv_long.judged,
    configured=_configured,
)
