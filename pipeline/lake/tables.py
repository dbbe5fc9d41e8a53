"""Every table: name, comment, columns, key, partitioning; and the only place that builds a table's address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.settings import Settings

# The version of all tables together; pipeline/lake/schema_version.py says what each version changed.
SCHEMA_VERSION = 3
SCHEMA_VERSION_PROPERTY = "meterlake.schemaVersion"
ENERGY = "DECIMAL(18,6)"
ENERGY_SUM = "DECIMAL(28,6)"


@dataclass(frozen=True)
class Column:
    """A column: name, Spark SQL type, comment."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """A table of the lake; its DDL is the only schema there is."""

    layer: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    # Few statistics columns: each costs time in every write, and only these are used in filters.
    stats: tuple[str, ...] = ()
    # The column by which maintenance sorts the rows of a partition.
    cluster_by: tuple[str, ...] = ()
    # Rows of a row group, where a few of very many rows are looked up; None: as the writer likes.
    row_group: int | None = None

    @property
    def full_name(self) -> str:
        """`layer.table`, as people write it in SQL."""
        return f"{self.layer}.{self.name}"

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def properties(self) -> dict[str, str]:
        """Delta table properties."""
        stats = {"delta.dataSkippingStatsColumns": ",".join(self.stats)} if self.stats else {}
        # One table records it for the whole lake.
        version = {SCHEMA_VERSION_PROPERTY: str(SCHEMA_VERSION)} if self.full_name == "ops.ingestion_log" else {}
        return {"delta.enableDeletionVectors": "false", **stats, **version}

    @property
    def schema(self) -> str:
        """The columns as Spark DDL, without comments."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)


def columns(text: str) -> tuple[Column, ...]:
    """Columns from lines of `name TYPE comment`."""
    parts = [line.split(None, 2) for line in text.splitlines() if line.strip()]
    return tuple(Column(name, kind, comment) for name, kind, comment in parts)


LINEAGE = """
    file_id BIGINT The delivery this row came with: ops.ingestion_log.file_id
    row_number BIGINT Position in the delivery, from 1 (SMRT: the line of the file)
    batch_id BIGINT The run's batch that brought it
"""
KEY_OF_A_ROW = ("file_id", "row_number")

