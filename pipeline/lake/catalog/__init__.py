"""A lake in a catalog, and tables of a path that only Spark may touch: by Spark, which knows all that Delta has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake.catalog.facts import CatalogFacts
from pipeline.lake.catalog.reads import CatalogReads
from pipeline.lake.catalog.upkeep import CatalogUpkeep
from pipeline.lake.catalog.writes import CatalogWrites
from pipeline.lake.protocol import Lake

if TYPE_CHECKING:
    from pipeline.runtime.context import Context


def lake(context: Context, catalog: str) -> Lake:
    """The lake in the catalog of that name."""
    facts = CatalogFacts(context, catalog)
    reads, writes = CatalogReads(context, facts, catalog), CatalogWrites(context, facts)
    return Lake(facts, reads, writes, CatalogUpkeep(context, facts, catalog), is_open_to_the_driver=False)
