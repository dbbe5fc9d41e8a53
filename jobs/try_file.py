"""`try FILE --feed NAME`: what would become of a file. No lake is needed, nothing is written, no JVM starts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.shared import trial_text
from jobs.shared.output import cell
from pipeline import formats
from pipeline.clock.local_time import day_minutes, wall_clock
from pipeline.config.values import DAY_MINUTES
from pipeline.deliveries import local_files
from pipeline.deliveries.delivery import LOADED, Delivery
from pipeline.errors import FileError, UsageError
from pipeline.formats import advice, trial
from pipeline.runtime import memory

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.formats.trial import Trial
    from pipeline.runtime.context import Context

BAD_NAME = "BAD_FILE_NAME"
_GENERATION = re.compile(rb"\b(?:PN|DV)[0-9]{6}\b")


def run(context: Context, file: Path, feed_name: str, rows: int, *, as_json: bool) -> bool:
    """Print what would become of the file, of its first `rows` rows; whether it would be loaded."""
    feed = next((each for each in context.settings.feeds if each.name == feed_name), None)
    if feed is None:
        names = ", ".join(each.name for each in context.settings.feeds)
        raise UsageError(f"no feed {feed_name!r} in the configuration: use {names}, or add one (main.py guess FILE)")
    found, name_is_bad = _tried(context, file, feed, rows)
    facts = _facts(found, feed, name_is_bad)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        trial_text.show(facts, feed)
    return found.delivery.reason_code is None


def _tried(context: Context, file: Path, feed: Feed, rows: int) -> tuple[Trial, str | None]:
    """The trial, and what is wrong with the file's name, which need not be one for the feed."""
    seen = _seen(file)
    relative = _below(file, Path(feed.path)) or file.name
    delivery = Delivery(feed.name, file.name, str(file), relative, seen.size, seen.modified)
    if objection := memory.too_large(seen.size):
        return trial.Trial(delivery.refused("UNREADABLE", objection)), None
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise FileError(str(file), f"cannot be read: {problem.strerror or problem}") from None
    environment, name_is_bad = context.settings.environment, None
    looked_at = trial.inspected(content, delivery, feed, environment)
    if looked_at.reason_code == BAD_NAME:
        name_is_bad = looked_at.reason
        name = _good_name(content, feed)
        looked_at = trial.inspected(content, replace(delivery, file_name=name), feed, environment)
    return trial.tried(content, looked_at, feed, context.now, rows), name_is_bad


def _seen(file: Path) -> local_files.Seen:
    try:
        entry = file.stat()
    except OSError as problem:
        raise FileError(str(file), f"cannot be read: {problem.strerror or problem}") from None
    if not file.is_file():
        raise FileError(str(file), "is not a file: name one delivery")
    return local_files.Seen(entry.st_size, entry.st_mtime_ns // 1000)


def _below(file: Path, folder: Path) -> str | None:
    """The file's path below the feed's folder, if it lies there."""
    here, there = file.absolute(), folder.absolute()
    return here.relative_to(there).as_posix() if here.is_relative_to(there) else None


def _good_name(content: bytes, feed: Feed) -> str:
    """A name that the format takes: of SMRT the one that the header says."""
    found = _GENERATION.search(content.split(b"\n", 1)[0])
    return (found[0].decode() if found else "PN000000") + formats.format_of(feed).ending


def _facts(found: Trial, feed: Feed, name_is_bad: str | None) -> dict[str, Any]:
    verdict = found.delivery
    code, days = verdict.reason_code, sorted(found.days.items())
    return {
        "feed": feed.name,
        "file": verdict.file_path,
        "status": verdict.status if code else LOADED,
        "reason_code": code,
        "reason": verdict.reason,
        "what_to_do": advice.OF_CODE.get(code, advice.OTHERWISE) if code else None,
        "name_is_refused": name_is_bad,
        "rows_in_file": found.rows_in_file,
        "rows_read": verdict.rows_read,
        "rows_accepted": verdict.rows_accepted if found.can_be_judged else None,
        "rows_rejected": verdict.rows_rejected if found.can_be_judged else None,
        "rows_without_reading": found.without_reading,
        "readings": sum(day.readings for day in found.days.values()),
        "readings_superseded": found.superseded,
        "meters": found.meters,
        "unit": feed.kept_unit,
        "time_zone": feed.time_zone,
        "first_readings": [_reading(each, feed) for each in found.first],
        "days": [
            {"local_date": str(date), "direction": way, "meters": day.meters, "readings": day.readings}
            | {"consumption": cell(day.consumption)}
            for (date, way), day in days
        ],
        "clock_changes": _clock_changes(found, feed),
        "rejected_by_code": dict(found.codes.most_common()),
        "rejected_rows": [
            {"row": each.row_number, "meter_id": each.meter, "reason_code": each.reason_code, "reason": each.reason}
            for each in found.refused[: trial.SHOWN_REFUSALS]
        ],
    }


def _reading(each: trial.Shown, feed: Feed) -> dict[str, Any]:
    reading = each.reading
    local = wall_clock(reading.interval_start, feed.time_zone)
    return {
        "row": reading.row_number,
        "meter_id": each.meter,
        "direction": reading.direction,
        "local_start": None if local is None else f"{local:%Y-%m-%d %H:%M}",
        "interval_start": cell(reading.interval_start),
        "interval_minutes": reading.interval_minutes,
        "consumption": cell(reading.consumption),
        "quality": reading.quality,
    }


def _clock_changes(found: Trial, feed: Feed) -> list[dict[str, Any]]:
    """Days of the file that are not 24 hours long, with the intervals that a meter has on it and should have."""
    return [
        {
            "local_date": str(date),
            "direction": way,
            "hours": day_minutes(date, feed.time_zone) / 60,
            "most_readings_of_a_meter": day.most_readings,
            "intervals_of_the_day": day_minutes(date, feed.time_zone) // day.minutes,
        }
        for (date, way), day in sorted(found.days.items())
        if day_minutes(date, feed.time_zone) != DAY_MINUTES
    ]
