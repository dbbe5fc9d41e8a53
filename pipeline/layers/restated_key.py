"""The `key` of ops.restatements: stored data that is compared for years, so its format must never change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def key_text(names: Sequence[str], row: Mapping[str, object]) -> str:
    """`name=value, name=value`: instants in UTC, to the second, with `Z`; days as `YYYY-MM-DD`; text unchanged."""
    return ", ".join(f"{name}={_value(row[name])}" for name in names)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    return str(value)
