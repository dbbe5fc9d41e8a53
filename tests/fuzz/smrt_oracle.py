"""What becomes of an SMRT file, read from the contract (sections 1 and 3) in plain Python; it shares nothing with ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.fuzz.numbers import millionths

COMPANY = "GAZ"
FILE_CODES = (
    "EMPTY_FILE",
    "BAD_FILE_NAME",
    "NOT_UTF8",
    "HEADER_MISSING",
    "HEADER_INVALID",
    "TRAILER_MISSING",
    "TRAILER_NOT_LAST",
    "UNKNOWN_RECORD",
    "WRONG_COMPANY",
    "WRONG_ENVIRONMENT",
    "NAME_MISMATCH",
)
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "METER_ID_INVALID",
    "INTERVAL_START_INVALID",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
)
BLANK = " \t"
DIGITS = set("0123456789")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all is UTC
LAST = datetime(2021, 11, 8)  # noqa: DTZ001 - a week after all files came


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    fields: list[str] | None

    @property
    def record(self):
        """The record type; for a line with an odd quote, its first word."""
        if self.fields is not None:
            return self.fields[0]
        word = self.text.lstrip(BLANK).removeprefix('"')
        after = word[5:6]
        return "" if after == "_" or (after.isascii() and after.isalnum()) else word[:5]


def verdict(name, content, environment):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    codes, rows = _problems(name, content, environment)
    return (min(codes, key=FILE_CODES.index), None) if codes else (None, rows)


def _problems(name, content, environment):
    """All codes that apply to a file, and its rows."""
    codes = set() if _is_generation(name.removesuffix(".SMRT")) and name.endswith(".SMRT") else {"BAD_FILE_NAME"}
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return codes | {"NOT_UTF8"}, []
    lines = [Line(n, *_read(line)) for n, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1)]
    # A carriage return that ends no line is silence of the contract: one among blanks leaves the line blank.
    lines = [line for line in lines if line.text.strip(BLANK + "\r")]
    if not lines:
        return codes | {"EMPTY_FILE"}, []
    header, *rest = lines
    if header.record != "HEADR":
        return codes | {"HEADER_MISSING"}, []
    codes |= _problems_of_header(header.fields, name, environment)
    # A trailer with more fields or an open quote is none, so it is of no known type.
    trailers = [n for n, line in enumerate(rest) if line.fields == ["TRAIL"]]
    others = [line for line in rest if line.fields != ["TRAIL"]]
    if any(line.record == "HEADR" for line in others):
        codes.add("HEADER_INVALID")
    if not trailers:
        codes.add("TRAILER_MISSING")
    elif trailers[0] != len(rest) - 1:
        codes.add("TRAILER_NOT_LAST")
    if any(line.record not in {"HEADR", "CONSU"} for line in others):
        codes.add("UNKNOWN_RECORD")
    return codes, [] if codes else [judged(line) for line in others]


def _read(line):
    """(text, fields) of a line without its end: CRLF or LF.

    Further carriage returns (a file sent twice as text) are silence of the contract: passed over after a header or a
    trailer; in a row they belong to the last field.
    """
    text = line.removesuffix("\r")
    is_row = text.lstrip(BLANK).removeprefix('"').startswith("CONSU")
    text = text if is_row else text.rstrip("\r")
    return text, fields_of(text)


def fields_of(line):
    """Fields of a line, None if a quote is open or in a wrong place."""
    fields, at = [], 0
    while True:
        at = _after_blanks(line, at)
        if line[at : at + 1] == '"':
            text, at = _quoted(line, at + 1)
            at = _after_blanks(line, at)
            if text is None or (at < len(line) and line[at] != ","):
                return None
        else:
            end = line.find(",", at)
            end = len(line) if end < 0 else end
            text, at = line[at:end].rstrip(BLANK), end
            if '"' in text:
                return None
        fields.append(text)
        if at == len(line):
            return fields
        at += 1


def _after_blanks(line, at):
    while at < len(line) and line[at] in BLANK:
        at += 1
    return at


def _quoted(line, at):
    """The text up to the closing quote, and where the line goes on; a doubled quote is one of the text."""
    text = ""
    while (end := line.find('"', at)) >= 0:
        text += line[at:end]
        if line[end + 1 : end + 2] != '"':
            return text, end + 1
        text += '"'
        at = end + 2
    return None, len(line)


def _problems_of_header(fields, name, environment):
    if fields is None or len(fields) != 6:
        return {"HEADER_INVALID"}
    _, file_type, company, day, time, generation = fields
    if file_type != "SMRT" or _instant(day, time, seconds=True) is None or not _is_generation(generation):
        return {"HEADER_INVALID"}
    codes = set()
    if company != COMPANY:
        codes.add("WRONG_COMPANY")
    if environment == "production" and "DV" in {generation[:2], name[:2]}:
        codes.add("WRONG_ENVIRONMENT")
    if name != generation + ".SMRT":
        codes.add("NAME_MISMATCH")
    return codes


def _is_generation(text):
    return text[:2] in {"PN", "DV"} and len(text) == 8 and set(text[2:]) <= DIGITS


def _instant(day, time, *, seconds=False):
    """The instant of `YYYYMMDD` and `HHMM` (with seconds `HHMMSS`), None where there is none."""
    if len(day) != 8 or len(time) != (6 if seconds else 4) or not set(day + time) <= DIGITS:
        return None
    parts = [day[:4], day[4:6], day[6:], time[:2], time[2:4], time[4:] or "0"]
    try:
        return datetime(*map(int, parts))  # noqa: DTZ001 - all is UTC
    except ValueError:
        return None


def judged(line):
    """(row_number, code, meter, start in seconds, millionths); start and value only of a row that passes."""
    if line.fields is None or len(line.fields) != 5:
        return line.number, "FIELD_COUNT", None, None, None
    _, meter, day, time, consumption = line.fields
    start, value = _instant(day, time), millionths(consumption)
    broken = {
        # Blanks in quotes are a text that is not digits; the contract does not say.
        "METER_ID_MISSING": not meter,
        "METER_ID_INVALID": not set(meter) <= DIGITS,
        "INTERVAL_START_INVALID": start is None,
        "INTERVAL_OUT_OF_RANGE": start is not None and not EPOCH <= start <= LAST,
        "OFF_GRID": start is not None and start.minute != 0,
        "CONSUMPTION_INVALID": value is None,
        "CONSUMPTION_NEGATIVE": value is not None and value < 0,
    }
    code = next((code for code in ROW_CODES if broken.get(code)), None)
    if code:
        return line.number, code, meter, None, None
    return line.number, None, meter, int((start - EPOCH).total_seconds()), value