READINGS = Table(
    "silver",
    "readings",
    "The current reading of a meter, direction and interval; the latest received wins",
    columns(
        """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint, as the source names it
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the interval, a UTC instant
    interval_minutes INT Length of the interval in minutes
    local_date DATE Local day of the feed's time zone that the interval starts in
    consumption DECIMAL(18,6) Energy of the interval, in unit
    unit STRING Unit as delivered: kWh or Wh
    quality STRING Quality mark of the source; NULL where it says nothing
    """
        + LINEAGE
    ),
    ("feed", "meter_id", "direction", "interval_start"),
    ("feed", "local_date"),
    # Days prune by partition; queries by instant without a day need statistics. (For four columns they took an eighth
    # of the CPU of writing silver.)
    ("interval_start",),
    cluster_by=("meter_id",),
)
REJECTED = Table(
    "silver",
    "rejected_readings",
    "A source row (or element of a row) that did not pass, with the reason",
    columns(
        """
    feed STRING Name of the feed, or 'reference'
    meter_id STRING Meter, where the row names one
    reason_code STRING Code of the first rule that the row breaks
    reason STRING The same in words, with the value
    raw STRING The row as received
    file_id BIGINT The delivery this row came with: ops.ingestion_log.file_id
    row_number BIGINT Position in the delivery, from 1 (SMRT: the line of the file)
    batch_id BIGINT The run's batch that brought it
    rejected_at TIMESTAMP When the rule was applied (UTC)
    """
    ),
    ("file_id", "row_number", "reason_code"),
)
AGREEMENT = Table(
    "silver",
    "agreement",
    "The current agreement rows of the reference database",
    columns(
        """
    agreement_id BIGINT Number of the agreement
    valid_from DATE First day of the agreement
    valid_to DATE Day the agreement ends on, no longer valid; NULL is open
    product_id STRING Product agreed on
    meterpoint_id STRING Meterpoint agreed for
    account_id STRING Account of the customer
    """
        + LINEAGE
    ),
    ("agreement_id",),
)
PRODUCT = Table(
    "silver",
    "product",
    "The current product rows of the reference database",
    columns(
        """
    product_id STRING Product, as agreements name it
    display_name STRING Name for people
    is_variable BOOLEAN Whether its price varies
    id STRING Row id in the source
    """
        + LINEAGE
    ),
    ("product_id",),
)
METERPOINT = Table(
    "silver",
    "meterpoint",
    "The current meterpoint rows of the reference database",
    columns(
        """
    meterpoint_id STRING Meterpoint
    region STRING Region it lies in
    """
        + LINEAGE
    ),
    ("meterpoint_id",),
)
ACTIVE_AGREEMENTS = Table(
    "gold",
    "active_agreements",
    "Agreements active on the configured dates: valid_from < date < valid_to, both strict",
    columns(
        """
    as_of_date DATE The date asked for
    agreement_id BIGINT Number of the agreement
    meterpoint_id STRING Meterpoint agreed for
    product_display_name STRING Name of its product
    is_variable BOOLEAN Whether the product's price varies
    """
    ),
    ("as_of_date", "agreement_id"),
    ("as_of_date",),
)
HALF_HOUR = Table(
    "gold",
    "total_consumption_half_hour",
    "Energy of a half hour over all meters of a feed (readings of 30 minutes or less)",
    columns(
        """
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the half hour, a UTC instant
    local_date DATE Local day it starts in
    meterpoint_count BIGINT Meters with a reading in it
    total_kwh DECIMAL(28,6) Sum in kWh
    file_id BIGINT The newest delivery that a reading in it came with: ops.ingestion_log.file_id
    """
    ),
    ("feed", "direction", "interval_start"),
    ("feed", "local_date"),
)
PRODUCT_DAY = Table(
    "gold",
    "consumption_per_product_per_day",
    "Energy of a product on a local day",
    columns(
        """
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    date DATE Local day
    product_display_name STRING Product agreed for that day, or '(no agreement)'
    meterpoint_count BIGINT Meters with a reading on that day
    total_kwh DECIMAL(28,6) Sum in kWh
    file_id BIGINT The newest delivery that a reading in it came with: ops.ingestion_log.file_id
    """
    ),
    ("feed", "direction", "date", "product_display_name"),
    ("feed", "date"),
)
PRODUCT_HALF_HOUR = Table(
    "gold",
    "avg_half_hour_by_product",
    "Energy of a product in a half hour: total and average per meter",
    columns(
        """
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the half hour, a UTC instant
    local_date DATE Local day it starts in
    product_display_name STRING Product agreed for that day, or '(no agreement)'
    meterpoint_count BIGINT Meters with a reading in it
    total_kwh DECIMAL(28,6) Sum in kWh
    avg_kwh DECIMAL(18,6) total_kwh / meterpoint_count, rounded half up
    file_id BIGINT The newest delivery that a reading in it came with: ops.ingestion_log.file_id
    """
    ),
    ("feed", "direction", "interval_start", "product_display_name"),
    ("feed", "local_date"),
)
METER_DAY = Table(
    "gold",
    "meter_day",
    "Energy of a meter on a local day, and how complete the day is",
    columns(
        """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    local_date DATE Local day
    consumption DECIMAL(28,6) Sum in kWh
    unit STRING Always kWh
    intervals_received INT Readings on that day
    intervals_expected INT True length of the local day / shortest interval among its readings
    first_interval TIMESTAMP Start of the first reading, a UTC instant
    last_interval TIMESTAMP Start of the last reading, a UTC instant
    file_id BIGINT The newest delivery that a reading in it came with: ops.ingestion_log.file_id
    """
    ),
    ("feed", "meter_id", "direction", "local_date"),
    ("feed", "local_date"),
    ("meter_id",),
)
MISSING = Table(
    "gold",
    "missing_intervals",
    "An interval that was expected and is not there: of a meter that had readings on that day or in the week before, "
    "or that has a valid agreement; up to the last day of its feed, on days of the week after any reading of it",
    columns(
        """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the interval that is missing, a UTC instant
    interval_minutes INT Length of the interval in minutes
    local_date DATE Local day of the feed's time zone that the interval starts in
    expected_by STRING Why it is expected: history (the meter's own readings) or agreement
    """
    ),
    ("feed", "meter_id", "direction", "interval_start"),
    ("feed", "local_date"),
    ("meter_id",),
)
INGESTION_LOG = Table(
    "ops",
    "ingestion_log",
    "A delivery and what became of it; exactly one row each",
    columns(
        """
    file_id BIGINT Number of the delivery, growing with arrival
    feed STRING Name of the feed, or 'reference'
    file_name STRING Bare name
    file_path STRING Path or URI as found
    size_bytes BIGINT Size in bytes
    modified_at TIMESTAMP Modification time (UTC)
    sha256 STRING SHA-256 of the bytes (reference: of the snapshot's content); NULL when unreadable
    status STRING loaded, rejected, duplicate or conflict; withdrawn: taken back out, or refused and settled
    reason_code STRING Why it was refused
    reason STRING The same in words
    rows_read BIGINT Source rows; 0 when refused
    rows_accepted BIGINT Source rows that passed
    rows_rejected BIGINT Source rows with something that did not pass
    created_at TIMESTAMP Creation time in the SMRT header (UTC)
    generation STRING Generation number in the SMRT header
    received_at TIMESTAMP When this delivery was decided (UTC)
    batch_id BIGINT The run's batch that brought it
    run_id STRING The run: ops.runs.run_id
    relative_path STRING Path below the feed's landing folder
    local_dates ARRAY<DATE> Local days that its accepted readings lie on
    repeated_times BIGINT Rows with a local time that occurs twice (autumn clock change)
    revision BIGINT Batch in which what counts of it last changed: batch_id, or that of a replay, withdrawal or erasure
    rows_erased BIGINT Source rows that an erasure removed; rows_read counts those that are left
    """
    ),
    ("file_id",),
    row_group=20_000,
)
RESTATEMENTS = Table(
    "ops",
    "restatements",
    "A value of gold that changed after it was first published",
    columns(
        """
    table_name STRING Table of the value, such as gold.meter_day
    key STRING The value's key in that table, as name=value, name=value
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    local_date DATE Local day of the value
    meter_id STRING Meter, of values of one meter
    interval_start TIMESTAMP Start of the half hour, of values of one (UTC)
    product_display_name STRING Product, of values by product
    measure STRING Column that changed
    old_value DECIMAL(28,6) Value published before; NULL where it had gone, and of totals on days of an erased meter
    new_value DECIMAL(28,6) Value now; NULL where there is none any more, and of totals on days of an erased meter
    batch_id BIGINT The batch that changed it
    file_id BIGINT The delivery that changed it; NULL after an erasure
    restated_at TIMESTAMP When the change was published (UTC)
    run_id STRING The run: ops.runs.run_id
    """
    ),
    ("table_name", "key", "measure", "batch_id"),
)
ERASURES = Table(
    "ops",
    "erasures",
    "The certificate of an erasure: what was removed of one meter, in numbers; the meter is not named",
    columns(
        """
    run_id STRING The run: ops.runs.run_id
    erased_at TIMESTAMP When it was done (UTC)
    deliveries BIGINT Deliveries that held something of the meter
    bronze_rows BIGINT Source rows removed from bronze
    readings BIGINT Current readings removed from silver
    rejected_rows BIGINT Rejected rows removed from silver
    reference_rows BIGINT Rows of reference snapshots removed from bronze
    gold_days BIGINT Meter days removed from gold
    restatements BIGINT Rows removed from ops.restatements
    history_removed BOOLEAN Whether earlier versions of the tables were removed as well
    """
    ),
    ("run_id",),
)
ACKNOWLEDGEMENTS = Table(
    "ops",
    "acknowledgements",
    "A response file that was written for the sender of a delivery",
    columns(
        """
    file_id BIGINT The delivery that is answered: ops.ingestion_log.file_id
    feed STRING Name of the feed
    status STRING What became of the delivery: loaded, rejected, duplicate, conflict or withdrawn
    response_path STRING Path of the response file
    written_at TIMESTAMP Start of the run that wrote it (UTC)
    batch_id BIGINT The batch that decided it: ops.ingestion_log.revision
    run_id STRING The run that wrote it: ops.runs.run_id
    content_sha256 STRING SHA-256 of what it says, its run_id left out; NULL of responses of earlier versions
    """
    ),
    ("file_id", "batch_id"),
)
RUNS = Table(
    "ops",
    "runs",
    "A run of the pipeline and how it ended",
    columns(
        """
    run_id STRING Name of the run
    command STRING Command line verb
    started_at TIMESTAMP Start (UTC)
    finished_at TIMESTAMP End (UTC)
    status STRING succeeded or failed
    files BIGINT Deliveries decided
    rows_read BIGINT Source rows of loaded deliveries
    rows_merged BIGINT Readings inserted or updated in silver
    error STRING The error, in one line
    bronze_milliseconds BIGINT Time that bronze took; NULL where this command did not do it
    silver_milliseconds BIGINT Time that silver took
    gold_milliseconds BIGINT Time that gold took
    """
    ),
    ("run_id",),
)

