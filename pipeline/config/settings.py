"""The configuration: one TOML file, environment variables over it, unknown keys refused by name."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from decimal import Decimal  # noqa: TC003 - pydantic asks for it
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pipeline.config.api import Api
from pipeline.config.metrics import Metrics
from pipeline.config.values import (
    DAY_MINUTES,
    DEFAULT_INTERVAL,
    ENVIRONMENT_PREFIX,
    ColumnName,
    Direction,
    FeedName,
    FormatName,
    Generations,
    ResponseFolder,
    SparkOptions,
    Strict,
    TokenVariable,
    Url,
    Zone,
    lie_one_in_the_other,
)
from pipeline.errors import ConfigurationError

EXAMPLE = Path(__file__).parents[1] / "_conf" / "local.toml"  # there in an installed wheel only

# Variables that are read elsewhere, by the set-up and by main.py; not keys of the configuration.
NOT_NESTED = tuple(f"{ENVIRONMENT_PREFIX}{name}__" for name in ("LAKE", "CATALOG", "ENVIRONMENT", "ACTIVE_ON"))
OTHER_VARIABLES = {
    "METERLAKE_JARS",
    "METERLAKE_PINS",
    "METERLAKE_CONFIG",
    "METERLAKE_PROFILE",
    "METERLAKE_NO_CLASS_ARCHIVE",
    "METERLAKE_FAILPOINT",
}


class Columns(Strict):
    """The names of a split-JSON delivery's columns."""

    meter_id: ColumnName = "meterpoint_id"
    interval_start: ColumnName = "interval_start"
    consumption: ColumnName = "consumption_delta"

    @model_validator(mode="after")
    def _differ(self) -> Self:
        names = [self.meter_id.lower(), self.interval_start.lower(), self.consumption.lower()]
        if len(set(names)) < len(names):
            message = "meter_id, interval_start and consumption each need a column of their own"
            raise ValueError(message)
        return self


# So that a date can still hold the result.
MOST_DAYS_AHEAD = 1_000_000

# Characters in a lake's path: delta-rs decodes the first and fails on the others.
UNWRITABLE = set("%[]^|\\")


class Feed(Strict):
    """One supplier's flow of files."""

    name: FeedName
    format: FormatName
    path: str = Field(min_length=1)
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
    unit: Literal["kWh", "Wh"] = "kWh"
    columns: Columns = Columns()
    # Where deliveries are fetched from before the folder is listed. The timeout is for each response of the endpoint;
    # a whole body may take ten times as long.
    url: Url | None = None
    url_token_env: TokenVariable | None = None
    url_timeout_seconds: float = Field(default=30, gt=0, le=3600)
    url_max_megabytes: int = Field(default=512, gt=0)
    # The folder for response files to the senders of deliveries.
    acknowledge: ResponseFolder | None = None
    # SMRT numbers that are not expected: the sender says that they were never used.
    never_sent: tuple[Generations, ...] = ()

    @property
    def minutes(self) -> int:
        """Length of this feed's interval in minutes."""
        return self.interval_minutes or DEFAULT_INTERVAL[self.format]

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


class Reference(Strict):
    """The SQLite database of agreements, products and meterpoints."""

    url: str = Field(pattern=r"^jdbc:sqlite:.+")
    feeds: tuple[str, ...] = ()
    # The zone of its instants; default: that of its first feed.
    time_zone: Zone | None = None


