"""MERGE of rows that the driver holds, by delta-rs: path mode only, for plain tables (gate.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deltalake.exceptions import DeltaError

from pipeline.errors import LakeError
from pipeline.lake import access, gate, tables
from pipeline.runtime.error_messages import one_line
from pipeline.runtime.log import without_native_noise

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


@without_native_noise()
def merge_rows(  # noqa: PLR0913 - what a MERGE is made of
    context: Context, table: Table, rows: pa.Table, mark: dict[str, Any], *, condition: str, newer: str
) -> int:
    """MERGE the rows `s` into the table `t`, one commit; returns how many changed.

    Those that meet the condition with a row of the table replace it where they are `newer`; others come in.
    """
    address = tables.address(context.settings, table)
    values = rows.select(table.names).cast(access.arrow_schema(table))
    with access.committed(context, f"write {table.full_name}"):
        try:
            opened = gate.writable(context, table)
            if opened is None:  # it was plain when it was decided who merges
                raise LakeError(address, "has got a feature that only Spark writes meanwhile: run again")
            version = opened.version()
            merge = opened.merge(
                values,
                condition,
                source_alias="s",
                target_alias="t",
                writer_properties=access.WRITER,
                commit_properties=gate.stamped(context, mark),
            )
            counts = merge.when_matched_update_all(newer).when_not_matched_insert_all().execute()
            if opened.version() == version:  # nothing was newer, so it made no commit; its mark needs one
                access.append_nothing(context, opened, table, mark)
        except (DeltaError, OSError) as problem:
            raise LakeError(address, f"cannot be written: {one_line(problem)}") from None
    return int(counts["num_target_rows_inserted"] + counts["num_target_rows_updated"])
