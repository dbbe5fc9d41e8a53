"""The read API on the demo lake: every figure equals Spark SQL's, in every form, page by page."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from fastapi.testclient import TestClient

from jobs import query
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from pipeline.serving.app import application
from tests.jobs.test_demo import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["config"]
YEAR = {"from": "2021-01-01", "to": "2021-12-31"}
ZONES = {"gas": "UTC", "electricity": "Europe/London", "solar": "UTC", "vilnius": "Europe/Vilnius"}
ZONES |= {"berlin": "Europe/Berlin", "leeds": "Europe/London"}


@pytest.fixture(scope="module")
def context(config: Path) -> Context:
    return Context(load(config))


@pytest.fixture(scope="module")
def api(config: Path) -> Iterator[TestClient]:
    with TestClient(application(load(config)), raise_server_exceptions=False) as client:
        yield client


# What the API calls these columns; the old names stay for one version.
OURS = {
    "total_kwh": "energy_kwh", "meterpoint_count": "meters", "meterpoint_id": "meter_id",
    "product_display_name": "product", "date": "local_date",
}  # fmt: skip


def as_the_tables_say(row: dict[str, Any]) -> dict[str, Any]:
    """The row without the API's own names, each of which must hold what the old name does."""
    for old, ours in OURS.items():
        assert old not in row or row[ours] == row[old], row
    left_out = {ours for old, ours in OURS.items() if old in row}
    if "interval_end" in row:
        thousand = 1000 if row["unit"] == "Wh" else 1
        exact = (Decimal(row["consumption"]) / thousand).quantize(Decimal("1e-6"), ROUND_HALF_UP)
        assert row["energy_kwh"] == f"{exact:f}", row
        left_out = {"energy_kwh"}
    return {name: value for name, value in row.items() if name not in left_out}


