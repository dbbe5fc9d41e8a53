"""`demo`: sample deliveries into the landing folders of the configuration, a run, and the result shown."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from jobs import query
from jobs import run as main_job
from jobs.shared import output
from jobs.shared.called import to_copy
from pipeline.deliveries import landing
from pipeline.errors import ConfigurationError
from pipeline.formats import reference_database, samples
from pipeline.formats.reference_sqlite import SqliteFile

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.config.settings import Settings
    from pipeline.runtime.context import Context

TABLES = """
CREATE TABLE agreement (agreement_id BIGINT, agreement_valid_from TEXT, agreement_valid_to TEXT, product_id TEXT,
                        meterpoint_id TEXT, account_id TEXT);
CREATE TABLE product (display_name TEXT, is_variable BIGINT, id BIGINT, product_id TEXT);
CREATE TABLE meterpoint (region TEXT, meterpoint_id TEXT);
"""
QUESTIONS = (
    (
        "Days of 23, 24 and 25 hours: fewest and most intervals of a meter, and none is missing",
        """SELECT feed, local_date, count(*) AS meters, min(intervals_expected) AS fewest,
                  max(intervals_expected) AS most,
                  sum(intervals_expected - intervals_received) AS missing, sum(consumption) AS kwh
           FROM gold.meter_day WHERE feed IN ('{electricity}', '{vilnius}')
           GROUP BY feed, local_date ORDER BY feed, local_date""",
    ),
    (
        "What each product used on the longest day",
        """SELECT date, product_display_name, meterpoint_count, total_kwh
           FROM gold.consumption_per_product_per_day WHERE date = DATE'2021-10-31' ORDER BY total_kwh DESC""",
    ),
)
SQL = 'sql --engine duckdb "SELECT * FROM gold.feed_day ORDER BY ALL"'


def run(context: Context, *, as_json: bool) -> None:
    """Write the samples, run the main job, show the result."""
    write(context)
    outcome = main_job.run(context, command="demo")
    output.outcome(outcome, as_json=as_json)
    if as_json:
        return
    names = {name: feed.name for name, feed in _feeds(context.settings).items()}
    for title, question in QUESTIONS:
        answer = query.answer(context, question.format(**names))
        output.fitted(answer.column_names, [list(row.values()) for row in answer.to_pylist()], title=title)
    out = output.console()
    out.print(Text("Look further:", style="bold"))
    explained = f"explain {samples.METERPOINTS[0]} 2021-03-28T18:30Z"
    for command in ("status", "files", "rejected", explained, SQL, "serve"):
        out.print(Text("  " + to_copy(f"main.py {command}")), soft_wrap=True)


def write(context: Context) -> None:
    """Write the sample files and the reference database with fixed times: written twice, they are not new."""
    feeds = _feeds(context.settings)
    if len(feeds) < len(samples.FORMATS) or context.settings.reference is None:
        needed = ", ".join(f"{name} ({form})" for name, form in samples.FORMATS.items())
        raise ConfigurationError("for the demo", f"needs [reference] and the feeds of conf/local.toml: {needed}")
    for feed in context.settings.feeds:
        if "://" in feed.path:
            raise ConfigurationError("for the demo", f"feed {feed.name!r}: the demo writes to local folders only")
    source = reference_database.source_of(context.settings)
    if not (isinstance(source, SqliteFile) and source.is_plain):
        raise ConfigurationError("for the demo", "[reference] must name a local SQLite file: the demo writes one")
    database = Path(source.location)
    for feed in context.settings.feeds:
        _must_hold_samples_only(feed, [name for name, each in feeds.items() if each is feed])
    for feed in context.settings.feeds:
        Path(feed.path).mkdir(parents=True, exist_ok=True)
    for sample in samples.deliveries():
        path = Path(feeds[sample.feed].path) / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != sample.content:
            path.write_bytes(sample.content)
        os.utime(path, (sample.modified_at.timestamp(), sample.modified_at.timestamp()))
    if not database.exists():
        _create(database)


def _feeds(settings: Settings) -> dict[str, Feed]:
    """Name of a feed that has samples -> the feed of this name that takes them, else the first one of the format."""
    found: dict[str, Feed] = {}
    for name, form in samples.FORMATS.items():
        alike = [feed for feed in settings.feeds if feed.format == form]
        named = [feed for feed in alike if feed.name == name]
        # A csv feed says itself what its files look like: another one would refuse them.
        if fitting := named or ([] if form == "csv" else alike):
            found[name] = fitting[0]
    return found


def _must_hold_samples_only(feed: Feed, names: list[str]) -> None:
    """The demo must not load or overwrite real deliveries; `names` has those of the samples that the feed takes."""
    own = {sample.path: sample.content for sample in samples.deliveries() if sample.feed in names}
    for found in landing.find(feed) if Path(feed.path).exists() else []:
        path = Path(feed.path) / found.relative_path
        if found.relative_path not in own or not path.is_file() or path.read_bytes() != own[found.relative_path]:
            raise ConfigurationError(
                "for the demo",
                f"feed {feed.name!r}: {path} is not one of the demo's deliveries: the demo writes only into folders "
                "that hold nothing else; name other folders and another lake",
            )


def _create(database: Path) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    unfinished = database.with_name(database.name + ".part")
    with tempfile.TemporaryDirectory() as folder:  # a volume takes whole files only, and SQLite writes here and there
        made = Path(folder, "reference.db")
        with closing(sqlite3.connect(made)) as connection:
            connection.executescript(TABLES)
            for table, rows in samples.reference_rows().items():
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names
            connection.commit()
        shutil.copyfile(made, unfinished)
    unfinished.replace(database)
