"""What the OpenAPI document promises, the API keeps: requests made from it, sound ones and broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings, load
from pipeline.serving.app import application
from tests.jobs.test_demo import config

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["config"]
load_all_checks()
# What a schema cannot say: that `to` lies after `from`, which zones there are, that a cursor is one of ours.
REQUIRED = {"from", "to", "date"}
BEYOND_A_SCHEMA = {"from", "to", "tz", "cursor", "since", "date", "day"}


@pytest.fixture(scope="module")
def document(config: Path) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", application(load(config)))


ADDRESSES = [
    path
    for path, operations in application(Settings(feeds=(Feed(name="gas", format="smrt", path="gas"),)))
    .openapi()["paths"]
    .items()
    if "get" in operations
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sound", "broken"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_api_keeps_what_its_document_promises(document, address, mode):
    operation = document[address]["GET"]
    if mode.is_negative and not [*operation.query, *operation.path_parameters]:
        return

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Any) -> None:
        response = case.call()
        case.validate_response(response, excluded_checks=[positive_data_acceptance])
        assert response.status_code < 500 or address == "/readyz"
        if response.status_code == 400:
            problem = response.json()
            assert problem["parameter"] in {*(case.query or {}), *(case.path_parameters or {}), *REQUIRED}, problem
            assert mode.is_negative or problem["parameter"] in BEYOND_A_SCHEMA, problem

    asked()
