"""The verdict of the driver on a delimited text, from its bytes, and what Spark must know to read its rows."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.config.csv_columns import BLANKS
from pipeline.formats import csv_frame, csv_header
from pipeline.formats.csv_header import HeaderError
from pipeline.formats.feed_format import objection_to_name

if TYPE_CHECKING:
    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

ENDING = ".csv"


@dataclass(frozen=True)
class Frame:
    """What is around the rows of one file: the same for all files of a feed, as a rule."""

    encoding: str
    # Lines above the first row.
    lines_before: int
    names: tuple[str, ...]
    # As in csv_frame.Body.
    has_quotes: bool = False
    is_quoted: bool = False
    has_blank_rows: bool = False
    # Of a wide file: the place of each position's column, -1 where there is none.
    positions: tuple[int, ...] = ()
    # Fields that a row has at least: up to the last configured column. Empty ones behind it may be left out.
    least: int = 0

    @property
    def width(self) -> int:
        """The fields that the header names; what a row has behind these must be empty."""
        named = [number for number, name in enumerate(self.names, start=1) if name]
        return max([*named, self.least])


def csv_of(feed: Feed) -> Csv:
    """The feed's table `csv`, which every feed of this format has."""
    if feed.csv is None:
        raise AssertionError(feed.name)  # the configuration makes sure
    return feed.csv


def meter_in_path(delivery: Delivery, said: Csv) -> str | None:
    """The meter that the path below the feed's folder names; None where it names none."""
    found = said.path_pattern.search(delivery.relative_path) if said.path_pattern else None
    return ((found[1] or "").strip(BLANKS) or None) if found else None


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001, PLR0911 - a return a reason
    """The delivery with its frame and number of rows, refused if it is not one sound text with the feed's columns."""
    said = csv_of(feed)
    encoding = csv_frame.encoding_of(content, said.encoding)
    try:
        text, problem = content.decode(encoding).removeprefix(csv_frame.BOM), None
    except UnicodeDecodeError as error:
        text, problem = "", error
    if problem is None and not text.strip(BLANKS):
        return delivery.refused("EMPTY_FILE", f"no content ({len(content)} bytes)")
    if objection := objection_to_name(delivery.file_name, feed.ending or ENDING, case_matters=False):
        return delivery.refused("BAD_FILE_NAME", objection)
    if said.path_pattern and meter_in_path(delivery, said) is None:
        return delivery.refused("BAD_FILE_NAME", f"the path names no meter as {said.meter_in_path!r} finds it")
    if problem is not None:
        return delivery.refused("NOT_UTF8", f"byte {problem.start + 1} is not {encoding.upper()}")
    try:
        return _framed(text, encoding, delivery, feed, said)
    except (csv_frame.OpenQuoteError, csv.Error):  # the module's: a field of more than 131,072 characters
        return delivery.refused("MALFORMED_CSV", "a quote is opened and not closed")
    except HeaderError as error:
        return delivery.refused(error.code, error.reason)


def _framed(text: str, encoding: str, delivery: Delivery, feed: Feed, said: Csv) -> Delivery:
    fields, at, lines = csv_frame.header(text, said)
    if fields is None and said.header:
        return delivery.refused("HEADER_MISSING", f"no header: the text ends after {lines} lines")
    # Quotes first: a header may be wrong because of one.
    body = csv_frame.body(text, at, said)
    header = csv_header.names(fields or [], said)
    frame = Frame(encoding, lines, header, body.has_quotes, body.is_quoted, body.has_blank_rows)
    if fields is not None:
        if lacking := csv_header.missing(header, said):
            raise lacking
        if said.is_wide:
            frame = replace(frame, positions=csv_header.positions(header, feed, said))
        frame = replace(frame, least=csv_header.fields_at_least(header, frame.positions, said))
    return replace(delivery, rows_read=body.rows, columns=header, frame=frame)
