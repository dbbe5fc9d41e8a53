"""A lake in a folder or an object store: by the driver (delta-rs) where it may and rows are few, else by Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake.path.facts import PathFacts
from pipeline.lake.path.reads import PathReads
from pipeline.lake.path.upkeep import PathUpkeep
from pipeline.lake.path.writes import PathWrites
from pipeline.lake.protocol import Lake

if TYPE_CHECKING:
    from pipeline.lake.protocol import Facts, Reads, Upkeep, Writes
    from pipeline.runtime.context import Context


def lake(context: Context) -> Lake:
    """The lake at `settings.root`."""
    facts = PathFacts(context)
    reads, writes, upkeep = _rooms(context, facts)
    return Lake(facts, reads, writes, upkeep, is_open_to_the_driver=True)


def _rooms(context: Context, facts: Facts) -> tuple[Reads, Writes, Upkeep]:
    if context.settings.driver_reads:
        from pipeline.lake.path.by_driver import DriverReads, DriverUpkeep, DriverWrites  # noqa: PLC0415 - few need it

        its = DriverReads(context, facts)
        return its, DriverWrites(context, facts, its), DriverUpkeep(context, facts)
    reads = PathReads(context, facts)
    return reads, PathWrites(context, facts, reads), PathUpkeep(context, facts)