CHECKS = Table(
    "ops",
    "checks",
    "What a check of the configuration found in a run; there once the configuration has checks",
    columns(
        """
    run_id STRING The run: ops.runs.run_id
    number INT Position of the check in the configuration, from 0
    name STRING Name of the check
    severity STRING error or warning
    rows BIGINT Rows that its query returned; NULL where the query failed
    error STRING What is wrong with the query, in one line
    checked_at TIMESTAMP Start of the run (UTC)
    """
    ),
    ("run_id", "name"),
)


def bronze(name: str, comment: str, own: str, more: str = "") -> Table:
    """A bronze table: the source's `own` columns as text, lineage, and `more` columns of the format."""
    stats = ("file_id", "batch_id")
    return Table("bronze", name, comment, columns(own + LINEAGE + more), KEY_OF_A_ROW, stats=stats)


SNAPSHOTS = (
    bronze(
        "agreement",
        "Agreement rows of every snapshot of the reference database, as received",
        """
    agreement_id STRING As received
    agreement_valid_from STRING As received
    agreement_valid_to STRING As received
    product_id STRING As received
    meterpoint_id STRING As received
    account_id STRING As received
    """,
    ),
    bronze(
        "product",
        "Product rows of every snapshot of the reference database, as received",
        """
    display_name STRING As received
    is_variable STRING As received
    id STRING As received
    product_id STRING As received
    """,
    ),
    bronze(
        "meterpoint",
        "Meterpoint rows of every snapshot of the reference database, as received",
        """
    region STRING As received
    meterpoint_id STRING As received
    """,
    ),
)


