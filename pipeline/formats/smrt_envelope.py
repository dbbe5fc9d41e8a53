"""The envelope of SMRT flow files: HEADR, any number of CONSU, TRAIL; checked as a whole, on the driver.

The driver reads every delivery once to hash it, so it checks the envelope in the same pass, without Spark.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.formats import row_rules

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

ENDING = ".SMRT"
HEADER_FIELDS = 6
# A field: quoted (a quote inside is doubled) or bare without quotes; blanks around it. Possessive throughout: linear in
# the line's length and flat on the stack, whatever the line holds. The same pattern works in Python and Java.
FIELD = r'[ \t]*+("(?:[^"]++|"")*+"|[^",]*+)[ \t]*+'
_FIELDS = re.compile(FIELD + r"(,|\Z)")
# Lines that are not clearly CONSU lines: checked one by one. The driver does not check the others.
_OTHER_LINES = re.compile(r'^(?![ \t]*+(?:"CONSU"|CONSU)[ \t]*+,).*', re.MULTILINE)
_LIKELY_RECORD = re.compile(r'[ \t]*"?(HEADR|CONSU|TRAIL)(?![A-Za-z0-9_])')
_NAME = re.compile(r"(PN|DV)[0-9]{6}\.SMRT")
_GENERATION = re.compile(r"(PN|DV)[0-9]{6}")


def fields_of(line: str) -> list[str] | None:
    """The fields of a CSV line, or None if a quote is open or stray.

    >>> fields_of('"CONSU", 12 ,"a,b"')
    ['CONSU', '12', 'a,b']
    >>> fields_of('"CONSU,12') is None
    True
    """
    fields, position = [], 0
    while True:
        match = _FIELDS.match(line, position)
        if match is None:
            return None
        text = match[1]
        fields.append(text[1:-1].replace('""', '"') if text.startswith('"') else text.rstrip(" \t"))
        if not match[2]:
            return fields
        position = match.end()


def _record_type(line: str) -> str:
    fields = fields_of(line)
    if fields is not None:
        return fields[0]
    likely = _LIKELY_RECORD.match(line)
    return likely[1] if likely else ""


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:
    """The delivery with its header's creation time and generation, refused if the envelope is wrong."""
    problems: dict[str, str] = {}
    if not _NAME.fullmatch(delivery.file_name):
        problems["BAD_FILE_NAME"] = "the name is not PN or DV, six digits and .SMRT"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        problems["NOT_UTF8"] = f"byte {problem.start + 1} is not UTF-8"
        text = ""
    else:
        if not text.strip(" \t\r\n"):
            problems["EMPTY_FILE"] = f"no content ({len(content)} bytes)"
    if not problems:
        delivery, problems = _envelope(text, delivery, feed, environment)
    for code in row_rules.FILE_CODES:
        if code in problems:
            return delivery.refused(code, problems[code])
    return delivery


def _envelope(text: str, delivery: Delivery, feed: Feed, environment: str) -> tuple[Delivery, dict[str, str]]:
    problems: dict[str, str] = {}
    lines = text.count("\n") + 1
    others = [(match.start(), match[0].rstrip("\r")) for match in _OTHER_LINES.finditer(text)]
    content = [(start, line) for start, line in others if line.strip(" \t\r")]
    consu = lines - len(others)

    def number(start: int) -> int:
        return text.count("\n", 0, start) + 1

    first = re.search(r"^[ \t\r]*[^ \t\r\n]", text, re.MULTILINE)
    begin = first.start() if first else 0
    header_line = content[0][1] if content and content[0][0] == begin else ""
    if _record_type(header_line) != "HEADR":
        problems["HEADER_MISSING"] = f"line {number(begin)} is the first with content and is no HEADR"
    else:
        delivery, header_problems = _header(header_line, delivery, feed, environment)
        problems.update(header_problems)
        content = content[1:]

    trailer, more = None, 0
    oddities: dict[str, tuple[int, str]] = {}
    for start, line in content:
        record = _record_type(line)
        if record == "TRAIL" and fields_of(line) == ["TRAIL"]:
            trailer = start if trailer is None else trailer
        elif record == "CONSU":
            more += 1
        else:
            # The first of each is enough: counting lines for every one would be slow in a wrong file.
            oddities.setdefault("HEADER_INVALID" if record == "HEADR" else "UNKNOWN_RECORD", (start, record or line))
    for code, (start, what) in oddities.items():
        said = f"line {number(start)} is a second HEADR" if code == "HEADER_INVALID" else ""
        problems.setdefault(code, said or f"line {number(start)}: record {quoted(what)}")
    if trailer is None:
        problems["TRAILER_MISSING"] = f"no TRAIL in {lines} lines: the file was probably cut off"
    elif after := re.search(r"[^ \t\r\n]", text[text.find("\n", trailer) :] if "\n" in text[trailer:] else ""):
        line_number = number(text.find("\n", trailer) + after.start())
        problems["TRAILER_NOT_LAST"] = f"line {line_number} stands after the TRAIL of line {number(trailer)}"
    return replace(delivery, rows_read=consu + more), problems


def _header(line: str, delivery: Delivery, feed: Feed, environment: str) -> tuple[Delivery, dict[str, str]]:
    """The delivery with the header's facts, and what is wrong with the header."""
    header = fields_of(line)
    if header is None or len(header) != HEADER_FIELDS:
        count = "an open quote" if header is None else f"{len(header)} fields instead of {HEADER_FIELDS}"
        return delivery, {"HEADER_INVALID": f"the header has {count}"}
    _, file_type, company, day, time, generation = header
    problems = {}
    created_at = None
    if file_type != "SMRT":
        problems["HEADER_INVALID"] = f"file type {quoted(file_type)} is not SMRT"
    elif not re.fullmatch(r"[0-9]{8}", day) or not re.fullmatch(r"[0-9]{6}", time):
        problems["HEADER_INVALID"] = f"creation {quoted(day)} {quoted(time)} is not YYYYMMDD HHMMSS"
    elif not _GENERATION.fullmatch(generation):
        problems["HEADER_INVALID"] = f"generation {quoted(generation)} is not PN or DV and six digits"
    else:
        try:
            created_at = datetime.strptime(day + time, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            problems["HEADER_INVALID"] = f"creation {day} {time} is no time"
        if company != feed.company:
            problems["WRONG_COMPANY"] = f"company {quoted(company)} is not {feed.company}"
        if environment == "production" and (generation.startswith("DV") or delivery.file_name.startswith("DV")):
            problems["WRONG_ENVIRONMENT"] = "a DV file is for development, this is production"
        if generation + ENDING != delivery.file_name:
            problems["NAME_MISMATCH"] = f"the header says {generation}, the file's name is {delivery.file_name}"
        delivery = replace(delivery, created_at=created_at, generation=generation)
    return delivery, problems


def quoted(text: str) -> str:
    """A piece of a delivery for a sentence, on one line, cut short."""
    return repr(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004 - a line on a terminal
