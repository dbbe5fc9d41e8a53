"""Killed in catalog mode, without a lock and with Spark as the only writer: the next command ends as if undisturbed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tests.catalog import folder_catalog
from tests.faults.a_lake import ROOT, environment

pytestmark = pytest.mark.faults
MINUTES = 30 * 60
PLACES = ("after write bronze.electricity", "after write ops.ingestion_log", "after write silver.readings")


@pytest.fixture(scope="module", params=["spark_catalog", folder_catalog.NAME])
def catalog(request, tmp_path_factory):
    """The catalog's name, and the folder of its classes: none for the session's own, which is a metastore."""
    if request.param == "spark_catalog":
        return request.param, None
    return request.param, folder_catalog.compiled(tmp_path_factory.mktemp("classes"))


def process(catalog, folder, *arguments):
    """(code, standard output, standard error) of steps in the folder, once the process's JVM has ended as well."""
    name, classes = catalog
    variables = environment() | {"PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    if classes:
        spark = {"spark.driver.extraClassPath": str(classes)} | folder_catalog.settings(folder / name, name)
        variables["METERLAKE_SPARK"] = json.dumps(spark)
    command = [sys.executable, "-m", "tests.faults.in_a_catalog", str(folder), name, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=MINUTES, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def undisturbed(catalog, tmp_path_factory):
    """What the lake says if nothing is killed."""
    code, out, said = process(catalog, tmp_path_factory.mktemp("undisturbed"), "", "begin", "end")
    assert code == 0, said[-3000:]
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("place", PLACES)
def test_the_next_run_repairs_one_that_was_killed_in_a_catalog(catalog, undisturbed, tmp_path, place):
    code, _, said = process(catalog, tmp_path, place, "begin")
    assert code == -signal.SIGKILL, said[-3000:]
    code, out, said = process(catalog, tmp_path, place, "end")
    assert code == 0, said[-3000:]
    assert json.loads(out.splitlines()[-1]) == undisturbed
