"""The OpenAPI document as generators of clients read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.config.api import Api
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import tables
from pipeline.serving.app import application

SETTINGS = Settings(feeds=(Feed(name="gas", format="smrt", path="gas"),))
# What may be null: where a source says nothing, where nothing happened yet, and on the last page.
NULLABLE = {
    "Attention": {"feed", "command", "since"},
    "Agreement": {"is_variable", "valid_to"},
    "Delivery": {"size_bytes", "modified_at", "sha256", "reason_code", "reason", "created_at", "generation"},
    "Feed": {"first_date", "last_date"},
    "FeedDeliveries": {
        "last_file_id", "last_relative_path", "last_status", "last_received_at", "last_loaded_at",
    },
    "LatestRun": {
        "files", "rows_read", "rows_merged", "error", "bronze_milliseconds", "silver_milliseconds", "gold_milliseconds",
        "succeeded_at", "next_due_at",
    },
    "Meter": {"region"},
    "Neighbour": {"relative_path", "generation"},
    "Reading": {"quality"},
    "RejectedRow": {"meter_id", "raw"},
    "Restatement": {
        "meter_id", "interval_start", "product_display_name", "product", "old_value", "new_value", "file_id",
    },
}  # fmt: skip
NULLABLE["DeliveryWithRejectedRows"] = NULLABLE["Delivery"] | {"next_step"}
OF_A_PAGE = {"next", "total", "time_zone"}


def document(**api: Any) -> dict[str, Any]:
    return application(SETTINGS.model_copy(update={"api": Api(**api)})).openapi()


def operations(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {address: path["get"] for address, path in found["paths"].items()}


def test_each_address_has_an_operation_id_that_makes_a_good_function_name():
    ids = {address: operation["operationId"] for address, operation in operations(document()).items()}
    assert ids["/meters/{meter_id}/readings"] == "get_meter_readings"
    assert ids["/meters/{meter_id}/completeness"] == "get_meter_completeness"
    assert ids["/files/latest"] == "get_latest_file"
    assert ids["/aggregates/gaps"] == "get_gaps"
    assert all(re.fullmatch(r"get(_[a-z]+)+", each) for each in ids.values()), ids
    assert len(set(ids.values())) == len(ids)


def test_a_column_is_nullable_only_where_a_value_may_be_missing():
    schemas = document()["components"]["schemas"]
    for name, schema in schemas.items():
        found = {field for field, kind in schema["properties"].items() if {"type": "null"} in kind.get("anyOf", ())}
        assert found == NULLABLE.get(name, OF_A_PAGE if name.endswith("Page") else set()), name


def test_columns_are_required_but_for_those_that_only_some_answers_have():
    schemas = document()["components"]["schemas"]
    optional = {name: set(schema["properties"]) - set(schema["required"]) for name, schema in schemas.items()}
    assert optional.pop("Reading") == {"file_id", "row_number", "readings", "is_current"}
    assert optional.pop("Completeness") == {
        "intervals_received", "intervals_expected", "intervals_missing", "interval_start", "interval_minutes",
        "expected_by",
    }  # fmt: skip
    assert optional.pop("Problem") == {"parameter"}
    assert not any(optional.values()), optional


def test_parameters_are_never_null():
    for operation in operations(document()).values():
        for parameter in operation.get("parameters", ()):
            assert "null" not in str(parameter["schema"]), parameter


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("HalfHour", tables.HALF_HOUR), ("ProductHalfHour", tables.PRODUCT_HALF_HOUR),
        ("ProductDay", tables.PRODUCT_DAY),
    ],
)  # fmt: skip
def test_a_table_s_own_names_stay_beside_those_of_the_api_and_are_deprecated(model, table):
    fields = document()["components"]["schemas"][model]["properties"]
    assert set(table.names) < set(fields)
    old = {name for name, field in fields.items() if field.get("deprecated")}
    assert old == {"total_kwh", "meterpoint_count", "product_display_name", "date"} & set(table.names)
    assert {"energy_kwh", "meters", "local_date"} <= set(fields)
    assert "use energy_kwh" in fields["total_kwh"]["description"]


def test_every_row_with_energy_calls_it_energy_kwh():
    schemas = document()["components"]["schemas"]
    for name in ("Reading", "HalfHour", "ProductHalfHour", "ProductDay", "FeedDay"):
        assert "energy_kwh" in schemas[name]["required"], name


def test_without_a_token_the_document_says_that_one_may_be_sent():
    found = document()
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert operations(found)["/meters"]["security"] == [{}, {"bearer": []}]
    assert "security" not in operations(found)["/healthz"]


def test_with_a_token_the_document_asks_for_it(monkeypatch):
    monkeypatch.setenv("READERS_TOKEN", "s3cret")
    found = document(token_env="READERS_TOKEN")  # noqa: S106 - the name of a variable
    assert operations(found)["/meters"]["security"] == [{"bearer": []}]
    assert operations(found)["/metrics"]["security"] == [{"bearer": []}]
    assert "security" not in operations(found)["/readyz"]


def test_head_has_the_headers_of_get_and_no_body():
    with TestClient(application(SETTINGS)) as api:
        for address in ("/healthz", "/openapi.json", "/docs", "/nothing"):
            got = api.get(address, headers={"Accept-Encoding": "identity"})
            head = api.head(address, headers={"Accept-Encoding": "identity"})
            assert (head.status_code, head.headers, head.content) == (got.status_code, got.headers, b"")
            assert int(head.headers["content-length"]) == len(got.content) > 0
        assert 'route="/healthz",status="200"} 2.0' in api.get("/metrics").text
