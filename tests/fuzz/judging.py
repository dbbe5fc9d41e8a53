"""Deliveries and judged rows in the form of the oracles, and where the two sides differ."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from pipeline.deliveries.delivery import Delivery
from pipeline.formats.row_rules import FILE_CODES

if TYPE_CHECKING:
    from collections.abc import Callable

# All files came then; the feeds leave `earliest` and `latest_days_ahead` as they are.
AT = datetime(2021, 11, 1, tzinfo=UTC)
MILLION = 1_000_000
SHOWN = 5


def delivery(feed, name, file_id):
    """The file of that name as it was found."""
    return Delivery(feed.name, name, f"{feed.path}/{name}", name, 1, AT, file_id=file_id)


def readings_by_file(judged, *more):
    """file_id -> rows (row_number, code, meter, start in seconds, millionths, *more), in order; only what passed has values."""
    passed = F.col("reason_code").isNull()
    has_reason = F.coalesce(F.length("reason") > 0, F.lit(False))  # noqa: FBT003
    rows = judged.select(
        "file_id",
        "row_number",
        F.when(passed | has_reason, F.col("reason_code")).otherwise("refused without a reason"),
        "meter_id",
        F.when(passed & F.col("consumption").isNotNull(), F.unix_timestamp("interval_start")),
        F.when(passed, F.col("consumption") * MILLION).cast("bigint"),
        *(F.when(passed, F.col(name)) for name in more),
    )
    found = defaultdict(list)
    columns = [column.to_pylist() for column in rows.toArrow().columns]
    for file_id, *row in zip(*columns, strict=True):
        found[file_id].append(tuple(row))
    return {file_id: in_order(each) for file_id, each in found.items()}


def in_order(rows):
    """Rows sorted by all their values, none before any."""
    return sorted(rows, key=lambda row: [(value is not None, value) for value in row])


@dataclass
class Fuzzed:
    """The oracle's verdict and ours on each file, by number; for sound files both sides' rows."""

    made: Callable
    true: list = field(default_factory=list)
    said: list = field(default_factory=list)
    rows: dict = field(default_factory=dict)

    def add(self, true, said):
        code, rows = true
        self.true.append((code, rows and in_order(rows)))
        self.said.append(said)

    def file_codes(self):
        return [code for code, _ in self.true]

    def row_codes(self):
        return [row[1] for _, rows in self.true for row in rows or ()]

    def _both_sound(self):
        for number, (true, said) in enumerate(zip(self.true, self.said, strict=True)):
            if true[0] is None and said.reason_code is None:
                yield number, true[1], self.rows.get(number, [])

    def _shown(self, number, *what):
        made = self.made(number)
        return number, made.name, made.content[: SHOWN * 100], *what

    def wrong_verdicts(self):
        """Files with another verdict than the oracle's, the first few in words."""
        pairs = enumerate(zip(self.true, self.said, strict=True))
        wrong = [(number, true[0], said.reason_code) for number, (true, said) in pairs if true[0] != said.reason_code]
        return [self._shown(*each) for each in wrong[:SHOWN]]

    def badly_told(self):
        """Refusals without a known code and a reason of one short line, or with rows."""
        wrong = [n for n, said in enumerate(self.said) if said.reason_code is not None and not is_told(said)]
        return [self._shown(number, self.said[number]) for number in wrong[:SHOWN]]

    def wrong_rows(self):
        """Rows that were judged differently from the oracle."""
        wrong = [
            (number, true, said)
            for number, rows, found in self._both_sound()
            for true, said in zip(rows, found, strict=False)
            if true != said
        ]
        return [self._shown(*each) for each in wrong[:SHOWN]]

    def lost_rows(self):
        """Files whose rows differ from the source, or from the number in their verdict."""
        wrong = []
        for number, rows, found in self._both_sound():
            went_in, came_out = {row[0] for row in rows}, {row[0] for row in found}
            if went_in != came_out or len(rows) != len(found) or self.said[number].rows_read != len(went_in):
                wrong.append((number, len(rows), len(found), self.said[number].rows_read))
        return [self._shown(*each) for each in wrong[:SHOWN]]


def is_told(refused):
    reason = refused.reason.encode()
    known = refused.reason_code in FILE_CODES and refused.status == "rejected" and refused.rows_read == 0
    return known and 0 < len(reason) < 2000 and b"\n" not in reason
