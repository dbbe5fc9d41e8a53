"""MERGE of rows that the driver holds, by delta-rs: path mode only, for plain tables (data_files.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deltalake import write_deltalake
from deltalake.exceptions import DeltaError

from pipeline import lake, tables
from pipeline.causes import one_line
from pipeline.errors import LakeError
from pipeline.log import without_native_noise

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.context import Context
    from pipeline.tables import Table


@without_native_noise()
def merge_rows(  # noqa: PLR0913 - each is a thing of its own
    context: Context, table: Table, rows: pa.Table, mark: dict[str, Any], *, condition: str, newer: str
) -> int:
    """MERGE the rows `s` into the table `t`, one commit; returns how many changed.

    Those that meet the condition with a row of the table take its place where they are `newer`; others come in.
    """
    opened, address = lake.opened(context, table), tables.address(context.settings, table)
    values, version = rows.select(table.names).cast(lake.arrow_schema(table)), opened.version()
    with lake.committed(context, f"write {table.full_name}"):
        try:
            merge = opened.merge(
                values,
                condition,
                source_alias="s",
                target_alias="t",
                writer_properties=lake.WRITER,
                commit_properties=lake.marked(mark),
            )
            counts = merge.when_matched_update_all(newer).when_not_matched_insert_all().execute()
            if opened.version() == version:  # nothing was newer, so it made no commit; its mark needs one
                write_deltalake(address, values.slice(0, 0), mode="append", commit_properties=lake.marked(mark))
        except (DeltaError, OSError) as problem:
            raise LakeError(address, f"cannot be written: {one_line(problem)}") from None
    return int(counts["num_target_rows_inserted"] + counts["num_target_rows_updated"])
