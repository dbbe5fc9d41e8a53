"""The feed formats. A new one is one file beside these and one line in FORMATS (and its name in config/values.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.formats import csv_feed, green_button, interval_parquet, nem12, obis_json, smrt, split_json
from pipeline.formats.feed_format import FeedFormat  # noqa: TC001 - part of what this package offers
from pipeline.lake import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.feeds import Feed
    from pipeline.config.settings import Settings
    from pipeline.deliveries.delivery import Delivery

FORMATS: dict[str, FeedFormat] = {
    "smrt": smrt.FORMAT,
    "split_json": split_json.FORMAT,
    "obis_json": obis_json.FORMAT,
    "interval_parquet": interval_parquet.FORMAT,
    "csv": csv_feed.FORMAT,
    "nem12": nem12.FORMAT,
    "green_button": green_button.FORMAT,
}


def format_of(feed: Feed) -> FeedFormat:
    """The format of a feed, as the feed's configuration has it."""
    return FORMATS[feed.format].of(feed)


def weighed(settings: Settings, deliveries: Iterable[Delivery]) -> list[tuple[int, int]]:
    """For each delivery (bytes, weighted bytes), for the size of a session: dense formats weigh more (`weight`)."""
    weights = {feed.name: format_of(feed).weight for feed in settings.feeds}
    sizes = [(each.size_bytes or 0, weights.get(each.feed, 1)) for each in deliveries]
    return [(size, size * weight) for size, weight in sizes]


def bronze_table(feed: Feed) -> tables.Table:
    """The bronze table of a feed: its source's own columns as text, then lineage."""
    own, more = format_of(feed).bronze_columns(feed)
    return tables.bronze(feed.name, f"Rows of feed {feed.name} ({feed.format}) as received", own, more)


def lake_tables(settings: Settings) -> tuple[tables.Table, ...]:
    """Every table of the lake of these settings."""
    every = tables.all_tables(bronze_table(feed) for feed in settings.feeds)
    return (*every, tables.CHECKS) if settings.checks else every