def everything(api: TestClient, address: str, limit: int = 10_000, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of all pages."""
    rows: list[dict[str, Any]] = []
    answer = api.get(address, params={**parameters, "limit": limit})
    while True:
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body["data"]) <= limit
        rows += [as_the_tables_say(row) for row in body["data"]]
        if body["next"] is None:
            return rows
        answer = api.get(body["next"])


def spark(context: Context, sql: str) -> list[dict[str, Any]]:
    return query.select(context, sql).toArrow().to_pylist()


def shown(row: dict[str, Any], zone: str | None = None) -> dict[str, Any]:
    """Spark's values as the API writes them."""
    at = ZoneInfo(zone or ZONES.get(row.get("feed", ""), "UTC"))

    def text(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(at).isoformat()
        if isinstance(value, Decimal):
            return f"{value:.6f}"
        if isinstance(value, list):
            return [text(each) for each in value]
        return value.isoformat() if isinstance(value, date) else value

    return {name: text(value) for name, value in row.items()}


GOLD = [
    (
        "/aggregates/half-hour",
        "SELECT * FROM gold.total_consumption_half_hour ORDER BY interval_start, feed, direction",
    ),
    (
        "/aggregates/product-half-hour",
        "SELECT * FROM gold.avg_half_hour_by_product ORDER BY interval_start, feed, direction, product_display_name",
    ),
    (
        "/aggregates/product-day",
        "SELECT * FROM gold.consumption_per_product_per_day ORDER BY date, feed, direction, product_display_name",
    ),
    (
        "/aggregates/feed-day",
        """SELECT feed, direction, local_date, meterpoint_count, total_kwh, intervals_received,
            intervals_received + coalesce(gaps, 0) AS intervals_expected, coalesce(gaps, 0) AS intervals_missing
        FROM gold.feed_day LEFT JOIN (SELECT feed, direction, local_date, count(*) AS gaps FROM gold.missing_intervals
            GROUP BY ALL) USING (feed, direction, local_date) WHERE true ORDER BY local_date, feed, direction""",
    ),
]


@pytest.mark.parametrize(("address", "sql"), GOLD)
@pytest.mark.parametrize("limit", [10_000, 97])
def test_aggregates_equal_spark_sql_s_whatever_the_page(api, context, address, sql, limit):
    answered = everything(api, address, limit, **YEAR)
    if address.endswith("feed-day"):
        answered = [row for row in answered if row["meterpoint_count"]]
    expected = [shown(row) for row in spark(context, sql)]
    assert answered == expected
    assert len(expected) > 10


def test_days_without_any_reading_are_days_of_a_feed_too(api, context):
    sql = "SELECT count(*) AS n FROM gold.missing_intervals"
    missing = sum(row["intervals_missing"] for row in everything(api, "/aggregates/feed-day", **YEAR))
    assert missing == spark(context, sql)[0]["n"] > 0


GRAINS = {
    "half_hour": """SELECT feed, meter_id, direction, interval_start, CAST(SUM(kwh) AS DECIMAL(28,6)) AS consumption,
            CAST(COUNT(*) AS INT) AS readings FROM (SELECT *, CASE WHEN unit = 'Wh' THEN ROUND(consumption / 1000, 6)
            ELSE consumption END AS kwh FROM (SELECT * EXCEPT (interval_start), TIMESTAMP_SECONDS(
            UNIX_TIMESTAMP(interval_start) DIV 1800 * 1800) AS interval_start FROM silver.readings
            WHERE interval_minutes <= 30)) GROUP BY ALL""",
    "hour": """SELECT feed, meter_id, direction, hour_start AS interval_start, total_kwh AS consumption,
            CAST(readings AS INT) AS readings FROM gold.meter_hour""",
    "day": """SELECT feed, meter_id, direction, local_date, consumption, intervals_received AS readings
            FROM gold.meter_day""",
    "month": """SELECT feed, meter_id, direction, month_start AS local_date, total_kwh AS consumption,
            CAST(intervals_received AS INT) AS readings FROM gold.meter_month""",
}


@pytest.mark.parametrize("grain", GRAINS)
def test_a_meter_s_sums_equal_spark_sql_s(api, context, grain):
    expected = [shown(row) for row in spark(context, GRAINS[grain])]
    names = list(expected[0])
    answered = []
    for meter in everything(api, "/meters"):
        address = f"/meters/{meter['meter_id']}/readings"
        rows = everything(api, address, granularity=grain, feed=meter["feed"], **YEAR)
        assert all(row["unit"] == "kWh" for row in rows)
        answered += [{name: row[name] for name in names} for row in rows]

    def order(row: dict[str, Any]) -> list[str]:
        return [str(row[name]) for name in names]

    assert sorted(answered, key=order) == sorted(expected, key=order)


def test_a_meter_s_readings_are_silver_s(api, context):
    sql = """SELECT feed, meter_id, direction, interval_start, interval_start + MAKE_DT_INTERVAL(0, 0, interval_minutes)
        AS interval_end, local_date, consumption, unit, quality, file_id, row_number FROM silver.readings
        ORDER BY meter_id, interval_start, feed, direction"""
    expected = [shown(row) for row in spark(context, sql)]
    answered = []
    for meter in sorted({row["meter_id"] for row in everything(api, "/meters")}):
        answered += everything(api, f"/meters/{meter}/readings", 100, **YEAR)
    assert answered == expected


def test_every_version_of_a_meter_s_readings_is_the_reading_history_s(api, context):
    sql = """SELECT feed, meter_id, direction, interval_start, interval_start + MAKE_DT_INTERVAL(0, 0, interval_minutes)
        AS interval_end, local_date, consumption, quality, file_id, row_number, is_current FROM reading_history
        ORDER BY meter_id, interval_start, feed, direction, file_id, row_number"""
    expected = [shown(row) for row in spark(context, sql)]
    answered = []
    for meter in sorted({row["meter_id"] for row in everything(api, "/meters")}):
        answered += everything(api, f"/meters/{meter}/readings", 100, version="all", **YEAR)
    assert [{name: row[name] for name in expected[0]} for row in answered] == expected
    assert any(not row["is_current"] for row in answered)


def test_meters_and_their_days_equal_spark_sql_s(api, context):
    sql = """SELECT meter_id, feed, any_value(region) AS region, array_join(array_sort(collect_set(direction)), ' ')
            AS directions, min(local_date) AS first_date, max(local_date) AS last_date, count(DISTINCT local_date) AS days,
            sum(intervals_received) AS intervals_received, sum(intervals_expected) AS intervals_expected
        FROM gold.meter_day LEFT JOIN silver.meterpoint ON feed = 'electricity' AND meterpoint_id = meter_id
        GROUP BY ALL ORDER BY meter_id, feed"""
    expected = [shown(row) for row in spark(context, sql)]
    assert everything(api, "/meters", 5) == expected
    assert api.get("/meters?limit=1").json()["total"] == len(expected)
    north = everything(api, "/meters", region="North")
    assert north == [row for row in expected if row["region"] == "North"] != []
    assert everything(api, "/meters", prefix="14", feed="electricity") == [
        row for row in expected if row["feed"] == "electricity" and row["meter_id"].startswith("14")
    ]


def test_gaps_equal_gold_s(api, context):
    expected = [
        shown(row)
        for row in spark(
            context, "SELECT * FROM gold.missing_intervals ORDER BY meter_id, interval_start, feed, direction"
        )
    ]
    answered, by_day = [], 0
    for meter in sorted({row["meter_id"] for row in expected}):
        answered += everything(api, f"/meters/{meter}/completeness", detail="interval", **YEAR)
        by_day += sum(row["intervals_missing"] for row in everything(api, f"/meters/{meter}/completeness", **YEAR))
    assert answered == expected
    assert by_day == len(expected)


def test_deliveries_equal_the_log_and_each_brings_its_rejected_rows(api, context):
    log = spark(context, "SELECT * EXCEPT (file_path) FROM ops.ingestion_log ORDER BY file_id DESC")
    assert everything(api, "/files", 7) == [shown(row, "UTC") for row in log]
    refused = everything(api, "/files", status="rejected", feed="gas")
    assert [row["file_id"] for row in refused] == [
        row["file_id"] for row in log if row["status"] == "rejected" and row["feed"] == "gas"
    ]
    assert api.get("/files/latest").json()["file_id"] == log[0]["file_id"]
    rejected = spark(context, "SELECT * FROM silver.rejected_readings ORDER BY file_id, row_number, reason_code")
    answered = []
    for row in sorted(log, key=lambda row: row["file_id"]):
        delivery = api.get(f"/files/{row['file_id']}").json()
        assert delivery["relative_path"] == row["relative_path"]
        answered += [
            (row["file_id"], each["row_number"], each["reason_code"], each["raw"]) for each in delivery["rejected_rows"]
        ]
    assert answered == [(row["file_id"], row["row_number"], row["reason_code"], row["raw"]) for row in rejected]


def test_agreements_active_on_the_configured_date_are_gold_s(api, context):
    expected = spark(context, "SELECT * FROM gold.active_agreements ORDER BY as_of_date, agreement_id")
    day = expected[0]["as_of_date"]
    answered = everything(api, "/agreements/active", date=day.isoformat())
    names = list(expected[0])
    assert [{name: row[name] for name in names} for row in answered] == [shown(row) for row in expected]


def test_csv_and_arrow_hold_the_rows_of_json(api):
    address, span = "/aggregates/half-hour", {**YEAR, "limit": 200}
    rows = api.get(address, params=span).json()["data"]
    text = api.get(address, params=span, headers={"Accept": "text/csv"})
    assert text.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(text.text)))
    assert read == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    binary = api.get(address, params=span, headers={"Accept": "application/vnd.apache.arrow.stream"})
    table = pa.ipc.open_stream(binary.content).read_all()
    assert table.schema.field("total_kwh").type == pa.decimal128(28, 6)
    assert [shown(row) for row in table.to_pylist()] == rows
    assert 'rel="next"' in text.headers["link"]
    assert api.get(address, params={**span, "format": "csv"}).text == text.text


