"""`[feeds.csv]`: what a delimited text looks like and which of its columns say what."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from pipeline.config import datetime_pattern
from pipeline.config.values import Strict

# What is cut off around a field, a name or a configured value.
BLANKS = " \t\r\n"


def _name(text: str) -> str:
    name = text.strip(BLANKS)
    if not name:
        message = "a column's name must not be empty"
        raise ValueError(message)
    return name


def _one_or_more(given: object) -> object:
    return [given] if isinstance(given, str) else given


Name = Annotated[str, AfterValidator(_name)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
Cell = Annotated[str, AfterValidator(lambda text: text.strip(BLANKS))]
Cells = Annotated[tuple[Cell, ...], BeforeValidator(_one_or_more)]


class CsvValue(Strict):
    """The columns that hold energy: `alone` in the feed's or the row's direction, or both directions side by side."""

    alone: tuple[Name, ...] = ()
    imported: tuple[Name, ...] = ()
    exported: tuple[Name, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return self.alone + self.imported + self.exported

    @property
    def has_both(self) -> bool:
        """Whether a row holds a reading of each direction."""
        return not self.alone

    @model_validator(mode="after")
    def _names_columns(self) -> Self:
        if not (self.alone or (self.imported and self.exported)):
            message = "name at least one column; as a table at least one for import and one for export"
            raise ValueError(message)
        return self


def _value(given: object) -> object:
    if isinstance(given, str | list | tuple):
        return {"alone": _one_or_more(given)}
    if isinstance(given, dict):
        if set(given) != {"import", "export"}:
            message = "as a table it names columns for both: { import = […], export = […] }"
            raise ValueError(message)
        return {"imported": _one_or_more(given["import"]), "exported": _one_or_more(given["export"])}
    return given


class CsvDirection(Strict):
    """The column that says a row's direction, and its values."""

    column: Name
    imported: Cells = Field(default=(), alias="import")
    exported: Cells = Field(default=(), alias="export")
    ignore: Cells = ()

    @model_validator(mode="after")
    def _each_value_says_one_thing(self) -> Self:
        values = self.imported + self.exported + self.ignore
        if twice := [value for value in values if values.count(value) > 1]:
            message = f"{twice[0]!r} stands twice among import, export and ignore"
            raise ValueError(message)
        if not self.imported + self.exported:
            message = "name at least one value of import or export"
            raise ValueError(message)
        return self


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern; named groups as Python or as Java writes them. Raises ValueError."""
    try:
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern))
    except re.error as problem:
        message = f"{pattern!r} is not a pattern: {problem}"
        raise ValueError(message) from None


class Csv(Strict):
    """A delimited text: its dialect, its layout, and which columns say meter, time and value."""

    layout: Literal["long", "wide"] = "long"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    skip_lines: int = Field(default=0, ge=0, le=1_000_000)
    header: bool = True
    meter: Name | None = None
    meter_id: Cell | None = Field(default=None, min_length=1)
    meter_in_path: str | None = None
    timestamp: Names = ("timestamp",)
    timestamp_format: str | None = None
    label: Literal["start", "end"] = "start"
    value: Annotated[CsvValue, BeforeValidator(_value)] = CsvValue(alone=("value",))
    direction: CsvDirection | None = None
    where: dict[Name, Cells] = Field(default_factory=dict)
    missing: Cells = ("", "-", "NULL", "N/A")
    quality: Name | None = None
    quality_beside: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether a row is a meter's local day."""
        return self.layout == "wide"

    @property
    def time_pattern(self) -> datetime_pattern.DatetimePattern:
        """How times (in a wide file: dates) are written."""
        return datetime_pattern.ISO if self.timestamp_format is None else datetime_pattern.parsed(self.timestamp_format)

    @property
    def value_pattern(self) -> re.Pattern[str]:
        """Of a wide file: which columns hold values, with a group `time` or `period`."""
        return _compiled(self.value.alone[0])

    @property
    def path_pattern(self) -> re.Pattern[str] | None:
        """Where a file's path holds its meter."""
        return _compiled(self.meter_in_path) if self.meter_in_path is not None else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a header must have, each once; of a wide file without those of values."""
        named = [self.meter, *self.timestamp, *(() if self.is_wide else self.value.columns)]
        named += [self.direction.column if self.direction else None, self.quality, *self.where]
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, text: str) -> str:
        if len(text) != 1 or text in '"\r\n\0':
            message = f"{text!r} is not a delimiter: it is one character, and no quote or line break"
            raise ValueError(message)
        return text

    @field_validator("timestamp_format")
    @classmethod
    def _can_be_read(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            datetime_pattern.parsed(pattern)
        return pattern

    @field_validator("meter_in_path")
    @classmethod
    def _has_one_group(cls, pattern: str | None) -> str | None:
        if pattern is not None and _compiled(pattern).groups != 1:
            message = f"{pattern!r} needs one group in brackets, which finds the meter: '([0-9]+)[.]csv'"
            raise ValueError(message)
        return pattern

    @model_validator(mode="after")
    def _says_the_meter_once(self) -> Self:
        given = [name for name in ("meter", "meter_id", "meter_in_path") if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"{' and '.join(given)} say it twice" if given else "none is given"
            message = f"whose readings these are is said by one of meter, meter_id and meter_in_path: {said}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        names = [*([self.meter] if self.meter else []), *self.timestamp, *self.value.columns]
        if twice := [name for name in names if names.count(name) > 1]:
            message = f"meter, timestamp and value name the column {twice[0]!r} twice"
            raise ValueError(message)
        if self.direction and self.value.has_both:
            message = "direction names a column, and value names columns of both directions: use one of them"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _fits_its_layout(self) -> Self:
        if not self.is_wide:
            if self.quality_beside:
                message = 'quality_beside is for layout = "wide"; a long file names its quality column in quality'
                raise ValueError(message)
            return self
        example = "'(?P<time>[0-9]{2}:[0-9]{2})' or 'P(?P<period>[0-9]+)'"
        if len(self.value.columns) != 1 or not self.value.alone:
            message = f"value of a wide file is one pattern, such as {example}"
            raise ValueError(message)
        groups = set(self.value_pattern.groupindex) & {"time", "period"}
        if len(groups) != 1:
            message = f"value of a wide file is a pattern with a group time or a group period, such as {example}"
            raise ValueError(message)
        if self.quality and self.quality_beside:
            message = "quality and quality_beside: use one of them"
            raise ValueError(message)
        return self
