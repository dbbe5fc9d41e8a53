"""What every kind of lake can do: the interface between what jobs ask for and how it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyspark.sql import DataFrame

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.state import State
    from pipeline.lake.tables import Table
    from pipeline.lake.views import View

# Delta's own guard: shorter than this, a reader or writer that is at work may lose its files.
SAFE_HOURS = 168


class Facts(Protocol):
    """What the tables' logs say."""

    def exists(self, table: Table) -> bool:
        """Whether there is such a table."""

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""

    def version(self, table: Table) -> int | None:
        """The table's newest version, None where there is no such table."""

    def properties(self, table: Table) -> dict[str, str] | None:
        """The table's properties; None where there is no such table."""

    def progress(self, table: Table) -> tuple[Progress, bool]:
        """(how far the table is complete, whether its history reaches back to a mark of ours or to its beginning)."""

    def states(self, every: Iterable[Table]) -> list[State]:
        """What the tables say of themselves; without those that are not there."""

    def names_in(self, layer: str) -> list[str]:
        """Names of the tables of a layer."""

    def lost_files(self, table: Table) -> list[str]:
        """Data files that the newest version names and that are not there; [] where that cannot be told."""


class Reads(Protocol):
    """Rows of tables."""

    def read(self, table: Table) -> DataFrame:
        """The table as it is now."""

    def read_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
        """The rows of those days of those feeds."""

    def read_batches(self, table: Table, batches: Collection[int]) -> DataFrame:
        """The rows of those batches."""

    def small_table(self, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
        """A table that is small enough for the driver; `where` is one (column, '=', value) that must hold."""

    def scan(self, table: Table, columns: Sequence[str], column: str, values: Sequence[int]) -> Iterator[pa.Table]:
        """Those columns of the rows whose `column` is one of the values."""

    def first_rows(
        self, table: Table, where: Mapping[str, Collection[Any]], order: Sequence[tuple[str, str]], most: int
    ) -> tuple[pa.Table, int]:
        """(the first `most` rows in that order whose columns are each one of the values, how many there are in all).

        `order` is (column, 'ascending' or 'descending'), as Arrow sorts. Of a large table only those rows are kept.
        """

    def rows_without(self, table: Table, column: str) -> pa.Table:
        """The rows whose `column` is NULL, which are few."""

    def partitions(self, table: Table) -> set[tuple[Any, ...]]:
        """The partitions that hold rows, as tuples of text; none where there is no such table."""

    def row_count(self, table: Table) -> int:
        """How many rows the table holds; 0 where there is no such table."""

    def dataset(self, table: Table) -> tuple[ds.Dataset, int] | None:
        """(the table as it is now, its version); None where only Spark may read it. LakeError if it cannot be read."""

    def count_on_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:
        """How many rows those days of those feeds hold; None where that is not known without reading them."""

    def files_at(self, table: Table, version: int) -> pa.Table:
        """Feed, day and identity of each file of a version."""

    def rows_at(
        self, table: Table, version: int, names: list[str], days: Mapping[str, Sequence[date]] | None
    ) -> pa.Table:
        """Those columns of the rows of those days of those feeds, of a version; None: of all."""

    def name_in_session(self, names: Collection[str] | None, every: Sequence[Table], shown: Sequence[View]) -> None:
        """Let Spark SQL find tables and views as `layer.name`: those of the names, or all (None)."""


class Writes(Protocol):
    """Commits of rows."""

    def append(
        self, table: Table, rows: DataFrame | pa.Table, mark: Mapping[str, Any], *, at_most: int | None = None
    ) -> int:
        """Add rows; returns how many."""

    def replace(  # noqa: PLR0913 - what a replacement is made of
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        condition: str,
        mark: Mapping[str, Any],
        *,
        at_most: int | None = None,
        about: int | None = None,
    ) -> int:
        """Rows that meet the condition go, these come; returns how many came."""

    def merge(  # noqa: PLR0913 - what a MERGE is made of
        self,
        table: Table,
        source: DataFrame,
        days: Mapping[str, Sequence[date]],
        mark: Mapping[str, Any],
        *,
        condition: str,
        newer: str,
        at_most: int | None = None,
    ) -> int:
        """MERGE the rows `s` into the table `t`, of which only `days` are read; returns how many changed."""

    def delete(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """Remove the rows that meet the condition; one commit, also where there are none."""

    def delete_matching(self, table: Table, key: Sequence[str], keys: pa.Table, mark: Mapping[str, Any]) -> int:
        """Remove the rows that have one of the keys; returns how many."""

    def commit_nothing(self, table: Table) -> None:
        """A commit without rows and without a mark; nothing where there is no table."""

    def commit_seen(self, table: Table, look: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """A commit without rows on the version whose mark `look` was shown; marks of commits that came in between."""


class Upkeep(Protocol):
    """The care of one lake: made, altered, compacted, cleared."""

    def create(self, wanted: Iterable[Table]) -> list[Table]:
        """Create the tables that are not there yet, with comments; give those that are there the columns they lack."""

    def set_properties(self, table: Table, properties: dict[str, str]) -> None:
        """Properties of the table, in a commit that carries the mark of the one before."""

    def compact(self, table: Table) -> int:
        """Put small files of a partition together; returns how many files went."""

    def put_in_order(self, table: Table, feed: str, days: Sequence[date]) -> int:
        """Rewrite those days of the feed in the order of `cluster_by`; returns how many files went."""

    def removable(self, table: Table, hours: int) -> int | None:
        """How many files `vacuum` would remove; None where that is not known."""

    def vacuum(self, table: Table, hours: int) -> int:
        """Remove the files that only versions older than `hours` need; returns how many (by Spark: 0, unknown)."""

    def forget_log(self, table: Table, properties: dict[str, str]) -> None:
        """Set the properties, then remove the log before them; nothing where only Spark writes the table."""

    def storage(self, table: Table) -> dict[str, int | None]:
        """Of the newest version: `files`, their `bytes`, and how many `small_files` `compact` would put together."""

    def scratch(self, name: str) -> str:
        """A place beside the lake for another silver and gold, as tables.address understands it."""

    def remove_scratch(self, place: str) -> None:
        """The place and all that was made in it."""

    def forgets(self, table: Table) -> bool:
        """Whether earlier versions of the table can go at once, with what the log says of them."""

    def bytes_on_disk(self) -> int | None:
        """All that lies below a lake in a local folder, earlier versions too; None elsewhere."""


@dataclass(frozen=True)
class Lake:
    """A lake: in a folder or an object store (path/), or in a catalog (catalog/)."""

    facts: Facts
    reads: Reads
    writes: Writes
    upkeep: Upkeep
    # Whether it can be read without Spark.
    is_open_to_the_driver: bool
