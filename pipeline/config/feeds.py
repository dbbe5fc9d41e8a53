"""A feed of the configuration."""

from __future__ import annotations

from datetime import date
from decimal import Decimal  # noqa: TC003 - pydantic asks for it
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipeline.config.csv_columns import Csv  # noqa: TC001 - pydantic asks for it
from pipeline.config.values import (
    ANY_ENDING,
    DAY_MINUTES,
    DEFAULT_INTERVAL,
    ArchiveFolder,
    ColumnName,
    Direction,
    Ending,
    FeedName,
    FormatName,
    Generations,
    LandingFolder,
    ResponseFolder,
    Strict,
    TokenVariable,
    Url,
    Zone,
)


class Columns(Strict):
    """The names of a split-JSON delivery's columns."""

    meter_id: ColumnName = "meterpoint_id"
    interval_start: ColumnName = "interval_start"
    consumption: ColumnName = "consumption_delta"

    @model_validator(mode="after")
    def _differ(self) -> Self:
        names = [self.meter_id.lower(), self.interval_start.lower(), self.consumption.lower()]
        if len(set(names)) < len(names):
            message = "meter_id, interval_start and consumption must be three different columns"
            raise ValueError(message)
        return self


# So that a date can still hold the result.
MOST_DAYS_AHEAD = 1_000_000
# The unit that silver keeps of each that a source may have; kW and W are mean powers of an interval.
KEPT_UNIT = {"kWh": "kWh", "Wh": "Wh", "MWh": "kWh", "kW": "kWh", "W": "Wh"}
# The clock of NEM12, without summer time.
NEM12_ZONE = "+10:00"
# Defaults that formats have of their own: Green Button is in Wh.
OF_FORMAT = {"nem12": {"time_zone": NEM12_ZONE}, "green_button": {"unit": "Wh"}}


class Feed(Strict):
    """One supplier's flow of files."""

    name: FeedName
    format: FormatName
    path: LandingFolder
    settle_seconds: int = Field(default=0, ge=0)
    company: str = "GAZ"
    time_zone: Zone = "UTC"
    interval_minutes: int | None = Field(default=None, gt=0, le=DAY_MINUTES)
    # Readings that begin before this local day, or more than so many days after their delivery came, are rejected.
    earliest: date = date(1970, 1, 1)
    latest_days_ahead: int = Field(default=7, ge=0, le=MOST_DAYS_AHEAD)
    # The most that an interval can hold, in the feed's unit.
    max_consumption: Decimal | None = Field(default=None, gt=0, max_digits=18, decimal_places=6)
    direction: Direction = "import"
    unit: Literal["kWh", "Wh", "MWh", "kW", "W"] = "kWh"
    columns: Columns = Columns()
    # What a csv feed's files look like.
    csv: Csv | None = None
    # What the names of files end in, in any case; None: the format's usual ending.
    ending: Ending | None = None
    # What a delivery is known by: its path, so that changed content is a new one, or its name, which is loaded once.
    identity: Literal["path", "name"] | None = None
    # Where deliveries are fetched from before the folder is listed. The timeout is for each response of the endpoint;
    # a whole body may take ten times as long.
    url: Url | None = None
    url_token_env: TokenVariable | None = None
    url_timeout_seconds: float = Field(default=30, gt=0, le=3600)
    url_max_megabytes: int = Field(default=512, gt=0)
    # The folder for response files to the senders of deliveries.
    acknowledge: ResponseFolder | None = None
    # The folder that deliveries are moved to once they are decided and in silver, under their paths.
    archive: ArchiveFolder | None = None
    # Folders whose names are of days earlier than this before the newest delivery are not looked at.
    keep_days: int | None = Field(default=None, gt=0)
    # SMRT numbers that are not expected: the sender says that they were never used.
    never_sent: tuple[Generations, ...] = ()

    @property
    def minutes(self) -> int:
        """Length of this feed's interval in minutes."""
        return self.interval_minutes or DEFAULT_INTERVAL[self.format]

    @property
    def kept_unit(self) -> str:
        """The unit of its readings in silver."""
        return KEPT_UNIT[self.unit]

    @model_validator(mode="before")
    @classmethod
    def _as_the_format_says(cls, given: Any) -> Any:  # noqa: ANN401 - whatever was written
        """A format's own zone and unit, where the feed names none."""
        usual = OF_FORMAT.get(str(given.get("format")), {}) if isinstance(given, dict) else {}
        return {**usual, **given} if usual else given

    @model_validator(mode="after")
    def _zone_is_of_nem12(self) -> Self:
        if self.format == "nem12" and self.time_zone != NEM12_ZONE:
            message = f"time_zone = {self.time_zone!r}: days of nem12 are at {NEM12_ZONE!r} all year; leave it out"
            raise ValueError(message)
        return self

    @field_validator("unit")
    @classmethod
    def _unit_is_of_csv(cls, unit: str, info: ValidationInfo) -> str:
        if KEPT_UNIT[unit] != unit and info.data.get("format") != "csv":
            message = f"{unit} is for csv; another format's values are in 'kWh' or 'Wh'"
            raise ValueError(message)
        return unit

    @field_validator("ending", "identity")
    @classmethod
    def _are_of_their_formats(cls, value: str | None, info: ValidationInfo) -> str | None:
        of = {"csv"} if info.field_name == "identity" else ANY_ENDING
        if value is not None and "format" in info.data and info.data["format"] not in of:
            message = f"is only for {', '.join(sorted(of))}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _csv_is_described(self) -> Self:
        if self.format == "csv" and self.csv is None:
            message = (
                f"feed {self.name!r} of format csv needs a table [feeds.csv], which says at least whose readings "
                "these are: meter = a column, meter_id = one for all, or meter_in_path"
            )
            raise ValueError(message)
        if self.format != "csv" and self.csv is not None:
            message = f"the table csv is for format csv, and feed {self.name!r} is {self.format}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _interval_divides_the_day(self) -> Self:
        if DAY_MINUTES % self.minutes:
            message = f"interval_minutes = {self.minutes} does not divide a day"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _numbers_are_of_smrt(self) -> Self:
        if self.never_sent and self.format != "smrt":
            message = f"never_sent is for SMRT numbers; deliveries of {self.format} have none"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _fetched_into_a_local_folder(self) -> Self:
        lonely = sorted(name for name in self.model_fields_set if name.startswith("url_"))
        if self.url is None and lonely:
            message = f"{', '.join(lonely)} without url: name the endpoint in url, or leave them out"
            raise ValueError(message)
        if self.url is not None and "://" in self.path:
            message = "a feed with url needs a local folder as its path: what is fetched is written there"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _archived_from_a_local_folder(self) -> Self:
        if self.archive is not None and "://" in self.path:
            message = (
                f"archive of feed {self.name!r}: a store cannot move a file in one step; leave it out, and name "
                "keep_days where its folders are named by date"
            )
            raise ValueError(message)
        return self
