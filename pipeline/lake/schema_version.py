"""The version of a lake's form, recorded in the lake: forward only, and refused if it is newer than this program.

New columns are added to existing tables when a run begins (maintenance.create_missing). The version is a property of
ops.ingestion_log, which every lake has. To change the form: raise tables.SCHEMA_VERSION, describe the change in
CHANGES, and keep a lake of the previous version in tests/upgrades/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import LakeError
from pipeline.lake import access, maintenance, tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

CHANGES = {
    1: "the first form; these lakes do not record it",
    2: "ops.runs says how long each layer took; the lake records its version",
    3: "marks in commits have a namespace, so that they differ from those of other tools",
}
NEWEST = tables.SCHEMA_VERSION
PROPERTY = tables.SCHEMA_VERSION_PROPERTY


def recorded(context: Context) -> int | None:
    """The version of the lake's form; None if there is no lake yet."""
    properties = access.properties(context, tables.INGESTION_LOG)
    return None if properties is None else int(properties.get(PROPERTY, 1))


def check(context: Context) -> int | None:
    """The recorded version; LakeError if it is newer than this program knows."""
    found = recorded(context)
    if found is not None and found > NEWEST:
        where = context.settings.where
        raise LakeError(
            where,
            f"was written by a newer Meterlake (its form is version {found}, this program knows {NEWEST}): use that "
            "one; nothing was changed",
        )
    return found


def record(context: Context, before: int | None, every: Iterable[Table]) -> None:
    """Upgrade the lake once its tables have their columns: first all marks, and the version last."""
    if before in {None, NEWEST}:  # a new lake already has it
        return
    for table in every:
        if access.mark(context, table):
            access.carry_mark(context, table)
    maintenance.set_properties(context, tables.INGESTION_LOG, {PROPERTY: str(NEWEST)})
    context.answers["form",] = NEWEST
    context.log.info("lake upgraded", version_before=before, version=NEWEST, change=CHANGES[NEWEST])
