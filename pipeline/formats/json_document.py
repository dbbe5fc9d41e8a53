"""What the JSON formats share: the first checks on the bytes, the exact parse on the driver, how Spark reads a file.

A delivery is one JSON object that holds all its rows. Spark parses the rows, exact digits and all; the driver, which
hashes the bytes anyway, decides whether the whole is what it must be, for Spark's reader is lenient.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.formats.feed_format import objection_to_name
from pipeline.lake.stores import unchecked
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.deliveries.delivery import Delivery

ENDING = ".json"
# The whole file is one record: a NUL is in no JSON text. Never `multiLine`, which is many times slower.
READ_OPTIONS = {
    "lineSep": "\x00",
    "allowSingleQuotes": "false",
    # A number of any length is a row's fault, not the file's.
    "maxNumLen": "1000000000",
    "columnNameOfCorruptRecord": "_corrupt_record",
}
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

# JSON as a pattern, for documents so plain that it can say all of their shape: texts hold no escapes, values are no
# arrays or objects. Possessive throughout: linear in the document's length.
BLANKS = rb"[ \t\r\n]*+"
COLON = BLANKS + rb":" + BLANKS
VALUE = rb'(?:"[^"\\\x00-\x1f]*+"|-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+|null|true|false)'


def object_of(member: bytes) -> bytes:
    """The pattern of an object that holds nothing but such members, any number of them."""
    members = member + rb"(?:" + BLANKS + rb"," + BLANKS + member + rb")*+"
    return rb"\{" + BLANKS + rb"(?:" + members + rb")?+" + BLANKS + rb"\}"


def body_of(content: bytes) -> bytes:
    """The document without a byte order mark and blanks around it."""
    return content.removeprefix(_BOM).strip(_BLANK)


def refused_at_first_sight(content: bytes, body: bytes, delivery: Delivery) -> Delivery | None:
    """The delivery refused for what shows before any parsing: no content, a bad name, not UTF-8; else None."""
    if not body:
        return delivery.refused("EMPTY_FILE", f"no content ({len(content)} bytes)")
    if objection := objection_to_name(delivery.file_name, ENDING):
        return delivery.refused("BAD_FILE_NAME", objection)
    try:
        body.isascii() or body.decode()
    except UnicodeDecodeError as problem:
        return delivery.refused("NOT_UTF8", f"byte {problem.start + 1} is not UTF-8")
    return None


class Pairs:
    """An object with its keys in order, a repeated key included."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


class Number(str):
    """A number as it stands in the text."""

    __slots__ = ()


def root_of(content: bytes, delivery: Delivery) -> Pairs | Delivery:
    """The root object, all of it parsed exactly; the delivery refused where there is none."""
    try:
        text = content.decode("utf-8-sig")
        root = json.loads(text, parse_float=Number, parse_int=Number, object_pairs_hook=Pairs)
    except (ValueError, RecursionError) as problem:
        return delivery.refused("MALFORMED_JSON", f"not JSON: {problem}")
    if not isinstance(root, Pairs):
        return delivery.refused("WRONG_SHAPE", f"the document is {kind(root)}, not an object")
    return root


def kind(value: object) -> str:
    """A word for what a parsed value is."""
    names = {Pairs: "an object", list: "an array", str: "a text", Number: "a number", bool: "true or false"}
    # NaN and the infinities, which both parsers take, come as floats.
    return (names | {float: "a number"}).get(type(value), "null")


def read(spark: SparkSession, paths: list[str], schema: str) -> DataFrame:
    """One row a file: the schema's columns, and `reported_path`, the path as Spark names it."""
    files = spark.read.schema(schema).options(**READ_OPTIONS, **unchecked(paths)).json(paths)
    return files.withColumn("reported_path", F.col("_metadata.file_path"))


def flat_object(text: Column) -> Column:
    """An object without inner ones that a file's reader left as JSON text, as a map of texts; its keys are words.

    Spark reads a number inside a column through double, inside a file exactly: numbers are put in quotes before, NaN
    and the infinities too. Between two quotes that are no key's stand other signs than a word's (which may be written
    with escapes), or no colon follows: nothing else is taken for one.
    """
    numbers = r'"((?:[A-Za-z0-9]|\\u[0-9A-Fa-f]{4})++)"\s*+:\s*+(-?[0-9IN][0-9A-Za-z.+-]*+)'
    return F.from_json(F.regexp_replace(text, numbers, '"$1":"$2"'), "map<string,string>")


def holds_a_key_twice(pairs: Column) -> Column:
    """Whether a map holds a key twice, be it in two cases; Spark's reader keeps them all."""
    keys = F.map_keys(pairs)
    return F.size(F.array_distinct(F.transform(keys, F.upper))) < F.size(keys)
