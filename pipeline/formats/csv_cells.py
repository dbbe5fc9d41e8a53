"""How Spark finds records and cells in a delimited text: it splits; only where quotes ask for it, patterns read.

csv_frame.py says what a record and a field are; the driver found out which way each file is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from pipeline.config.csv_columns import BLANKS
from pipeline.formats import row_rules
from pipeline.formats.csv_frame import LINE_END, blanks_but
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from pipeline.config.csv_columns import Csv
    from pipeline.formats.csv_document import Frame

# More than any text has; a place and this together still are an INT.
ALL = 2**30


@dataclass(frozen=True)
class Facts:
    """The frames of the files, as values where all are alike, else as columns of their own."""

    frame: Frame | None
    wanted: tuple[str, ...]

    def __getitem__(self, name: str) -> Column:
        return F.col(name) if self.frame is None else F.lit(getattr(self.frame, name))

    def may(self, name: str) -> bool:
        """Whether it is true of any file."""
        return self.frame is None or bool(getattr(self.frame, name))

    def place(self, number: int) -> Column:
        """The place of a wanted column."""
        return (
            F.get("places", F.lit(number)) if self.frame is None else F.lit(places_of(self.frame, self.wanted)[number])
        )


def places_of(frame: Frame, wanted: tuple[str, ...]) -> list[int]:
    """The places of these columns; of a file without rows any."""
    return [frame.names.index(name) for name in wanted] if frame.names else [0 for _ in wanted]


def others_of(frame: Frame, said: Csv) -> list[int]:
    """The places of further columns."""
    used = {*places_of(frame, said.columns), *frame.positions}
    used |= {place + 1 for place in frame.positions if place >= 0 and said.quality_beside}
    return [place for place in range(frame.width) if place not in used]


def _field(delimiter: str) -> str:
    """A field: in quotes with what stands behind them, or up to the next delimiter. Possessive: linear, flat stack."""
    spaces = "" if delimiter == " " else " *+"
    rest = rf"[^{re.escape(delimiter)}\r\n]*+"
    return rf'(?:{spaces}"(?:[^"]++|"")*+"{rest}|{rest})'


def lines(facts: Facts, said: Csv) -> Column:
    """The records below the header; the last one may be empty."""
    before, value = facts["lines_before"], F.col("value")
    found = F.slice(F.split(value, "\n"), before + 1, F.lit(ALL))
    if facts.may("is_quoted"):
        above = F.concat(F.lit(rf"\A(?:[^\r\n]*+{LINE_END}){{"), before, F.lit(r"}([\s\S]*)\z"))
        below = F.call_function("regexp_extract", F.concat(value, F.lit("\n")), above, F.lit(1))
        field, split = _field(said.delimiter), re.escape(said.delimiter)
        record = rf"({field}(?:{split}{field})*+){LINE_END}"
        found = F.when(facts["is_quoted"], F.regexp_extract_all(below, F.lit(record), F.lit(1))).otherwise(found)
    if facts.may("has_blank_rows") or facts.may("is_quoted"):
        blanks = f"[{blanks_but(said.delimiter)}]*+"
        blank = rf'\A(?:{blanks}| *+"[ \t\r\n]*+"{blanks})\r?\z'
        found = F.filter(found, lambda line: ~line.rlike(blank))
    return found


def cells(facts: Facts, said: Csv) -> Column:
    """The fields of a `line`, as they stand."""
    split = re.escape(said.delimiter)
    found = F.split("line", split)
    if facts.may("is_quoted"):
        # With a delimiter before the first field too no match is empty.
        whole = F.concat(F.lit(said.delimiter), F.col("line"))
        read = F.regexp_extract_all(whole, F.lit(f"{split}({_field(said.delimiter)})"), F.lit(1))
        found = F.when(facts["is_quoted"], read).otherwise(found)
    return found


def is_whole(facts: Facts, said: Csv) -> Column:
    """Whether a row has as many fields as the header, empty ones at the end aside, and every configured column."""
    size, width = F.size("cells"), facts["width"]
    rest = F.slice("cells", width + 1, F.lit(ALL))
    if facts.may("has_quotes"):
        all_empty = F.forall(texts(rest, facts), lambda text: text == "")
    else:
        # A pattern, because a function of arrays would keep Spark from compiling the whole step.
        all_empty = F.array_join(rest, said.delimiter).rlike(rf"\A[{BLANKS}{re.escape(said.delimiter)}]*+\z")
    return F.when(size.between(facts["least"], width), True).otherwise((size > width) & all_empty)  # noqa: FBT003


def with_texts(rows: DataFrame, places: dict[str, Column], facts: Facts) -> DataFrame:
    """Rows with the texts of some of their `cells`, NULL beyond these, by the names of new columns."""
    # In steps: an expression that repeats what it is made of grows past what Spark can plan.
    found = rows.withColumns({name: F.get("cells", place) for name, place in places.items()})
    for step in _steps(facts):
        found = found.withColumns({name: step(F.col(name)) for name in places})
    return found


def texts(fields: Column, facts: Facts) -> Column:
    """The texts of an array of fields."""
    return reduce(F.transform, _steps(facts), fields)


def _steps(facts: Facts) -> list[Callable[[Column], Column]]:
    """From a field to its text: without blanks and quotes around it, and without what Excel puts around an id."""
    trimmed = row_rules.trimmed
    return [trimmed, _unquoted, _without_excel, trimmed] if facts.may("has_quotes") else [trimmed]


def _unquoted(text: Column) -> Column:
    inner = F.substring(text, F.lit(2), F.length(text) - 2)
    next_quote = F.instr(F.substring(text, 2, ALL), '"')
    is_plain = text.endswith('"') & (next_quote == F.length(text) - 1)
    quoted, rest = (F.regexp_extract(text, r'\A"((?:[^"]++|"")*+)"([\s\S]*)\z', n) for n in (1, 2))
    odd = F.concat(F.replace(quoted, F.lit('""'), F.lit('"')), rest)
    is_odd = text.rlike(r'\A"(?:[^"]++|"")*+"')
    return F.when(~text.startswith('"'), text).when(is_plain, inner).when(is_odd, odd).otherwise(text)


def _without_excel(text: Column) -> Column:
    """`="123"` is 123."""
    sign_and_quotes = 3
    is_wrapped = text.startswith('="') & text.endswith('"') & (F.length(text) >= sign_and_quotes)
    return F.when(is_wrapped, F.substring(text, F.lit(3), F.length(text) - 3)).otherwise(text)
