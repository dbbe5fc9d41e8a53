"""The version of a lake's form, recorded in the lake: forward only, and refused where it is newer than this program.

Columns that a table has got since are added to it when a run begins (creation.create_missing). What tells a program
that a lake is not for it is a property of ops.ingestion_log, which every lake has. To change the form: raise
tables.SCHEMA_VERSION, say in CHANGES what changed, and keep a lake of the version before in tests/upgrades/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from pipeline import housekeeping, tables
from pipeline.errors import LakeError

if TYPE_CHECKING:
    from pipeline.context import Context

CHANGES = {
    1: "the first form, of lakes that say nothing of it",
    2: "ops.runs says how long each layer took; the lake says its version",
}
NEWEST = tables.SCHEMA_VERSION
PROPERTY = tables.SCHEMA_VERSION_PROPERTY


def recorded(context: Context) -> int | None:
    """The version of the lake's form; None where there is no lake yet."""
    where = tables.address(context.settings, tables.INGESTION_LOG)
    if context.settings.catalog:
        if not context.spark.catalog.tableExists(where):
            return None
        rows = context.spark.sql(f"SHOW TBLPROPERTIES {where}").toArrow().to_pylist()
        return int({row["key"]: row["value"] for row in rows}.get(PROPERTY, 1))
    try:
        return int(DeltaTable(where).metadata().configuration.get(PROPERTY, 1))
    except TableNotFoundError:
        return None


def check(context: Context) -> int | None:
    """The recorded version; LakeError where it is newer than this program knows."""
    found = recorded(context)
    if found is not None and found > NEWEST:
        where = context.settings.catalog or context.settings.root
        raise LakeError(
            where,
            f"was written by a newer Meterlake (its form is version {found}, this program knows {NEWEST}): use that "
            "one; nothing was changed",
        )
    return found


def record(context: Context, before: int | None) -> None:
    """Once the tables have their columns: the lake is of the newest version from here on."""
    if before in {None, NEWEST}:  # a new lake was made with it
        return
    housekeeping.set_properties(context, tables.INGESTION_LOG, {PROPERTY: str(NEWEST)})
    context.log.info("lake upgraded", version_before=before, version=NEWEST, change=CHANGES[NEWEST])
