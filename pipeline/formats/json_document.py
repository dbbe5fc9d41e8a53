"""What the JSON formats share: the first checks of the bytes, exact parsing on the driver, how Spark reads a file.

A delivery is one JSON object that holds all its rows. Spark parses the rows with their exact digits. The driver, which
hashes the bytes anyway, decides whether the document as a whole is valid, because Spark's reader is lenient.
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
# The whole file is one record, because JSON text never holds a NUL. Not `multiLine`, which is many times slower.
READ_OPTIONS = {
    "lineSep": "\x00",
    "allowSingleQuotes": "false",
    # A number that is too long is a fault of its row, not of the file.
    "maxNumLen": "1000000000",
    "columnNameOfCorruptRecord": "_corrupt_record",
}
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

# JSON as a pattern, for documents that are simple enough: texts without escapes, values that are not arrays or objects.
# Possessive throughout: linear in the document's length.
BLANKS = rb"[ \t\r\n]*+"
COLON = BLANKS + rb":" + BLANKS
VALUE = rb'(?:"[^"\\\x00-\x1f]*+"|-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+|null|true|false)'


def object_of(member: bytes) -> bytes:
    """The pattern of an object with any number of such members and nothing else."""
    members = member + rb"(?:" + BLANKS + rb"," + BLANKS + member + rb")*+"
    return rb"\{" + BLANKS + rb"(?:" + members + rb")?+" + BLANKS + rb"\}"


def body_of(content: bytes) -> bytes:
    """The document without a byte order mark and surrounding blanks."""
    return content.removeprefix(_BOM).strip(_BLANK)


def refused_at_first_sight(content: bytes, body: bytes, delivery: Delivery) -> Delivery | None:
    """The delivery, refused for what can be seen without parsing: no content, a bad name, not UTF-8; else None."""
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
    """A number as written in the text."""

    __slots__ = ()


def root_of(content: bytes, delivery: Delivery) -> Pairs | Delivery:
    """The whole root object, parsed exactly; the refused delivery if there is none."""
    try:
        text = content.decode("utf-8-sig")
        root = json.loads(text, parse_float=Number, parse_int=Number, object_pairs_hook=Pairs)
    except ValueError as problem:
        return delivery.refused("MALFORMED_JSON", f"not JSON: {problem}")
    except RecursionError:  # its own words depend on the depth of our stack
        return delivery.refused("MALFORMED_JSON", "not JSON: nested too deeply")
    if not isinstance(root, Pairs):
        return delivery.refused("WRONG_SHAPE", f"the document is {kind(root)}, not an object")
    return root


def kind(value: object) -> str:
    """A word for the kind of a parsed value."""
    names = {Pairs: "an object", list: "an array", str: "a text", Number: "a number", bool: "true or false"}
    # NaN and the infinities, which both parsers accept, come as floats.
    return (names | {float: "a number"}).get(type(value), "null")


def read(spark: SparkSession, paths: list[str], schema: str) -> DataFrame:
    """One row for each file: the schema's columns, and `reported_path`, the path as Spark names it."""
    files = spark.read.schema(schema).options(**READ_OPTIONS, **unchecked(paths)).json(paths)
    return files.withColumn("reported_path", F.col("_metadata.file_path"))


def flat_object(text: Column) -> Column:
    """A flat JSON object, which the file's reader left as text, as a map of texts; its keys are words.

    Spark reads numbers in a file exactly, but numbers in a column through double, so they are quoted first, NaN and the
    infinities too. A number is found by the key before it: a word in quotes, then a colon. Nothing else can look like
    that: quotes inside a text are escaped, and no colon follows a value.
    """
    numbers = r'"((?:[A-Za-z0-9]|\\u[0-9A-Fa-f]{4})++)"\s*+:\s*+(-?[0-9IN][0-9A-Za-z.+-]*+)'
    return F.from_json(F.regexp_replace(text, numbers, '"$1":"$2"'), "map<string,string>")


def holds_a_key_twice(pairs: Column) -> Column:
    """Whether a map holds a key twice, even if in different case; Spark's reader keeps them all."""
    keys = F.map_keys(pairs)
    return F.size(F.array_distinct(F.transform(keys, F.upper))) < F.size(keys)
