"""A TypeScript client that is made from /openapi.json, compiled strictly, and used against a running server.

    make test-deploy     # installs @hey-api/openapi-ts and TypeScript into .venv-deploy/typescript

Wants npm and Node.js; without them it is skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.config.settings import load
from tests.deploy.tools import ROOT, accepted, environment, needs

pytestmark = [
    pytest.mark.deploy,
    needs("npm", "the TypeScript client is made with it"),
]
HERE = Path(__file__).with_name("typescript")
MODULES = ROOT / ".venv-deploy" / "typescript" / "node_modules"
TOKEN = "a token of the test"  # noqa: S105 - of this test only


@pytest.fixture(scope="module")
def server(demo, tmp_path_factory):
    """The address of a server over the demo's lake that asks for a token."""
    config = tmp_path_factory.mktemp("server") / "guarded.toml"
    config.write_text(demo.read_text() + '\n[api]\ntoken_env = "READERS_TOKEN"\n')
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", "--config", str(config)]
    variables = environment(READERS_TOKEN=TOKEN)
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            banner = process.stdout.readline()
            assert "http://127.0.0.1:" in banner
            yield "http://127.0.0.1:" + banner.split("http://127.0.0.1:")[1].split("/")[0]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def answers(server, tmp_path_factory):
    """What the program of use.ts found with the client."""
    assert MODULES.is_dir(), f"no {MODULES}: `make test-deploy` installs it"
    folder = tmp_path_factory.mktemp("client")
    for name in ("use.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(MODULES)
    accepted(MODULES / ".bin" / "openapi-ts", "-i", f"{server}/openapi.json", "-o", "client", cwd=folder)
    accepted(MODULES / ".bin" / "tsc", "--project", folder, cwd=folder)
    return json.loads(accepted("node", folder / "built" / "use.js", server, TOKEN))


@pytest.fixture(scope="module")
def lake(demo):
    """The rows of a table of the demo's lake, by its name."""
    return lambda name: DeltaTable(f"{load(demo).root}/{name}").to_pyarrow_table().to_pylist()


def kwh(row):
    """Millionths of a kWh."""
    divided = row["consumption"] / (1000 if row["unit"] == "Wh" else 1)
    return int(divided.quantize(Decimal("1e-6"), ROUND_HALF_UP).scaleb(6))


def test_the_client_s_readings_add_up_to_silver_s(answers, lake):
    expected = {}
    for row in lake("silver/readings"):
        name = f"{row['feed']} {row['meter_id']}"
        expected[name] = expected.get(name, 0) + kwh(row)
    assert {name: int(energy) for name, energy in answers["readings"].items()} == expected


def test_the_client_s_days_add_up_to_gold_s(answers, lake):
    assert int(answers["days"]) == sum(kwh(row) for row in lake("gold/meter_day"))


def test_the_client_finds_the_deliveries_that_were_refused(answers, lake):
    refused = [row["reason_code"] for row in lake("ops/ingestion_log") if row["status"] == "rejected"]
    assert answers["reasons"] == sorted(refused) != []


def test_the_client_s_problems_are_typed_and_name_the_parameter(answers):
    assert (answers["stranger"], answers["wrongFeed"], answers["wrongDay"]) == ("401", "404 feed", "400 from")
