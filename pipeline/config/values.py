"""The kinds of values in a configuration, each checked with a message that says what to write instead."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.config.folders import as_opened

ENVIRONMENT_PREFIX = "METERLAKE_"
RESERVED_FEED_NAMES = {"agreement", "product", "meterpoint", "reference"}
# Columns that bronze adds to the source's own.
OWN_COLUMNS = {"file_id", "row_number", "batch_id", "extra", "raw"}
DAY_MINUTES = 24 * 60
# The formats (pipeline/formats), each with the default length of its interval in minutes.
DEFAULT_INTERVAL = {
    "smrt": 60,
    "split_json": 30,
    "obis_json": 15,
    "interval_parquet": 15,
    "csv": 30,
    "nem12": 30,
    "green_button": 60,
}
# Formats whose files may end otherwise than in the format's usual ending.
ANY_ENDING = {"csv", "nem12", "green_button"}


class Strict(BaseModel):
    """A part of the configuration; an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    """Region names and offsets only: an abbreviation can mean several places."""
    offset = re.fullmatch(r"[+-]((0\d|1[0-7]):[0-5]\d|18:00)", name)
    region = name in {"UTC", "GMT"} or ("/" in name and name in available_timezones())
    if not (offset or region):
        message = f"{name!r} is not a time zone: use a region such as 'Europe/London', 'UTC' or an offset '+01:00'"
        raise ValueError(message)
    return name


def _generations(text: str) -> str:
    first, _, last = text.partition("-")
    if not re.fullmatch(r"[A-Z]{2}[0-9]{6}(-[A-Z]{2}[0-9]{6})?", text) or (
        last and (first[:2] != last[:2] or first > last)
    ):
        message = f"{text!r} is not an SMRT number: write 'PN000004', or 'PN000004-PN000009' for several"
        raise ValueError(message)
    return text


def _feed_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or name in RESERVED_FEED_NAMES:
        message = (
            f"{name!r} cannot name a feed: lower-case letters, digits and '_', beginning with a letter, "
            f"and none of {', '.join(sorted(RESERVED_FEED_NAMES))}"
        )
        raise ValueError(message)
    return name


def _format(name: str) -> str:
    if name not in DEFAULT_INTERVAL:
        message = f"{name!r} is not a format: use one of {', '.join(DEFAULT_INTERVAL)}"
        raise ValueError(message)
    return name


def _ending(ending: str) -> str:
    if not re.fullmatch(r"\.[A-Za-z0-9][A-Za-z0-9._-]*", ending) or ending.lower().endswith((".tmp", ".part", ".crc")):
        message = f"{ending!r} is not an ending of deliveries: write it as '.txt', and not as '.tmp', '.part' or '.crc'"
        raise ValueError(message)
    return ending


def _url(url: str) -> str:
    """An address that a GET can be sent to. Messages do not quote it, because it may hold a secret."""
    message = None
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if not re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE):
        message = "must begin with http:// or https://, with blanks and letters beyond ASCII percent-encoded"
    elif "@" in parts.netloc:
        message = (
            "must not hold a user or a password: put a token into an environment variable, name that in url_token_env"
        )
    elif not host:
        message = "does not name a valid host"
    if message:
        raise ValueError(message)
    return url


def _token_variable(name: str) -> str:
    """The name of a variable. The message does not quote it, because it may be the token itself."""
    if not re.fullmatch(r"[A-Za-z_]\w{0,63}", name, re.ASCII) or name.upper().startswith(ENVIRONMENT_PREFIX):
        message = f"must be the name of an environment variable, not beginning with {ENVIRONMENT_PREFIX}"
        raise ValueError(message)
    return name


def _response_folder(path: str) -> str:
    return _local_folder(path, "responses")


def _archive_folder(path: str) -> str:
    return _local_folder(path, "an archive")


def _local_folder(path: str, what: str) -> str:
    if not as_opened(path).strip() or "://" in path or "\0" in path:
        message = f"{path!r} cannot hold {what}: name a local folder"
        raise ValueError(message)
    return path


def origin(text: str) -> str:
    """A web page's origin, as browsers send it: no path, no trailing slash."""
    if text != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", text):
        message = f"{text!r} is not an origin: write it as browsers send it, 'https://dashboards.example.org', or '*'"
        raise ValueError(message)
    return text


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Zone = Annotated[str, AfterValidator(_zone)]


# Spark settings that results may depend on: only the session sets them.
OWN_SETTINGS = ("spark.sql.", "spark.databricks.")
# A catalog beside the session's own, with its options.
CATALOG_SETTING = re.compile(r"spark\.sql\.catalog\.(?!spark_catalog(?:\.|$))\w+(?:\..+)?")


def _spark_options(options: dict[str, str]) -> dict[str, str]:
    for name in options:
        if not re.fullmatch(r"spark\.[A-Za-z]\S*", name):
            message = f"{name!r} is not a Spark setting: its name must begin with 'spark.'"
            raise ValueError(message)
        if name.startswith(OWN_SETTINGS) and not CATALOG_SETTING.fullmatch(name):
            message = f"{name} is set by Meterlake only: results depend on it"
            raise ValueError(message)
    return options


def _column_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) or name.lower() in OWN_COLUMNS:
        message = (
            f"{name!r} cannot name a column: letters, digits and '_', and none of {', '.join(sorted(OWN_COLUMNS))}"
        )
        raise ValueError(message)
    return name


Direction = Literal["import", "export", "production", "consumption"]
DIRECTIONS = get_args(Direction)
Ending = Annotated[str, AfterValidator(_ending)]
ColumnName = Annotated[str, AfterValidator(_column_name)]
Origin = Annotated[str, AfterValidator(origin)]
FeedName = Annotated[str, AfterValidator(_feed_name)]
FormatName = Annotated[str, AfterValidator(_format)]
Generations = Annotated[str, AfterValidator(_generations)]
ArchiveFolder = Annotated[str, AfterValidator(_archive_folder)]
ResponseFolder = Annotated[str, AfterValidator(_response_folder)]
LandingFolder = Annotated[str, Field(min_length=1), AfterValidator(as_opened)]
Url = Annotated[str, AfterValidator(_url)]
SparkOptions = Annotated[dict[str, str], AfterValidator(_spark_options)]
TokenVariable = Annotated[str, AfterValidator(_token_variable)]