class Settings(BaseSettings):
    """The whole configuration; see the README for an example."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    lake: str | None = None
    catalog: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] | None = None
    environment: Literal["production", "development"] = "production"
    active_on: tuple[date, ...] = ()
    feeds: tuple[Feed, ...] = Field(default=(), min_length=1)
    reference: Reference | None = None
    api: Api = Api()
    metrics: Metrics = Metrics()
    spark: SparkOptions = {}
    _scratch: str | None = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file (the file comes in as the initial values)."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.lake and self.catalog:
            message = "give either lake or catalog, not both"
            raise ValueError(message)
        names = [feed.name for feed in self.feeds]
        if twice := {name for name in names if names.count(name) > 1}:
            message = f"two feeds are named {', '.join(sorted(twice))}"
            raise ValueError(message)
        unknown = set(self.reference.feeds if self.reference else ()) - set(names)
        if unknown:
            message = f"reference.feeds names {', '.join(sorted(unknown))}, but there is no such feed"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lake_can_be_written(self) -> Self:
        if not self.catalog and (odd := sorted(set(self.root) & UNWRITABLE)):
            message = f"the lake's path ({self.root}) holds {' '.join(odd)}: delta-rs cannot write there, name another"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _folders_are_of_one_feed(self) -> Self:
        for n, feed in enumerate(self.feeds):
            for other in self.feeds[n + 1 :]:
                if lie_one_in_the_other(feed.path, other.path):
                    message = (
                        f"the landing folders of feeds {feed.name!r} ({feed.path}) and {other.name!r} ({other.path}) "
                        "lie one in the other: files would be deliveries of both; name a folder of its own for each"
                    )
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _responses_are_no_deliveries(self) -> Self:
        for feed in self.feeds:
            for other in self.feeds:
                if feed.acknowledge and lie_one_in_the_other(feed.acknowledge, other.path):
                    message = (
                        f"acknowledge of feed {feed.name!r} ({feed.acknowledge}) and the landing folder of feed "
                        f"{other.name!r} ({other.path}) lie one in the other: responses would become deliveries; "
                        "name a folder beside it"
                    )
                    raise ValueError(message)
        return self

    @property
    def where(self) -> str:
        """The lake's address in messages: its catalog, or its folder or URI."""
        return self.catalog or self.root

    @property
    def scratch(self) -> str | None:
        """Where silver and gold are rebuilt for comparison: a folder or URI, in catalog mode a prefix of schemas."""
        return self._scratch

    def rebuilt_at(self, place: str) -> Settings:
        """The same lake with its silver and gold at another place."""
        settings = self.model_copy()
        settings._scratch = place  # noqa: SLF001 - our own class
        return settings

    @property
    def root(self) -> str:
        """The lake's folder or URI, without a trailing slash; local folders absolute."""
        lake = (self.lake or "data_lake").rstrip("/")
        return lake if "://" in lake else str(Path(lake).absolute())

    def feed(self, name: str) -> Feed:
        """The feed of that name."""
        return next(feed for feed in self.feeds if feed.name == name)

    @property
    def never_sent(self) -> list[tuple[str, str]]:
        """(feed, number or span of numbers) that are not expected."""
        return [(feed.name, numbers) for feed in self.feeds for numbers in feed.never_sent]

    @property
    def reference_zone(self) -> str:
        """The zone that turns an agreement's instants into local days."""
        if self.reference is None:
            return "UTC"
        of_feed = self.feed(self.reference.feeds[0]).time_zone if self.reference.feeds else "UTC"
        return self.reference.time_zone or of_feed

    @property
    def reference_feeds(self) -> tuple[str, ...]:
        """Feeds whose readings are aggregated by product."""
        return self.reference.feeds if self.reference else ()


def load(path: str | Path) -> Settings:
    """Read the TOML file at `path` with the environment over it; raises ConfigurationError, in one line."""
    try:
        values: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        example = f" (an example: {EXAMPLE})" if EXAMPLE.is_file() else ""
        raise ConfigurationError(str(path), f"no such file; name one with --config{example}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(str(path), f"cannot be read: {problem}") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(str(path), f"is not TOML: {problem}") from None
    known = {ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields}
    for name in os.environ:
        ours = name.startswith(ENVIRONMENT_PREFIX) and name not in OTHER_VARIABLES
        if ours and (name.split("__")[0] not in known or name.startswith(NOT_NESTED)):
            raise ConfigurationError(name, "unknown environment variable; there is no such key")
    try:
        return Settings(**values)
    except ValidationError as problem:
        raise ConfigurationError(str(path), _first_line(problem)) from None
    except SettingsError as problem:
        raise ConfigurationError("of the environment", f"{problem}; lists and tables are written as JSON") from None


def _first_line(problem: ValidationError) -> str:
    """The first problem as `feeds.0.path: message`, with the number of further ones."""
    errors = problem.errors()
    where = ".".join(str(part) for part in errors[0]["loc"])
    message = errors[0]["msg"].removeprefix("Value error, ")
    if errors[0]["type"] == "extra_forbidden":
        message = "unknown key"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {message}{more}" if where else f"{message}{more}"
