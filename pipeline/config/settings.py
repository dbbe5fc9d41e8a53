"""The configuration: one TOML file, environment variables over it, unknown keys refused by name."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pipeline.config import engine, feed_folders, problems
from pipeline.config.anchored import DEFAULT_LAKE, anchored
from pipeline.config.api import Api
from pipeline.config.engine import Engine
from pipeline.config.feeds import Feed
from pipeline.config.folders import as_opened, is_volume
from pipeline.config.metrics import Metrics
from pipeline.config.notify import Notify
from pipeline.config.own_checks import Check
from pipeline.config.reference import OWN_SCHEMAS, Reference
from pipeline.config.values import ENVIRONMENT_PREFIX, SparkOptions
from pipeline.errors import ConfigurationError
from pipeline.nearest import did_you_mean

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
# Characters in a lake's path: delta-rs decodes the first and fails on the others.
UNWRITABLE = set("%[]^|\\")


class Settings(BaseSettings):
    """The whole configuration; conf/local.toml is an example, docs/configuration.md names the other keys."""

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
    notify: Notify | None = None
    # Your own checks, run after gold.
    checks: tuple[Check, ...] = ()
    # A run of more has its files hashed and their frames checked by Spark's executors.
    driver_inspects_megabytes: Annotated[int, Field(ge=0)] | None = None
    spark: SparkOptions = {}
    # What computes; Sail is experimental.
    engine: Engine = "spark"
    _scratch: str | None = PrivateAttr(None)
    _places: Mapping[str, str] | None = PrivateAttr(None)

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
        for what, given in {"feeds": names, "checks": [check.name for check in self.checks]}.items():
            if twice := {name for name in given if given.count(name) > 1}:
                message = f"two {what} are named {', '.join(sorted(twice))}"
                raise ValueError(message)
        unknown = set(self.reference.feeds if self.reference else ()) - set(names)
        if unknown:
            near = did_you_mean(min(unknown), names)
            message = f"reference.feeds names {', '.join(sorted(unknown))}, but there is no such feed{near}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lake_can_be_written(self) -> Self:
        if not self.catalog and (odd := sorted(set(self.root) & UNWRITABLE)):
            message = f"the lake's path ({self.root}) holds {' '.join(odd)}: delta-rs cannot write there, name another"
            raise ValueError(message)
        as_opened(self.lake or "")
        if not self.catalog and is_volume(self.root):
            message = (
                f"the lake's folder ({self.root}) is in a volume, which takes files but no tables: name a catalog "
                "instead (catalog = …), or the URI of an external location"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _engine_can_do_it(self) -> Self:
        root = None if self.catalog else self.root
        reference = (self.reference.url or "") if self.reference else None
        asked = {"has_spark": bool(self.spark), "has_checks": bool(self.checks)}
        if self.engine == "sail" and (message := engine.objection_to_sail(root, self.feeds, reference, **asked)):
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _reference_is_somewhere(self) -> Self:
        if self.reference is None or self.reference.url:
            return self
        if not self.catalog:
            message = "reference.url is missing: only a lake in a catalog can name tables of a catalog instead"
            raise ValueError(message)
        for name in self.reference_tables.values():
            catalog, schema, _ = name.split(".")
            if catalog.lower() == self.catalog.lower() and schema.lower() in OWN_SCHEMAS:
                message = f"reference.tables: {name} is a table of this lake itself; name the one that it is made from"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _folders_are_of_one_feed(self) -> Self:
        feed_folders.must_be_apart(self.feeds)
        return self

    @property
    def driver_reads(self) -> bool:
        """Whether the driver reads all files and tables, because the engine reads none."""
        return self.engine == "sail"

    @property
    def is_in_a_folder(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return not self.catalog and "://" not in self.root

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
    def places(self) -> Mapping[str, str] | None:
        """`layer.table` -> path or URI of the tables of a catalog; None where the catalog was not asked for them."""
        return self._places

    def located(self, places: Mapping[str, str]) -> Settings:
        """The same lake in a catalog, its tables at those places; what changes there later counts too."""
        settings = self.model_copy()
        settings._places = places  # noqa: SLF001 - our own class
        return settings

    @property
    def root(self) -> str:
        """The lake's folder or URI, without a trailing slash; local folders absolute."""
        lake = (self.lake or DEFAULT_LAKE).rstrip("/")
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
    def reference_tables(self) -> dict[str, str]:
        """Of a reference in tables of a catalog: table -> its name of three parts."""
        return {} if self.reference is None or self.reference.url else self.reference.in_catalog(self.where)

    @property
    def reference_feeds(self) -> tuple[str, ...]:
        """Feeds whose readings are aggregated by product."""
        return self.reference.feeds if self.reference else ()


def load(path: str | Path, anchor: Path | None = None) -> Settings:
    """Read the TOML file at `path` with the environment over it; raises ConfigurationError, in one line.

    Relative paths in it are relative to the working folder, or to `anchor`.
    """
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
            near = did_you_mean(name, [*known, *OTHER_VARIABLES])
            raise ConfigurationError(name, f"unknown environment variable; there is no such key{near}")
    try:
        return Settings(**(values if anchor is None else anchored(values, anchor)))
    except ValidationError as problem:
        raise ConfigurationError(str(path), problems.in_words(problem, Settings, values)) from None
    except SettingsError as problem:
        raise ConfigurationError("of the environment", f"{problem}; lists and tables are written as JSON") from None
