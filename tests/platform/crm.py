"""The agreements of a company as its own database keeps them: what the tests of the reference ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.reference import Reference
from pipeline.lake import tables
from tests.jobs.conftest import rows
from tests.platform.reference_in_a_catalog import PRODUCTS

if TYPE_CHECKING:
    from pathlib import Path

READER, SECRET, VARIABLE = "reader", "s3cret of the reader", "CRM_PASSWORD"
ACTIVE_ON = ("2020-05-31", "2020-06-01", "2020-06-02", "2021-01-04")
ROWS = [[f"2021-01-0{n} 00:00:00", meter, "1.5"] for n in (4, 5) for meter in ("m1", "m2", "m3")]
# Summer time: the second begins on the first of June in London, which is the evening of the last of May in UTC.
AGREEMENTS = [
    (1, "2020-01-01T00:00:00+00:00", "2021-01-05T00:00:00+00:00", "fixed", "m1", "a1"),
    (2, "2020-05-31T23:00:00+00:00", None, "fixed", "m2", "a2"),
    (3, "2020-06-30T23:00:00+00:00", None, "variable", "m2", "a2"),
    (9007199254740993, "2020-01-01T00:00:00+00:00", "2020-12-31T00:00:00+00:00", "fixed", "m3", "a3"),
]
# The same with the types that a database has; each name is another than ours.
TYPED = """
CREATE SCHEMA crm;
CREATE TABLE crm."Vertrag" (agreement_id NUMERIC(20, 0), agreement_valid_from TIMESTAMP WITH TIME ZONE,
    agreement_valid_to TIMESTAMP WITH TIME ZONE, product_id VARCHAR(20), meterpoint_id VARCHAR(20), account_id VARCHAR(20));
CREATE TABLE crm.tariff (display_name VARCHAR(20), is_variable BOOLEAN, id SMALLINT, product_id VARCHAR(20));
CREATE TABLE crm.place (region VARCHAR(20), meterpoint_id VARCHAR(20));
INSERT INTO crm.tariff VALUES ('Fixed', false, 1, 'fixed'), ('Variable', true, 2, 'variable');
INSERT INTO crm.place VALUES ('North', 'm1'), ('South', 'm2');
"""
INSERTED = "INSERT INTO crm.{} VALUES ({}, {}, {}, '{}', '{}', '{}');"
NAMES = {"agreement": "crm.Vertrag", "product": "crm.tariff", "meterpoint": "crm.place"}


def inserted(table: str) -> str:
    """The agreements as statements."""
    instants = [[cell if cell is None else f"TIMESTAMP '{cell}'" for cell in row[1:3]] for row in AGREEMENTS]
    return "\n".join(
        INSERTED.format(table, row[0], begins, ends or "NULL", *row[3:])
        for row, (begins, ends) in zip(AGREEMENTS, instants, strict=True)
    )


def asked(url: str, **more: object) -> Reference:
    named = {"user": READER, "password_env": VARIABLE, "tables": NAMES, "feeds": ("electricity",), "timeout_seconds": 4}
    return Reference(url=url, **(named | more))


def of_products(context):
    """Rows of the product tables, without the numbers of the lake's own deliveries."""
    return {
        table.name: rows(context, table, *(name for name in table.names if name != "file_id")) for table in PRODUCTS
    }


def logged(context):
    return rows(
        context,
        tables.INGESTION_LOG,
        "file_name",
        "file_path",
        "status",
        "reason_code",
        where=lambda row: row["feed"] == "reference",
    )


def nowhere(secret: str, folder: Path) -> bool:
    """Whether no file below the folder holds the text."""
    return not [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
