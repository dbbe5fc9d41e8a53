"""A lake that the driver writes, without Spark: what the log, ops.runs and gold say is given by the test."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries.delivery import Delivery
from pipeline.lake import access, maintenance, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
EMPTY = tempfile.TemporaryDirectory(prefix="meterlake_empty_")
NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
GAS = Feed(name="gas", format="smrt", path="in/gas")
ELECTRICITY = Feed(name="electricity", format="split_json", path="in/electricity", time_zone="Europe/London")


def at(text: str) -> datetime:
    """An instant of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def delivery(file_id: int, path: str, status: str = "loaded", code: str | None = None, **more: Any) -> Delivery:
    """A row of the log."""
    given = {"feed": "gas", "batch_id": file_id, "revision": file_id, "reason_code": code, "status": status} | more
    if code and "reason" not in given:
        given["reason"] = f"the reason of {path}"
    return Delivery(
        given.pop("feed"), path.rpartition("/")[2], f"/in/{path}", path, 1, None, file_id=file_id, sha256="0", **given
    )


def ran(command: str, finished: str, status: str = "succeeded", error: str | None = None) -> dict[str, Any]:
    """A row of ops.runs, a minute long."""
    end = at(finished)
    facts = {"run_id": f"{command}-{finished}", "command": command, "status": status, "error": error}
    counts = dict.fromkeys(("files", "rows_read", "rows_merged"), 0)
    layers = dict.fromkeys(("bronze_milliseconds", "silver_milliseconds", "gold_milliseconds"))
    return facts | counts | layers | {"started_at": end.replace(second=0), "finished_at": end}


def written(
    folder: Path,
    *feeds: Feed,
    deliveries: Sequence[Delivery] = (),
    received: Mapping[int, datetime] | None = None,
    runs: Sequence[dict[str, Any]] = (),
    days: Mapping[str, Sequence[str]] | None = None,
    now: datetime = NOW,
    **settings: Any,
) -> Context:
    """The context of such a lake; `days` are the local days of each feed that have readings."""
    context = again(folder, *feeds, now=now, **settings)
    shutil.copytree(_empty(feeds or (GAS,)), folder / "lake")
    rows = []
    for each in deliveries:
        came = (received or {}).get(each.file_id, at("2026-11-29 06:30"))
        own = {name: getattr(each, name, None) for name in tables.INGESTION_LOG.names}
        rows.append(own | {"received_at": came, "run_id": "r", "local_dates": list(each.local_dates)})
    access.write_rows(context, tables.INGESTION_LOG, rows, {"batch_id": len(rows)})
    add_runs(context, *runs)
    meter_days = [_meter_day(feed, date.fromisoformat(day)) for feed, some in (days or {}).items() for day in some]
    access.write_rows(context, tables.METER_DAY, meter_days, {"batch_id": len(rows)})
    return context


def _empty(feeds: tuple[Feed, ...]) -> Path:
    """An empty lake of such feeds, made once: tables are made in half a second, and copied in no time."""
    place = Path(EMPTY.name) / "-".join(feed.name for feed in feeds)
    if not place.exists():
        context = again(place, *feeds)
        maintenance.create_missing(context, formats.lake_tables(context.settings))
    return place / "lake"


def again(folder: Path, *feeds: Feed, now: datetime = NOW, **settings: Any) -> Context:
    """Another run on the same lake."""
    values = {"lake": str(folder / "lake"), "feeds": feeds or (GAS,), **settings}
    return Context(Settings(**values), now=now, log=Log("", quiet=True))


def add_runs(context: Context, *runs: dict[str, Any]) -> None:
    """More rows of ops.runs."""
    access.write_rows(context, tables.RUNS, list(runs), {})


def _meter_day(feed: str, day: date) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(tables.METER_DAY.names)
    return row | {
        "feed": feed, "meter_id": "1", "direction": "import", "local_date": day, "unit": "kWh",
        "intervals_received": 24, "intervals_expected": 24,
    }  # fmt: skip
