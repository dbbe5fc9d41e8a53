"""What the pipeline says to all cases, in a few Spark jobs, beside what the oracle says: arrays of equal length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.clock import columns as clock
from pipeline.config.feeds import Feed
from tests.laws import cases, oracle

ZONES_OF_A_JOB = 16
NULL = -1
# After the last day that is asked.
RECEIVED = datetime(2038, 1, 1, tzinfo=UTC)
EXCLUDED_RULES = "spark.sql.optimizer.excludedRules"


@dataclass(frozen=True)
class Answers:
    """A row of each array is one question: which case's, what was asked, what was said, what is true."""

    asked: list
    case: np.ndarray
    question: dict
    said: dict
    true: dict

    def wrong(self, name, where=True):  # noqa: FBT002 - a mask, by default of all rows
        """Rows whose answer is not the oracle's, the first ten in words."""
        return self.shown(np.flatnonzero(where & (self.said[name] != self.true[name])), name)

    def shown(self, rows, name):
        """(zone, question, said, true) of the first ten rows."""
        questions = [{key: str(values[row]) for key, values in self.question.items()} for row in rows[:10]]
        return [
            (self.asked[self.case[row]].zone, question, self.said[name][row], self.true[name][row])
            for row, question in zip(rows, questions, strict=False)
        ]


def of_days(spark, asked):
    """Of each day and each length of interval: `start`, `intervals`, `instants`."""
    lengths = np.array(cases.LENGTHS)

    def table(case):
        minutes = np.tile(lengths, len(case.days))
        return pa.table({"day": as_dates(np.repeat(case.days, len(lengths))), "minutes": pa.array(minutes, pa.int32())})

    def answer(frame, case):
        day, minutes, zone = F.col("day"), F.col("minutes"), case.zone
        return frame.select(
            "row",
            clock.day_start(day, zone).alias("start"),
            clock.intervals_of_day(day, minutes, zone).alias("intervals"),
            clock.instants_of_day(day, minutes, zone).alias("instants"),
        )

    found = in_few_jobs(spark, asked, map(table, asked), answer)
    questions = [(n, day, minutes) for n, case in enumerate(asked) for day in case.days for minutes in cases.LENGTHS]
    case, day, minutes = (np.array(each) for each in zip(*questions, strict=True))
    instants = [tuple(oracle.clock(asked[n].zone).instants(day, minutes).tolist()) for n, day, minutes in questions]
    starts = [oracle.clock(asked[n].zone).quarters(day)[:1].tolist() for n, day, _ in questions]
    true = {
        "start": np.array([start[0] if start else NULL for start in starts]),
        "intervals": np.array([len(each) for each in instants]),
        "instants": as_objects(instants),
    }
    said = {"start": numbers(found["start"]), "intervals": numbers(found["intervals"]), "instants": lists(found)}
    return Answers(asked, case, {"day": as_days(day), "minutes": minutes}, said, true)


