"""The frame of NEM12 files: a 100 record, any number of 200 to 500, a 900 record; checked on the driver.

The driver reads every delivery once to hash it, so it checks the frame in the same pass, without Spark.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.formats import row_rules
from pipeline.formats.feed_format import objection_to_name
from pipeline.formats.smrt_envelope import fields_of, quoted

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

ENDING = ".csv"
HEADER, DAY, TRAILER = "100", "300", "900"
INNER = {"200", DAY, "400", "500"}
VERSION = "NEM12"
# Lines that are not clearly a record between header and trailer: checked one by one. The others are only counted.
_OTHER_LINES = re.compile(r'^(?![ \t]*+(?:"[2-5]00"|[2-5]00)[ \t]*+,).*', re.MULTILINE)
_DAYS = re.compile(r'^[ \t]*+(?:"300"|300)[ \t]*+,', re.MULTILINE)
# The first 400 or 500 record that follows a 100 or 200 record: the day that it belongs to is missing.
_WITHOUT_A_DAY = re.compile(
    r'^[ \t]*+"?[12]00(?![A-Za-z0-9_])[^\n]*\n(?:[ \t\r]*\n)*+(?P<line>[ \t]*+"?(?P<record>[45]00)(?![A-Za-z0-9_]))',
    re.MULTILINE,
)
_LIKELY_RECORD = re.compile(r'[ \t]*"?([1-59]00)(?![A-Za-z0-9_])')


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a format's
    """The delivery with its number of 300 records, refused if the frame is wrong."""
    problems: dict[str, str] = {}
    if objection := objection_to_name(delivery.file_name, feed.ending or ENDING, case_matters=False):
        problems["BAD_FILE_NAME"] = objection
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        problems["NOT_UTF8"] = f"byte {problem.start + 1} is not UTF-8"
        text = ""
    else:
        if not text.strip(" \t\r\n"):
            problems["EMPTY_FILE"] = f"no content ({len(content)} bytes)"
    rows = 0
    if not problems:
        rows, problems = _frame(text)
    for code in row_rules.FILE_CODES:
        if code in problems:
            return delivery.refused(code, problems[code])
    return replace(delivery, rows_read=rows)


def _record_type(line: str) -> str:
    fields = fields_of(line)
    if fields is not None:
        return fields[0]
    likely = _LIKELY_RECORD.match(line)
    return likely[1] if likely else ""


def _frame(text: str) -> tuple[int, dict[str, str]]:
    """The number of 300 records, and what is wrong."""
    problems: dict[str, str] = {}
    rows = sum(1 for _ in _DAYS.finditer(text))
    others = ((match.start(), match[0].rstrip("\r")) for match in _OTHER_LINES.finditer(text))
    content = [(start, line) for start, line in others if line.strip(" \t\r")]

    def number(start: int) -> int:
        return text.count("\n", 0, start) + 1

    first = re.search(r"^[ \t\r]*[^ \t\r\n]", text, re.MULTILINE)
    begin = first.start() if first else 0
    header = content[0][1] if content and content[0][0] == begin else ""
    if _record_type(header) != HEADER:
        problems["HEADER_MISSING"] = f"line {number(begin)} is the first with content and is no 100 record"
    else:
        problems |= _objection_to_header(header)
        content = content[1:]

    trailer = None
    # The first of each is enough: counting lines for every one would be slow in a wrong file.
    oddities: dict[str, tuple[int, str]] = {}
    for start, line in content:
        record = _record_type(line)
        if record == TRAILER and _is_trailer(line):
            trailer = start if trailer is None else trailer
        elif record in INNER:
            rows += record == DAY
        else:
            oddities.setdefault("HEADER_INVALID" if record == HEADER else "UNKNOWN_RECORD", (start, record or line))
    if found := _WITHOUT_A_DAY.search(text):
        problems["WRONG_SHAPE"] = (
            f"line {number(found.start('line'))}: a {found['record']} record without a 300 record before it"
        )
    for code, (start, what) in oddities.items():
        said = "a second 100 record" if code == "HEADER_INVALID" else f"record {quoted(what)}"
        problems.setdefault(code, f"line {number(start)}: {said}")
    if trailer is None:
        problems["TRAILER_MISSING"] = f"no 900 record in {number(len(text))} lines: the file was probably cut off"
    elif after := re.search(r"[^ \t\r\n]", text[text.find("\n", trailer) :] if "\n" in text[trailer:] else ""):
        line_number = number(text.find("\n", trailer) + after.start())
        problems["TRAILER_NOT_LAST"] = f"line {line_number} stands after the 900 record of line {number(trailer)}"
    return rows, problems


def _is_trailer(line: str) -> bool:
    """Whether a 900 record is alone on its line; a spreadsheet adds empty fields."""
    fields = fields_of(line)
    return fields is not None and not any(fields[1:])


def _objection_to_header(line: str) -> dict[str, str]:
    fields = fields_of(line)
    if fields is None:
        return {"HEADER_INVALID": "the 100 record has an open quote"}
    version = fields[1] if len(fields) > 1 else ""
    if version.upper() != VERSION:
        return {"HEADER_INVALID": f"the 100 record names {quoted(version)}, not {VERSION}"}
    return {}
