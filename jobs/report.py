"""`report`: a first exploration of one feed, as HTML or as Markdown with pictures. No JVM, but to ask a catalog."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.text import Text

from jobs.shared.output import cell, console, must_exist
from pipeline.errors import LakeError, UnknownNameError, UsageError, printable
from pipeline.lake import access, places, tables
from pipeline.lake.types import arrow_schema
from pipeline.runtime.error_messages import in_words, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pyarrow import dataset as ds

    from pipeline.config.feeds import Feed
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context
    from pipeline.serving.report.asked import Asked
    from pipeline.serving.report.facts import Extent
    from pipeline.serving.report.render import Page

ENGINES = ("delta", "spark")
PICTURES = {"html": "svg", "md": "png"}  # by the report's format
READ = (tables.READINGS, tables.MISSING, tables.INGESTION_LOG)
NEEDED = ("duckdb", "jinja2", "matplotlib", "statsmodels")


@dataclass(frozen=True)
class Pinned:
    """The tables, at the versions that the whole report uses."""

    versions: dict[str, int]
    rows: dict[str, ds.Dataset | pa.Table]


def run(  # noqa: PLR0913 - what the command line says
    context: Context, asked: Asked, out: Path, form: str | None, *, as_json: bool, engine: str = "delta"
) -> None:
    """Write the report to `out`; print what was written and which versions of the tables were read.

    `engine` says who reads a catalog's tables, or those with newer features: this process where they lie, or Spark.
    """
    form = form or ("md" if out.suffix.lower() == ".md" else "html")
    _check(context, asked, out, form)
    if engine not in ENGINES:
        raise UnknownNameError("unknown engine", engine, *ENGINES)
    if engine == "spark":
        context.need_spark("a report by Spark", "leave --engine out")
        print("meterlake: reading with Spark, which takes longer", file=sys.stderr)
    else:
        context = places.located(context, READ)
    must_exist(context)
    pinned = _read_by_spark(context, asked) if engine == "spark" else _pinned(context)
    page, extent, received_at = _page(context, asked, pinned, PICTURES[form])
    written = _write(page, out, form)
    facts: dict[str, Any] = {
        "written": [str(path) for path in written],
        "feed": asked.feed,
        "meter": asked.meter,
        "first_day": cell(extent.days[0]),
        "last_day": cell(extent.days[-1]),
        "readings": extent.readings,
        "versions": pinned.versions,
        "newest_delivery_at": cell(received_at),
    }
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    pictures = f" and {len(written) - 1} pictures" if len(written) > 1 else ""
    console().print(Text(printable(f"Wrote {out}{pictures}. {' '.join(page.preamble[:2])}")))


def _check(context: Context, asked: Asked, out: Path, form: str) -> None:
    """Check everything that can be checked before anything is read."""
    if form not in PICTURES:
        raise UnknownNameError("unknown format", form, *PICTURES)
    if absent := [name for name in NEEDED if find_spec(name) is None]:
        raise UsageError(f'the report needs {", ".join(absent)}: pip install "meterlake[report]"')
    feeds = [feed.name for feed in context.settings.feeds]
    if asked.feed not in feeds:
        raise UnknownNameError("no feed", asked.feed, *feeds)
    try:
        is_folder, has_parent = out.is_dir(), out.absolute().parent.is_dir()
    except OSError as problem:  # a name too long for the file system
        raise _unwritable(out, problem) from None
    if is_folder:
        raise UsageError(f"--out {str(out)!r} is a folder: name a file in it")
    if not has_parent:
        raise UsageError(f"--out {str(out)!r}: no folder {str(out.parent)!r}")


def _pinned(context: Context) -> Pinned:
    versions: dict[str, int] = {}
    rows: dict[str, ds.Dataset | pa.Table] = {}
    for table in READ:
        if not access.lake_of(context).facts.exists(table):  # no run has come to silver or gold yet
            rows[table.full_name] = arrow_schema(table).empty_table()
        elif (there := access.dataset(context, table)) is None:
            address = tables.address(context.settings, table)
            raise LakeError(address, "has deletion vectors or the like, which only Spark reads: --engine spark")
        else:
            rows[table.full_name], versions[table.full_name] = there
    return Pinned(versions, rows)


def _read_by_spark(context: Context, asked: Asked) -> Pinned:
    """The rows that are asked for, in this process's memory."""
    rows: dict[str, ds.Dataset | pa.Table] = {}
    versions: dict[str, int] = {}
    for table in READ:
        found: pa.Table | None = None
        while found is None and (version := access.version(context, table)) is not None:
            if not table.partition_by:
                found = access.small_table(context, table)
            elif days := _days(context, table, asked):
                found = access.lake_of(context).reads.rows_at(table, version, table.names, {asked.feed: days})
            else:
                found = arrow_schema(table).empty_table()
            if access.version(context, table) != version:  # what was asked in between may be of another version
                found = None
            versions[table.full_name] = version
        rows[table.full_name] = arrow_schema(table).empty_table() if found is None else found
    return Pinned(versions, rows)


