"""The same silver and gold with DuckDB's SQL and delta-rs, one machine.

python benchmarks/peers/duckdb_delta.py benchmarks/data/S /tmp/lake
"""

import sqlite3
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import write_deltalake
from landing import arguments, as_of, remember, replace_days, silver_of

READ = """
create temp table new as
select cells[2] meter_id, strptime(cells[1], '%Y-%m-%d %H:%M:%S') local, cells[3]::decimal(18,6) consumption,
       file_id::bigint file_id, n::bigint row_number
from (select f.file_id, unnest(data) cells, unnest(range(1, len(data) + 1)) n
      from read_json($paths, columns = {columns: 'VARCHAR[]', data: 'VARCHAR[][]'}, filename = true,
                     maximum_object_size = 1000000000) j
      join files f on f.path = j.filename)
"""
SILVER = """
create temp table silver as
select meter_id, interval_start, any_value(local_date) local_date,
       arg_max(consumption, (file_id, row_number)) consumption,
       max((file_id, row_number))[1] file_id, max((file_id, row_number))[2] row_number
from rows_of_days group by meter_id, interval_start
"""
NAMED = """
create temp table named as
select s.*, coalesce(p.product_display_name, '(no agreement)') product_display_name
from silver s left join (
    select meter_id, day, arg_max(product_display_name, (valid_from, agreement_id)) product_display_name
    from agreed join (select distinct local_date as day from silver)
      on valid_from <= day and (valid_to is null or day < valid_to)
    group by all) p on p.meter_id = s.meter_id and p.day = s.local_date
"""
SUMS = "count(*)::bigint meterpoint_count, sum(consumption)::decimal(28,6) total_kwh"
GOLD = {
    "total_consumption_half_hour": f"select interval_start, local_date, {SUMS} from silver group by all",
    "avg_half_hour_by_product": f"""select *, (total_kwh / meterpoint_count)::decimal(18,6) avg_kwh from
        (select interval_start, local_date, product_display_name, {SUMS} from named group by all)""",
    "meter_day": """select meter_id, local_date, sum(consumption)::decimal(28,6) consumption,
        count(*)::bigint intervals_received, min(interval_start) first_interval, max(interval_start) last_interval
        from silver group by all""",
    "consumption_per_product_per_day": """select local_date as "date", product_display_name,
        count(distinct meter_id)::bigint meterpoint_count, sum(consumption)::decimal(28,6) total_kwh
        from named group by all""",
}


def main() -> None:
    """Read what is new, rebuild the days that it touches."""
    lake, files, first_id = arguments()
    data = Path(sys.argv[1])
    db = duckdb.connect()
    db.execute("set TimeZone = 'UTC'")
    numbers = pa.table({"path": [str(path) for path in files], "file_id": range(first_id, first_id + len(files))})
    db.register("files", numbers)
    db.execute(READ, {"paths": [str(path) for path in files]})
    db.execute("create temp view zoned as select *, timezone('Europe/London', local) interval_start, "
               "local::date local_date from new")  # fmt: skip
    days = [row[0] for row in db.execute("select distinct local_date from zoned order by 1").fetchall()]
    before = silver_of(lake, days)
    columns = "meter_id, interval_start, local_date, consumption, file_id, row_number"
    earlier = ""
    if before is not None:
        db.register("before", before)
        earlier = f" union all select {columns} from before"
    db.execute(f"create temp view rows_of_days as select {columns} from zoned{earlier}")
    db.execute(SILVER)
    with sqlite3.connect(data / "reference.db") as connection:
        found = connection.execute(
            """select agreement_id, meterpoint_id, agreement_valid_from, agreement_valid_to, display_name
            from agreement left join product using (product_id)"""
        ).fetchall()
    names = ["agreement_id", "meter_id", "valid_from", "valid_to", "product_display_name"]
    db.register(
        "texts", pa.table({name: list(values) for name, values in zip(names, zip(*found, strict=True), strict=True)})
    )
    db.execute("create temp table agreed as select * replace (valid_from::date as valid_from, "
               "valid_to::date as valid_to) from texts")  # fmt: skip
    db.execute(NAMED)
    replace_days(lake, "silver", "readings", db.sql(f"select {columns} from silver").to_arrow_table(), days)
    for table, query in GOLD.items():
        replace_days(lake, "gold", table, db.sql(query).to_arrow_table(), days)
    day = as_of(data)
    active: pa.Table = db.execute(
        "select * from agreed where valid_from < ?::date and (valid_to is null or valid_to > ?::date)", [day, day]
    ).to_arrow_table()
    write_deltalake(str(lake / "gold" / "active_agreements"), active, mode="overwrite")
    remember(lake, files)


if __name__ == "__main__":
    main()