ENERGY_GOLD = (HALF_HOUR, METER_DAY)
PRODUCT_GOLD = (PRODUCT_DAY, PRODUCT_HALF_HOUR)
REFERENCE = (AGREEMENT, PRODUCT, METERPOINT)


def all_tables(feeds: Iterable[Table]) -> tuple[Table, ...]:
    """Every table of a lake, given the bronze tables of its feeds, in the order of the layers."""
    silver = (READINGS, REJECTED, *REFERENCE)
    gold = (ACTIVE_AGREEMENTS, *ENERGY_GOLD, *PRODUCT_GOLD, MISSING)
    ops = (INGESTION_LOG, RESTATEMENTS, ERASURES, ACKNOWLEDGEMENTS, RUNS)
    return (*feeds, *SNAPSHOTS, *silver, *gold, *ops)


LAYER_COMMENTS = {
    "bronze": "Source rows as received: a table for each feed, and one for each table of the reference database",
    "silver": "The current reading of each meter and interval, rejected rows, current agreements and products",
    "gold": "Sums and counts for reports, by half hour, local day, meter and product, all energy in kWh",
    "ops": "Deliveries and what became of them, runs, changed published values, answers to senders, erasures",
}
LAYERS = tuple(LAYER_COMMENTS)
# What can be rebuilt from bronze and the log.
DERIVED = ("silver", "gold")


def catalog_of(settings: Settings) -> str | None:
    """The catalog that holds the tables; None for a lake in a folder or a store."""
    return settings.catalog


def address(settings: Settings, table: Table) -> str:
    """Where a table is: its path or URI in path mode; in catalog mode its place if that is known, or its full name.

    Settings with a scratch place have their own silver and gold there, beside the lake's.
    """
    if catalog_of(settings):
        return (settings.places or {}).get(table.full_name) or _name_in_catalog(settings, table)
    return f"{_scratch(settings, table) or settings.root}/{table.layer}/{table.name}"


def _scratch(settings: Settings, table: Table) -> str | None:
    return settings.scratch if table.layer in DERIVED else None


def _name_in_catalog(settings: Settings, table: Table) -> str:
    scratch = _scratch(settings, table)
    return f"{catalog_of(settings)}.{scratch + '_' if scratch else ''}{table.layer}.{table.name}"


def sql_name(settings: Settings, table: Table) -> str:
    """A table's name in SQL: that of the catalog, or its path or URI."""
    if catalog_of(settings):
        return _name_in_catalog(settings, table)
    return "delta.`" + address(settings, table).replace("`", "``") + "`"
