"""Seeded OBIS-JSON files: sound ones in all their spellings, and spoilt ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tests.fuzz.json_documents import Writer, delivered, nested, odd_value

IN, OUT = '"0100011D00FF"', '"0100021D00FF"'
QUARTER = timedelta(minutes=15)
BEGINS = [datetime(2021, 3, 28, tzinfo=UTC), datetime(2021, 10, 31, tzinfo=UTC), datetime(2020, 2, 29, 23, tzinfo=UTC)]
FORMS = ["%Y-%m-%dT%H:%M:%SZ"] * 4 + ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S.000Z"]
ODD_LABELS = [
    *("2021-03-28T00:10:00Z", "2021-03-28T00:10:00Z", "2021-03-28T23:59Z", "2021-03-28T00:15:01Z", "2021-03-28T00:15:00.001Z", "2021-03-28T00:15:00.Z", "2021-03-28T00:15:00"),
    *("2021-03-28T00:15:00z", "2021-03-28 00:15:00Z", "2021-03-28T00:15:00+00:00", "2021-03-28T00:15:00Z ", " 2021-03-28T00:15:00Z"),
    *("2021-02-29T00:00:00Z", "2021-03-28T24:00:00Z", "2021-03-28T00:60:00Z", "2021-03-28T00:00:60Z", "2021-3-28T00:00:00Z"),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:45:00Z", "+12021-01-01T00:00:00Z", "-001-01-01T00:00:00Z"),
    *("1969-12-31T23:45:00Z", "2021-11-08T00:00:00Z", "2021-11-08T00:15:00Z", "2099-01-01T00:00:00Z", "2022-01-01T00:00Z"),
    *("2021-03-28", "2021-03-28T00Z", "T00:15:00Z", "1616890500", "２021-03-28T00:15:00Z", "2021-03-28T00:15:00Z\n", "20210328T001500Z"),
]  # fmt: skip
ODD_KEYS = [
    *('"0100011d00ff"', '"0100021d00fF"', '"0100011\\u004400FF"', '"tag\\u0073"', '"m\\u0075id"'),  # these are right
    *('"0100010800FF"', '"0100020800FF"', '"0100031D00FF"', '"0200011D00FF"', '"0100011D01FF"', '"0100011D00FE"', '"01000F1D00FF"'),
    *('"0100011D00F"', '"0100011D00FF0"', '"0100011D00FG"', '"1-0:1.29.0*255"', '"Timestamp"', '"TAGS"', '"muid"', '"quality"', '""'),
    *('" timestamp"', '"0100011D00FF "', '"data"', '"MUID"', '"x"', "tags", "'tags'", '"0100011D００FF"', '"\\u0000"'),
]  # fmt: skip


def made(number):
    """The file of that number, always the same."""
    dice = random.Random(f"obis {number}")
    writer = Writer(dice)
    records = _records(dice, writer)
    # A third is left as it is, another has odd values, or keys left out and doubled.
    change = dice.randrange(12)
    if change in {4, 5, 6, 7} or dice.random() < 0.05:
        for record in records:
            if dice.random() < 0.4:
                _spoil_record(dice, writer, record)
    if change == 8:
        for record in dice.sample(records, min(1, len(records))):
            at = dice.randrange(len(record))
            record[at] = (dice.choice(ODD_KEYS), record[at][1])
    written = [writer.object([(key, _value(writer, value)) for key, value in record]) for record in records]
    members = [('"data"', writer.array(written))]
    if change == 3 and dice.random() < 0.3 and records:
        odd = dice.choice(('"power"', "1", '"Energy"', '""', '" energy"', "true", "{}", '["energy"]'))
        dice.choice(records).append(('"measurement"', odd))
        written = [writer.object([(key, _value(writer, value)) for key, value in record]) for record in records]
        members = [('"data"', writer.array(written))]
    if change == 9:
        members = _odd_members(dice, writer, members, written)
    return delivered(dice, number, writer.object(members), is_spoilt=change in {10, 11})


def _value(writer, value):
    return writer.object(value) if isinstance(value, list) else value


def _records(dice, writer):
    """Records of one or two meters over a few quarter hours, as lists of members; tags are lists too."""
    begin, count = dice.choice(BEGINS), dice.choice((0, 1, 2, 3, 5))
    meter, form = dice.choice(('"14"', "14", '"007"', '"Zähler 1"', "1.40", "-1E5", '": 1.50"')), dice.choice(FORMS)
    records = []
    for n in range(count):
        tags = [('"muid"', meter if dice.random() < 0.8 else '"15"')]
        if dice.random() < 0.7:
            tags.append(('"quality"', dice.choice(('"measured"', '"estimated"', "null", '""', "2.50", '"a \\\\ b"'))))
        label = (begin + n * QUARTER).strftime(form)
        record = (
            [('"measurement"', dice.choice(('"energy"', '"energy"', "null", '"en\\u0065rgy"')))]
            if dice.random() < 0.5
            else []
        )
        record += [('"timestamp"', writer.text(label)), ('"tags"', tags)]
        codes = dice.choice(((IN,), (OUT,), (IN, OUT), (IN, OUT), ()))
        for code in codes:
            number = f"{dice.randrange(1000)}{dice.choice(('', '.5', '.1234565', '.000000499', 'e-3'))}"
            record.append((code, dice.choice((number, number, f'"{number}"'))))
        if dice.random() < 0.3:
            dice.shuffle(record)
            dice.shuffle(tags)
        records.append(record)
    if dice.random() < 0.5:
        records.reverse()
    return records


def _spoil_record(dice, writer, record):
    change, at = dice.randrange(10), dice.randrange(len(record))
    key, value = record[at]
    places = {name: n for n, (name, _) in enumerate(record)}
    codes = [places[code] for code in (IN, OUT) if code in places]
    tags = record[places['"tags"']][1]
    if change < 3 and codes and dice.random() < 0.1:
        place = dice.choice(codes)
        record[place] = (record[place][0], "-" + dice.choice(("1", "0.5", "0.000001", "1e3")))
    elif change < 3 and codes:
        place = dice.choice(codes)
        record[place] = (record[place][0], odd_value(dice, writer))
    elif change == 3:
        label = writer.text(dice.choice(ODD_LABELS)) if dice.random() < 0.8 else odd_value(dice, writer)
        record[places['"timestamp"']] = ('"timestamp"', label)
    elif change == 4:
        tags[0] = (tags[0][0], dice.choice(("null", '""', '" \\t"', odd_value(dice, writer))))
    elif change == 5:
        del record[at]
    elif change == 6:
        doubled = (
            key.swapcase() if key in {IN, OUT} and dice.random() < 0.5 else key,
            dice.choice((value, value, "1")),
        )
        record.insert(dice.randrange(len(record) + 1), doubled)
    elif change == 7:
        tags.insert(
            dice.randrange(len(tags) + 1), dice.choice((tags[0], tags[-1], ('"quality"', odd_value(dice, writer))))
        )
    elif change == 8:
        tags[dice.randrange(len(tags))] = (
            dice.choice(('"muid"', '"quality"', '"q\\u0075ality"', '"other"')),
            odd_value(dice, writer),
        )
    else:
        record[at] = (key, odd_value(dice, writer) if dice.random() < 0.9 else nested(dice))


def _odd_members(dice, writer, members, written):
    change = dice.randrange(6)
    if change == 0:
        return members * 2
    if change == 1:
        return [(dice.choice(('"Data"', '"data "', '"dat\\u0061"', '""', "data", '"rows"')), members[0][1])]
    if change == 2:
        return [('"data"', odd_value(dice, writer) if dice.random() < 0.8 else nested(dice))]
    if change == 3:
        more = ('"meta"', odd_value(dice, writer) if dice.random() < 0.7 else nested(dice))
        return dice.choice(([more, *members], [*members, more]))
    written.insert(
        dice.randrange(len(written) + 1),
        dice.choice(("null", "1", '"x"', "[]", "{}", "[{}]", "", "true", odd_value(dice, writer))),
    )
    return [('"data"', writer.array(written))] if change < 5 else []
