"""Your own checks: SQL over the tables that returns what should not be there."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.config.values import Strict

# Comments and blanks before the first word.
BEFORE = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"


def _query(sql: str) -> str:
    """The query without a semicolon at its end. That it only reads is Spark's to say: it is run as a subquery."""
    query = sql.strip().rstrip(";").rstrip()
    if not re.match(rf"{BEFORE}\(?\s*(?:SELECT|WITH|FROM|VALUES)\b", query, re.IGNORECASE | re.DOTALL):
        message = "is not a query: write a SELECT that returns the rows that should not be there"
        raise ValueError(message)
    return query


class Check(Strict):
    """A check: the rows that `sql` returns are what is wrong; `error` is for what must not go unnoticed."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    sql: Annotated[str, AfterValidator(_query)]
    severity: Literal["error", "warning"] = "warning"