def test_days_are_those_of_the_zone_and_ranges_are_half_open(api):
    address = "/meters/1400000001/readings"
    london = api.get(address, params={"from": "2021-03-28", "to": "2021-03-29"}).json()["data"]
    assert (london[0]["interval_start"], london[-1]["interval_start"]) == (
        "2021-03-28T00:00:00+00:00",
        "2021-03-28T23:30:00+01:00",
    )
    assert len(london) == 46
    utc = api.get(address, params={"from": "2021-03-28", "to": "2021-03-29", "tz": "UTC"}).json()["data"]
    assert utc[0]["interval_start"] == "2021-03-28T00:00:00+00:00"
    assert utc[-1]["interval_start"] == "2021-03-28T23:30:00+00:00"
    part = {"from": "2021-03-28T10:00:00+01:00", "to": "2021-03-28T10:00:00Z"}
    assert [row["interval_start"][11:16] for row in api.get(address, params=part).json()["data"]] == ["10:00", "10:30"]


def test_a_known_answer_is_not_sent_again(api):
    first = api.get("/meters?limit=3")
    again = api.get("/meters?limit=3", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get("/meters?limit=4", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    packed = api.get("/aggregates/half-hour", params=YEAR, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"


PROBLEMS = [
    ("/meters/1400000001/readings?from=2021-01-02&to=2021-01-01", 400, "to"),
    ("/meters/1400000001/readings?from=2021-01-01&to=2031-01-01", 400, "to"),
    ("/meters/1400000001/readings?from=yesterday&to=2021-01-01", 400, "from"),
    ("/meters/1400000001/readings?from=2021-02-30&to=2021-03-01", 400, "from"),
    ("/meters/1400000001/readings?from=2021-01-01T00:00:00&to=2021-03-01", 400, "from"),
    ("/meters/1400000001/readings?to=2021-03-01", 400, "from"),
    ("/meters/1400000001/readings?from=2021-01-01&to=2021-01-02&tz=CET", 400, "tz"),
    ("/meters/1400000001/readings?from=2021-01-01&to=2021-01-02&granularity=week", 400, "granularity"),
    ("/meters/1400000001/readings?from=2021-01-01&to=2021-01-02&granularity=day&version=all", 400, "version"),
    ("/meters/unknown-1/readings?from=2021-01-01&to=2021-01-02", 404, None),
    ("/meters?feed=water", 404, "feed"),
    ("/meters?limit=0", 400, "limit"),
    ("/meters?limit=1000000", 400, "limit"),
    ("/meters?limits=1", 400, "limits"),
    ("/meters?limit=1&limit=2", 400, "limit"),
    ("/meters?cursor=abc", 400, "cursor"),
    ("/files?status=lost", 400, "status"),
    ("/files/999999", 404, None),
    ("/files/-1", 400, "file_id"),
    ("/agreements/active", 400, "date"),
    ("/nothing", 404, None),
]


@pytest.mark.parametrize(("address", "status", "parameter"), PROBLEMS)
def test_a_problem_names_the_parameter(api, address, status, parameter):
    answer = api.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem.get("parameter") == parameter
    assert problem["detail"]


def test_a_cursor_belongs_to_its_query(api):
    following = api.get("/meters?limit=1&feed=gas").json()["next"]
    assert api.get(following.replace("feed=gas", "feed=solar")).json()["parameter"] == "cursor"
    assert api.get(following.replace("limit=1", "limit=2")).status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/", "/openapi.json", "/healthz", "/metrics", "/meters?limit=3", "/files/1", "/files?format=csv", "/files/999999"],
)
def test_head_is_answered_as_get_without_the_body(api, address):
    # Not packed: the length of a packed answer would say nothing of the body.
    plain = {"Accept-Encoding": "identity"}
    got, head = api.get(address, headers=plain), api.head(address, headers=plain)
    assert (head.status_code, head.content) == (got.status_code, b"")
    if address != "/metrics":  # counts its own requests
        assert head.headers == got.headers
        assert int(head.headers["content-length"]) == len(got.content)


def test_head_knows_what_the_client_has(api):
    tag = api.head("/meters?limit=3").headers["etag"]
    assert api.head("/meters?limit=3", headers={"If-None-Match": tag}).status_code == 304
    assert api.get("/meters?limit=3", headers={"If-None-Match": tag}).status_code == 304


def test_an_unknown_product_is_called_by_its_id_as_in_gold(config, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(load(config).root + "/silver", lake / "silver")
    DeltaTable(lake / "silver" / "product").delete()
    with TestClient(application(load(config).model_copy(update={"lake": str(lake)}))) as api:
        rows = api.get("/agreements/active?date=2021-01-01").json()["data"]
    assert {row["product"] for row in rows} == {"fixed-12", "night-saver", "variable"}


def test_unknown_forms_and_methods_are_refused(api):
    assert api.get("/meters", headers={"Accept": "image/png"}).status_code == 406
    assert api.get("/meters", headers={"Accept": "text/csv;q=0.5, application/json"}).json()["data"]
    refused = api.post("/meters")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("meter", ["<script>alert(1)</script>", "' OR 1=1 --", "%00", "..%2F..%2Fetc", "☃", "a" * 200])
def test_hostile_meter_ids_find_no_meter(api, meter):
    answer = api.get(f"/meters/{meter}/readings?from=2021-01-01&to=2021-01-02")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "<script>" not in answer.headers.get("location", "")


def test_the_service_reports_its_health(api):
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").json()["status"] == "ready"
    text = api.get("/metrics").text
    assert 'meterlake_api_requests_total{route="/meters",status="200"}' in text
    assert "unknown-1" not in text


def test_a_lake_without_tables_is_not_ready_and_has_no_meters(config, tmp_path):
    settings = load(config).model_copy(update={"lake": str(tmp_path / "none")})
    with TestClient(application(settings), raise_server_exceptions=False) as api:
        assert api.get("/readyz").status_code == 503
        assert api.get("/meters").json()["data"] == []
        assert api.get("/files").json()["total"] == 0
        assert api.get("/files/latest").status_code == 404
        assert api.get("/aggregates/half-hour", params=YEAR).json()["data"] == []


def test_with_a_token_only_its_holder_is_answered(config, monkeypatch):
    monkeypatch.setenv("READERS_TOKEN", "s3cret")
    settings = load(config)
    guarded = settings.api.model_copy(update={"token_env": "READERS_TOKEN", "cors_origins": ("https://a.example",)})
    with TestClient(application(settings.model_copy(update={"api": guarded}))) as api:
        for address in ("/meters", "/files", "/metrics", "/aggregates/half-hour?from=2021-01-01&to=2021-01-02"):
            refused = api.get(address)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), address
            assert api.get(address, headers={"Authorization": "Bearer wrong"}).status_code == 401
            assert api.get(address, headers={"Authorization": "Bearer s3cret"}).status_code == 200
        assert api.get("/healthz").status_code == 200
        headers = {"Authorization": "Bearer s3cret", "Origin": "https://a.example"}
        assert api.get("/meters", headers=headers).headers["access-control-allow-origin"] == "https://a.example"
        stranger = api.get("/meters", headers={**headers, "Origin": "https://b.example"})
        assert "access-control-allow-origin" not in stranger.headers


def test_days_may_be_asked_as_far_as_a_year_goes(api):
    longest = {"from": "2021-01-01", "to": (date(2021, 1, 1) + timedelta(days=400)).isoformat()}
    assert api.get("/aggregates/feed-day", params=longest).status_code == 200
