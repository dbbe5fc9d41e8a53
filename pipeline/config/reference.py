"""Where agreements, products and meterpoints come from: a database, or tables of the catalog."""

from __future__ import annotations

import os
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.values import Strict, TokenVariable, Zone
from pipeline.errors import ConfigurationError

SQLITE = "jdbc:sqlite:"
# Parameters that hold a secret, whatever the driver calls them.
SECRET = re.compile(r"[?;&,:(]\s*[\w.]*(?:password|passwd|pwd|secret|token|passphrase)\s*=", re.IGNORECASE)
# `//user:password@host`, and Oracle's `thin:user/password@host`.
WITH_USER = re.compile(r"//[^/?;@]*:[^/?;@]*@|^jdbc:oracle:\w+:[^@/]+/[^@]*@", re.IGNORECASE)
A_PART = r"[^\W\d][\w$-]*"
# The lake's own schemas: a snapshot of our own tables would be a snapshot of snapshots.
OWN_SCHEMAS = {"bronze", "silver", "gold", "ops"}


def _url(url: str) -> str:
    """A JDBC URL. Messages do not quote it, because it may hold a password."""
    if not re.fullmatch(r"jdbc:[A-Za-z][\w+.-]*:\S.*", url) or not url.isprintable():
        message = "must be a JDBC URL: jdbc:sqlite:FOLDER/reference.db, jdbc:postgresql://HOST/DATABASE"
        raise ValueError(message)
    if SECRET.search(url) or WITH_USER.search(url):
        message = "must not hold a password: put it into an environment variable, and name that in password_env"
        raise ValueError(message)
    return url


def _table(name: str) -> str:
    if not re.fullmatch(rf"{A_PART}(\.{A_PART}){{0,2}}", name):
        message = f"{name!r} is not the name of a table: table, schema.table or catalog.schema.table"
        raise ValueError(message)
    return name


def _java_class(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_][\w$]*)+", name, re.ASCII):
        message = f"{name!r} is not the name of a driver's class, such as org.postgresql.Driver"
        raise ValueError(message)
    return name


TableName = Annotated[str, AfterValidator(_table)]


class ReferenceTables(Strict):
    """What the three tables are called where they lie."""

    agreement: TableName = "agreement"
    product: TableName = "product"
    meterpoint: TableName = "meterpoint"


class Reference(Strict):
    """The database of agreements, products and meterpoints, or, without a `url`, the catalog that holds them."""

    url: Annotated[str, AfterValidator(_url)] | None = None
    user: str | None = Field(default=None, min_length=1)
    password_env: TokenVariable | None = None
    driver: Annotated[str, AfterValidator(_java_class)] | None = None
    # For a connection, and for an answer of a server.
    timeout_seconds: int = Field(default=60, gt=0, le=3600)
    tables: ReferenceTables = ReferenceTables()
    feeds: tuple[str, ...] = ()
    # The zone of its instants; default: that of its first feed.
    time_zone: Zone | None = None

    @property
    def names(self) -> dict[str, str]:
        """Table -> what it is called."""
        return self.tables.model_dump()

    @model_validator(mode="after")
    def _only_a_server_asks_who_you_are(self) -> Self:
        of_servers = {"user", "password_env", "driver", "timeout_seconds"} & self.model_fields_set
        if of_servers and (self.url is None or self.url.startswith(SQLITE)):
            message = f"{', '.join(sorted(of_servers))}: only for the url of a database server"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _tables_of_a_catalog_have_a_schema(self) -> Self:
        if self.url is None and (short := [name for name in self.names.values() if "." not in name]):
            message = (
                f"tables: without a url they are tables of the catalog, and {', '.join(short)} names no schema: "
                "write crm.agreement, or main.crm.agreement"
            )
            raise ValueError(message)
        return self

    def password(self) -> str | None:
        """What the variable holds, None where none is named; ConfigurationError if it holds nothing."""
        if self.password_env is None:
            return None
        found = os.environ.get(self.password_env, "")
        if not found:
            problem = f"the environment variable {self.password_env} holds no password: set it"
            raise ConfigurationError("reference.password_env", problem)
        return found

    def in_catalog(self, catalog: str) -> dict[str, str]:
        """Table -> its name of three parts; `catalog` is for those that name none."""
        return {table: name if name.count(".") == 2 else f"{catalog}.{name}" for table, name in self.names.items()}  # noqa: PLR2004