def of_labels(spark, asked):
    """Of the local times of the days: `first` and `later` instant, their days, whether it is `missing`."""

    def answer(frame, case):
        local, zone = F.col("local"), case.zone
        first = clock.instant(local, zone)
        later = clock.later_instant(local, first, zone)
        return frame.select(
            "row",
            first.alias("first"),
            later.alias("later"),
            clock.is_nonexistent(local, first, zone).alias("missing"),
            clock.local_date(first, zone).alias("first_day"),
            clock.local_date(later, zone).alias("later_day"),
        )

    of_case = [cases.labels(case) for case in asked]
    tables = (pa.table({"local": as_timestamps(labels)}) for labels in of_case)
    found = in_few_jobs(spark, asked, tables, answer)
    label = np.concatenate(of_case)
    occurrences = [oracle.clock(case.zone).occurrences(labels) for case, labels in zip(asked, of_case, strict=True)]
    first, last = (np.concatenate(each) for each in zip(*occurrences, strict=True))
    later = np.where(first == last, NULL, last)
    true = {
        "first": first,
        "later": later,
        "missing": (first < 0).astype(int),
        "first_day": label // oracle.DAY,
        "later_day": np.where(later < 0, NULL, label // oracle.DAY),
    }
    case = np.repeat(np.arange(len(asked)), [len(labels) for labels in of_case])
    return Answers(asked, case, {"label": as_times(label)}, {name: numbers(found[name]) for name in true}, true)


def of_readings(spark, asked):
    """Of every row of the files that deliver the days: `instant`, `day`, `micro`, `reason`."""
    sources = cases.sources(asked)

    def answer(frame, case):
        feed = Feed(
            name="power", format="split_json", path="unused", time_zone=case.zone, interval_minutes=case.minutes
        )
        form = formats.format_of(feed)
        judged = form.in_order(form.judged(frame, feed, F.lit(RECEIVED)), feed)
        row = F.col("file_id") * cases.ROWS_OF_A_FILE + F.col("row_number")
        return judged.select(
            row.alias("row"),
            "interval_start",
            "local_date",
            "consumption",
            F.coalesce("reason_code", F.lit("")).alias("reason"),
        )

    found = in_few_jobs(spark, asked, (source.bronze() for source in sources), answer)
    said = {
        "instant": numbers(found["interval_start"]),
        "day": numbers(found["local_date"]),
        "micro": numbers(found["consumption"]),
        "reason": found["reason"].to_numpy(),
    }
    names = ("file", "row", "meter", "newest_first", "label", "day", "instant", "micro", "reason")
    every = {name: np.concatenate([getattr(source, name) for source in sources]) for name in names}
    case = np.repeat(np.arange(len(asked)), [len(source.row) for source in sources])
    question = {name: every[name] for name in ("file", "row", "meter", "newest_first")}
    return Answers(
        asked, case, {"label": as_times(every["label"]), **question}, said, {name: every[name] for name in said}
    )


def in_few_jobs(spark, asked, tables, answer):
    """`answer(frame, case)` of each case and its table as Arrow, in their order, by the number `row` that it has."""
    found, parts, row = [], [], 0
    # Else the optimiser computes these small tables by itself, row by row and not as a run does: in compiled code.
    spark.conf.set(EXCLUDED_RULES, "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation")
    try:
        for case, table in zip(asked, tables, strict=True):
            numbered = table.append_column("row", [np.arange(row, row := row + len(table))])
            parts.append(answer(spark.createDataFrame(numbered), case))
            if len(parts) == ZONES_OF_A_JOB or case is asked[-1]:
                found.append(reduce(lambda a, b: a.unionAll(b), parts).toArrow())
                parts = []
    finally:
        spark.conf.unset(EXCLUDED_RULES)
    return pa.concat_tables(found).sort_by("row")


def numbers(column):
    """An Arrow column as integers: dates as days, timestamps as seconds, decimals as millionths; NULL as -1."""
    kind = column.type
    if pa.types.is_date(kind):
        column = pc.cast(column, pa.int32())
    elif pa.types.is_timestamp(kind):
        column = pc.divide(pc.cast(column, pa.int64()), cases.MICRO)
    elif pa.types.is_decimal(kind):
        column = pc.cast(pc.multiply(column, pa.scalar(cases.MICRO)), pa.int64())
    return pc.fill_null(pc.cast(column, pa.int64()), NULL).to_numpy()


def lists(found):
    """The column `instants` as tuples of seconds."""
    sizes, seconds = pc.list_value_length(found["instants"]), numbers(pc.list_flatten(found["instants"])).tolist()
    ends = np.cumsum(sizes.to_numpy()).tolist()
    return as_objects([tuple(seconds[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)])


def as_objects(values):
    """An array whose elements are those values, whatever they are."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def as_days(days):
    return np.asarray(days, "datetime64[D]")


def as_times(seconds):
    return np.asarray(seconds, "datetime64[s]")


def as_dates(days):
    return pa.array(days, pa.int32()).cast(pa.date32())


def as_timestamps(seconds):
    return pa.array(seconds * cases.MICRO).cast(pa.timestamp("us", tz="UTC"))
