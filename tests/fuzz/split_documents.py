"""Seeded split-JSON files around London's clock changes: sound ones in all their spellings, and spoilt ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.fuzz.json_documents import Writer, delivered, nested, odd_value

ZONE = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
WANTED = ["interval_start", "meterpoint_id", "consumption_delta"]
# Instants (UTC) an hour or two before a change of the clocks, or of no change.
BEGINS = [
    *(datetime(2021, 3, 28, 0, tzinfo=UTC), datetime(2021, 10, 30, 23, tzinfo=UTC), datetime(2020, 10, 24, 23, 30, tzinfo=UTC)),
    *(datetime(2021, 6, 30, 22, tzinfo=UTC), datetime(2021, 12, 31, 23, tzinfo=UTC), datetime(2017, 10, 28, 23, tzinfo=UTC)),
    *(datetime(1971, 10, 31, 1, tzinfo=UTC), datetime(1995, 3, 26, 0, tzinfo=UTC), datetime(2090, 3, 26, 0, tzinfo=UTC)),
]  # fmt: skip
ODD_LABELS = [
    *("2021-03-28 01:00:00", "2021-03-28 01:30:00", "2021-03-28 01:15:00", "2021-10-31 01:15:00", "2021-10-31 01:00:01"),
    *("2021-03-28 02:00:00", "2021-10-31 01:59:59", "2021-01-01 00:10:00", "2021-02-29 00:00:00", "2021-01-01 24:00:00"),
    *("2021-01-01 00:60:00", "2021-01-01 00:00:60", "2021-01-01", "2021-01-01 00:00", "2021-01-01T00:00:00", "01/01/2021 00:00:00"),
    *("2021-01-01 00:00:00Z", "2021-01-01 00:00:00.0", "2021-01-01 00:00:00+01:00", " 2021-01-01 00:00:00", "2021-1-1 00:00:00"),
    *("0001-01-01 00:00:00", "0000-01-01 00:00:00", "9999-12-31 23:30:00", "+2021-01-01 00:00:00", "-021-01-01 00:00:00"),
    *("1847-12-01 00:00:00", "1847-12-01 00:30:00", "1940-02-25 02:30:00", "1916-10-01 02:30:00", "1941-08-10 02:00:00"),
    *("٢٠٢١-01-01 00:00:00", "２021-01-01 00:00:00", "2021-01-01\u00a000:00:00", "2021-01-01 00:00:00\n", "12021-01-01 00:00:00"),
    *("2021-1-01  00:00:00", "2021-01-1 000:00:00", "2021-01-01 0:000:00", "2021-01-01 -1:00:00", "2021-13-01 00:30:00", "1e3"),
]  # fmt: skip


def made(number):
    """The file of that number, always the same."""
    dice = random.Random(f"split {number}")
    writer = Writer(dice)
    columns = list(WANTED)
    dice.shuffle(columns)
    if dice.random() < 0.2:
        columns.insert(
            dice.randrange(4),
            dice.choice(("more", "", "a.b", "Consumption_Delta", "é", "a\\", 'a"b', "data", "columns")),
        )
    rows = _rows(dice, writer, columns)
    # A third is left as it is, another has odd cells, or rows that are too short or too long.
    change = dice.randrange(12)
    if change in {4, 5, 6} or dice.random() < 0.05:
        for cells in rows:
            if dice.random() < 0.5:
                _spoil_row(dice, writer, cells, columns)
    written = [writer.array(cells) for cells in rows]
    if change == 7:
        _spoil_rows(dice, written)
    names = [writer.text(name) for name in columns]
    if change == 8:
        _spoil_names(dice, writer, names)
    members = [('"columns"', writer.array(names)), ('"data"', writer.array(written))]
    if dice.random() < 0.2:
        members.reverse()
    if change == 9:
        _spoil_members(dice, writer, members)
    return delivered(dice, number, writer.object(members), is_spoilt=change in {10, 11})


def _rows(dice, writer, columns):
    """Rows of one or two meters over a few half hours, oldest or newest first, rarely neither."""
    begin, count = dice.choice(BEGINS) + HALF_HOUR * dice.randrange(4), dice.choice((0, 1, 2, 3, 5, 8))
    meters = [dice.choice(('"14"', "14", '"007"', '"Zähler 1"', "1.40", "1E5", '" m"')), '"15"'][
        : dice.choice((1, 1, 2))
    ]
    labels = [(begin + n * HALF_HOUR).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") for n in range(count)]
    order = dice.randrange(5)
    if order >= 3:
        labels.reverse()
    if order == 2:
        labels = dice.choices(labels, k=count) if labels else []
    rows = []
    for label in labels:
        for meter in meters:
            number = f"{dice.randrange(1000)}{dice.choice(('', '.5', '.1234565', '.000000499', 'e-3'))}"
            cell = {
                "interval_start": writer.text(label),
                "meterpoint_id": meter,
                "consumption_delta": dice.choice((number, f'"{number}"')),
            }
            rows.append([cell.get(name, dice.choice(("null", "1", '"x"'))) for name in columns])
    return rows


def _spoil_row(dice, writer, cells, columns):
    change = dice.randrange(8)
    if change < 3:
        negative = dice.choice(("-1", "-0.5", '"-0.001"'))
        cells[columns.index("consumption_delta")] = negative if dice.random() < 0.1 else odd_value(dice, writer)
    elif change == 3:
        cells[columns.index("interval_start")] = (
            writer.text(dice.choice(ODD_LABELS)) if dice.random() < 0.7 else odd_value(dice, writer)
        )
    elif change == 4:
        cells[columns.index("meterpoint_id")] = dice.choice(("null", '""', '" "', odd_value(dice, writer)))
    elif change == 5:
        del cells[dice.randrange(len(cells)) :]
    elif change == 6:
        cells.insert(dice.randrange(len(cells) + 1), odd_value(dice, writer))
    else:
        cells[dice.randrange(len(cells))] = nested(dice) if dice.random() < 0.3 else odd_value(dice, writer)


def _spoil_rows(dice, written):
    """Rows repeated, swapped, left out, or something else than arrays."""
    odd = dice.choice(("null", "1", '"x"', '"[]"', "{}", '{"0": 1}', "true", "[]", "", "[[]]", "[1,]"))
    at = dice.randrange(len(written) + 1)
    if dice.random() < 0.6:
        written.insert(at, odd)
    else:
        written[at:at] = written[dice.randrange(len(written) + 1) :]
        dice.shuffle(written)


def _spoil_names(dice, writer, names):
    at, change = dice.randrange(len(names)), dice.randrange(6)
    if change == 0:
        del names[at]
    elif change == 1:
        names.append(dice.choice(names))
    elif change == 2:
        names[at] = names[at].upper()
    elif change == 3:
        names[at] = odd_value(dice, writer)
    elif change == 4:
        names[at] = dice.choice(names)
    else:
        names[at] = '"\\u0069' + names[at][2:]


def _spoil_members(dice, writer, members):
    at, change = dice.randrange(len(members)), dice.randrange(7)
    key, value = members[at]
    if change == 0:
        del members[at]
    elif change == 1:
        members.insert(dice.randrange(3), dice.choice(members))
    elif change == 2:
        members[at] = (
            dice.choice((key.upper(), "data", '"dat\\u0061"', '""', '" data"', "'data'", "1", '"data "')),
            value,
        )
    elif change <= 4:
        members[at] = (key, dice.choice(("null", "{}", "[[]]", "[null]", '"[]"', odd_value(dice, writer))))
    else:
        more = (dice.choice(('"meta"', '"x\\"data"', '"0"')), dice.choice((nested(dice), odd_value(dice, writer))))
        members.insert(dice.randrange(3), more)
