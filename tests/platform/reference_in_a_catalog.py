"""A separate process: a lake in the catalog of a metastore whose reference is tables of that catalog. `CONFIG`.

Statements that make the tables come from standard input; what the lake says is printed as JSON.
"""

from __future__ import annotations

import json
import sys

from jobs import run
from pipeline import formats
from pipeline.config.settings import load
from pipeline.deliveries import ingestion_log
from pipeline.errors import ReferenceDatabaseError
from pipeline.lake import access, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

PRODUCTS = (tables.PRODUCT_DAY, tables.PRODUCT_HALF_HOUR, tables.ACTIVE_AGREEMENTS)


def main(config: str) -> None:
    """Three runs: the tables are there, nothing changed, one is gone."""
    context = Context(load(config), log=Log("", quiet=True))
    for statement in sys.stdin.read().split(";"):
        if statement.strip():
            context.spark.sql(statement)
    first = run.run(context)
    told = {table.name: access.small_table(context, table).to_pylist() for table in PRODUCTS}
    data = [table for table in formats.lake_tables(context.settings) if table is not tables.RUNS]
    versions = [access.version(context, table) for table in data]
    context = context.next_run()
    second = run.run(context)
    again = [access.version(context, table) for table in data]
    context.spark.sql("DROP TABLE crm.product")
    context = context.next_run()
    try:
        run.run(context)
        fault = None
    except ReferenceDatabaseError as problem:
        fault = str(problem)
    log = [each for each in ingestion_log.logged(context.next_run()) if each.feed == "reference"]
    answer = {
        "tables": told,
        "runs": [len(first.deliveries), len(second.deliveries)],
        "unchanged": versions == again,
        "fault": fault,
        "log": [[each.file_name, each.file_path, each.status, each.reason_code] for each in log],
    }
    print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