def _days(context: Context, table: Table, asked: Asked) -> list[date]:
    """Days on which the feed has rows and that were asked for."""
    days = {date.fromisoformat(day) for feed, day in access.partitions(context, table) if feed == asked.feed}
    return sorted(day for day in days if (asked.first or day) <= day and (asked.end is None or day < asked.end))


def _page(context: Context, asked: Asked, pinned: Pinned, form: str) -> tuple[Page, Extent, datetime | None]:
    """The report, what it covers, and when the newest delivery in it was received."""
    import duckdb  # noqa: PLC0415 - only this command needs this extra, pipeline.serving.report included

    from pipeline.serving.report.figures import Figures  # noqa: PLC0415
    from pipeline.serving.report.local_time import LocalClock  # noqa: PLC0415
    from pipeline.serving.report.page import page_of  # noqa: PLC0415
    from pipeline.serving.report.preamble import as_of  # noqa: PLC0415

    feed = context.settings.feed(asked.feed)
    clock = LocalClock(feed.time_zone)
    asked = replace(asked, earliest=feed.earliest, latest=latest_day(context.now, feed))
    readings, gaps = (
        pinned.rows[table.full_name].filter(asked.condition) for table in (tables.READINGS, tables.MISSING)
    )
    try:
        figures = Figures(readings, gaps, clock)
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        raise LakeError(context.settings.where, f"cannot be read: {one_line(problem)}") from None
    extent = figures.extent()
    if not extent.readings:
        raise UsageError(f"no readings of {asked.in_words}: gold.meter_day says which meters and days there are")
    received_at = _received_at(pinned.rows[tables.INGESTION_LOG.full_name], extent.newest_file)
    said = as_of(pinned.versions, received_at)
    if outside := _rows(pinned.rows[tables.READINGS.full_name].filter(asked.out_of_range)):
        said += f" Left out: {outside:,} readings before {asked.earliest} or after {asked.latest}."
    page = page_of(asked.title, figures, clock, said, form)
    return page, extent, received_at


def latest_day(now: datetime, feed: Feed) -> date:
    """The last day that a delivery received now may have readings for."""
    return date.fromordinal(min(now.date().toordinal() + feed.latest_days_ahead + 1, date.max.toordinal() - 1))


def _rows(found: ds.Dataset | pa.Table) -> int:
    return found.num_rows if isinstance(found, pa.Table) else int(found.count_rows())


def _received_at(log: ds.Dataset | pa.Table, file_id: int) -> datetime | None:
    found = log.filter(pc.field("file_id") == file_id)
    table = found if isinstance(found, pa.Table) else found.to_table(columns=["received_at"])
    return next(iter(table["received_at"].to_pylist()), None)


def _write(page: Page, out: Path, form: str) -> list[Path]:
    """Write the report's files, the report itself last, so that its pictures are there when it is."""
    from pipeline.serving.report import render  # noqa: PLC0415

    if form == "html":
        contents: Mapping[Path, bytes] = {out: render.as_html(page).encode()}
    else:
        folder = out.with_name(f"{out.stem}_files")
        contents = {folder / name: picture for name, picture in render.pictures(page).items()}
        contents |= {out: render.as_markdown(page, folder.name).encode()}
    try:
        for path, content in contents.items():
            path.parent.mkdir(exist_ok=True)
            _replace(path, content)
    except OSError as problem:
        raise _unwritable(out, problem) from None
    return list(contents)


def _unwritable(out: Path, problem: OSError) -> UsageError:
    return UsageError(f"--out {str(out)!r} cannot be written: {in_words(problem) or problem.strerror or problem}")


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole; it replaces one that is there."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
