"""Seeded interval arrays around Vilnius' clock changes: sound files of all widths and encodings, and odd ones."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.hostile import TEXTS, spoilt_bytes

COLUMNS = ("client_id", "date", "ext_dev_ref", "energy_consumption", "resolution")
DAYS = ["2021-03-27", "2021-03-28", "2021-10-31", "2021-11-01", "2020-02-29", "2036-03-30", "2036-10-26", "2090-03-26"]
DAYS += ["2021-11-07", "2021-11-08", "2019-10-27", "2018-03-25"]  # two around the last that is in range
ODD_DAYS = [
    "2021-02-29",
    "27.03.2021",
    "2021-3-27",
    "",
    " 2021-03-27",
    "2021-03-27 00:00:00",
    "2021-03-27 01:00:00",
    "2021-03-27T00:00:00",
]
ODD_DAYS += ["0001-01-01", "9999-12-31", "0000-01-01", "٢٠٢١-03-27", "+2021-03-27", "20210327", None, "10000-01-01"]
LENGTHS = (1, 23, 24, 25, 46, 48, 50, 92, 96, 100)
ODD_LENGTHS = (0, 2, 12, 22, 26, 47, 49, 91, 95, 97, 99, 101, 300)
INTEGERS = {pa.int64(): 5, pa.int32(): 2, pa.int16(): 1, pa.int8(): 1, pa.uint8(): 1, pa.uint32(): 1, pa.uint64(): 1}
LISTS = {pa.list_: 5, pa.large_list: 1}
DATES = (pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns"))
TEXT_TYPES = {pa.string(): 8, pa.large_string(): 1, pa.string_view(): 1, pa.dictionary(pa.int32(), pa.string()): 1}
WRONG_TYPES = {
    "client_id": (pa.float64(), pa.bool_(), pa.binary(), pa.date32(), pa.null(), pa.list_(pa.string()), pa.decimal128(9, 2)),
    "date": (pa.int64(), pa.int32(), pa.float64(), pa.timestamp("us", "UTC"), pa.timestamp("ms", "Europe/Vilnius"), pa.time32("s"), pa.null()),
    "energy_consumption": (
        *(pa.int64(), pa.string(), pa.list_(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.string()), pa.list_(pa.bool_())),
        *(pa.list_(pa.list_(pa.int64())), pa.list_(pa.decimal128(18, 0)), pa.list_(pa.struct([("element", pa.int64())]))),
        *(pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64()), pa.null(), pa.list_(pa.null()), pa.list_(pa.date32())),
    ),
}  # fmt: skip
CODECS = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]
NAMES = ["", "a.parquet.gz", "a.PARQUET", "_a.parquet", "a:b.parquet", "a.parquet ", "parquet", "a.json"]


@dataclass(frozen=True)
class File:
    number: int
    name: str
    content: bytes
    # What was written, as it reads when its types are those of parquet: some files do not say which they had in Arrow.
    table: pa.Table
    codec: str


def made(number):
    """The file of that number, always the same; every third column or so is of another type than usual."""
    dice = random.Random(f"parquet {number}")
    count = dice.choice((0, 1, 1, 2, 4))
    change = dice.randrange(8)
    integers = drawn(dice, INTEGERS) if dice.random() < 0.3 else pa.int64()
    columns = {
        "client_id": array_of_texts(dice, ["c1"] * count),
        "date": _days(dice, count, is_odd=change == 3),
        "ext_dev_ref": array_of_texts(dice, _meters(dice, count, is_odd=change == 4)),
        "energy_consumption": pa.array(
            [_values(dice, integers, change) for _ in range(count)], drawn(dice, LISTS)(integers)
        ),
        "resolution": array_of_texts(dice, ["PT60M"] * count),
    }
    if dice.random() < 0.1:
        columns["energy_consumption"] = _of_fixed_size(dice, count, integers)
    names = list(columns)
    dice.shuffle(names)
    table = pa.table([columns[name] for name in names], names)
    if change in {0, 1} and dice.random() < 0.7:
        table = _spoilt_columns(dice, table, count)
    codec = dice.choice(CODECS) if dice.random() < 0.5 else "snappy"
    out = io.BytesIO()
    pq.write_table(
        table,
        out,
        compression=codec,
        row_group_size=dice.choice((1, 100)),
        use_dictionary=dice.random() < 0.5,
        version=dice.choice(("1.0", "2.4", "2.6", "2.6")),
        data_page_version=dice.choice(("1.0", "2.0")),
        use_compliant_nested_type=dice.random() < 0.8,
        store_schema=dice.random() < 0.8,
    )
    name = dice.choice(NAMES) if dice.random() < 0.02 else f"{number}.parquet"
    content = out.getvalue() if dice.random() > 0.02 else b""
    return File(number, name, content, pq.ParquetFile(pa.BufferReader(out.getvalue())).read(), codec)


def drawn(dice, weights):
    return dice.choices(list(weights), list(weights.values()))[0]


def array_of_texts(dice, texts):
    """Texts in one of the types that hold them, or as numbers where all of them are."""
    if (
        texts
        and all(text and text.isascii() and text.isdigit() and len(text) < 9 for text in texts)
        and dice.random() < 0.3
    ):
        return pa.array([int(text) for text in texts], dice.choice((pa.int64(), pa.uint32())))
    return pa.array(texts, pa.string()).cast(drawn(dice, TEXT_TYPES))


def _meters(dice, count, *, is_odd):
    usual = [dice.choice(("m1", "m2", "14", "0007")) for _ in range(count)]
    odd = dice.choice(((None, "", " ", "\t"), TEXTS))
    return [dice.choice(odd) if is_odd and dice.random() < 0.6 else meter for meter in usual]


def _days(dice, count, *, is_odd):
    days = [dice.choice(DAYS) for _ in range(count)]
    kind = dice.choice(DATES)
    if dice.random() < 0.4 or is_odd:
        return pa.array([dice.choice(ODD_DAYS) if is_odd and dice.random() < 0.6 else day for day in days], pa.string())
    if pa.types.is_timestamp(kind):
        hours = [dice.choice((0, 0, 0, 0, 1, 23)) if dice.random() < 0.3 else 0 for _ in days]
        return pa.array(
            [datetime.fromisoformat(f"{day} {hour:02d}:00:00") for day, hour in zip(days, hours, strict=True)], kind
        )
    return pa.array([date.fromisoformat(day) if dice.random() < 0.95 else None for day in days], kind)


def _values(dice, kind, change):
    """A list of a day: mostly of a right length; odd ones are of another, null, or hold hostile values."""
    is_odd = change == 5 and dice.random() < 0.6
    length = dice.choice((None, *ODD_LENGTHS) if is_odd else LENGTHS)
    if length is None:
        return None
    holes = dice.choice((0, 0, 0.1, 1 if dice.random() < 0.1 else 0))
    values = [None if dice.random() < holes else dice.randrange(128) for _ in range(length)]
    if change in {6, 7}:
        for _ in range(dice.choice((1, 2, 5))):
            if values:
                values[dice.randrange(length)] = _hostile(dice, kind)
    return values


def _hostile(dice, kind):
    signed = not pa.types.is_unsigned_integer(kind)
    bits = kind.bit_width - signed
    limits = [2**bits - 1, 2 ** (bits - 1), *((-1, -(2**bits)) if signed else ())]
    large = [value for value in (10**12, 10**12 - 1, -(10**12), 999) if -(2**bits) * signed <= value < 2**bits]
    return dice.choice((*limits, *large, 0))


def _of_fixed_size(dice, count, integers):
    length = dice.choice(LENGTHS)
    lists = [[dice.choice((None, *range(20))) for _ in range(length)] for _ in range(count)]
    return pa.array(lists, pa.list_(integers, length))


def _spoilt_columns(dice, table, count):
    """A column left out, doubled, renamed, of another type, or one more."""
    change, at = dice.randrange(7), dice.randrange(len(COLUMNS))
    name = table.column_names[at]
    if change == 0:
        return table.drop_columns([name])
    if change == 1:
        return table.append_column(dice.choice(("more", name, name.upper(), "")), pa.array([1] * count))
    if change == 2:
        return table.rename_columns(
            [dice.choice((each.upper(), each + " ", "x")) if each == name else each for each in table.column_names]
        )
    if change == 3:
        return table.select([n for n in range(len(COLUMNS)) if dice.random() < 0.7])
    kind = dice.choice(WRONG_TYPES.get(name, WRONG_TYPES["client_id"]))
    return table.set_column(at, name, pa.nulls(count, kind))


def damaged(number):
    """A sound file with its bytes flipped, cut or doubled."""
    dice = random.Random(f"damaged {number}")
    content = made(dice.randrange(60)).content
    if not content:
        return content
    if dice.random() < 0.25:
        return content[: dice.randrange(len(content))]
    if dice.random() < 0.3:
        # Bytes of the footer, which says where all else is.
        content = bytearray(content)
        content[-dice.randrange(1, min(len(content), 600))] ^= 1 << dice.randrange(8)
        return bytes(content)
    return spoilt_bytes(dice, content)
