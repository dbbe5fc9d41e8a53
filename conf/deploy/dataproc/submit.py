#!/usr/bin/env python3
"""Submit Meterlake to Dataproc, once for each environment, day and command however often it is called.

    submit.py batch    --project P --region europe-west2 --bucket B --environment production [--command verify]
    submit.py workflow --project P --region europe-west2 --bucket B --environment production --command run maintain

Needs `pip install google-cloud-dataproc PyYAML`, application default credentials, and the repository around it: the
version of the wheel and the names of the JARs come from there. Validated by make test-deploy, whose test_dataproc.py
sends both files to a server on loopback that speaks the API. Never run on Google Cloud.

The id of a request consists of the command, the environment and the day in London. Of two requests with one id,
Dataproc accepts the first and answers the second with it. It is also the name of the batch, which must be unique.
A command that failed is submitted again as another attempt: --attempt 2.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

import yaml
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import AlreadyExists
from google.cloud import dataproc_v1 as dataproc
from google.protobuf import json_format

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]
LONDON = ZoneInfo("Europe/London")
# A refused delivery fails the job (3), with all others loaded.
ARGUMENTS = {"run": ["run", "--strict"], "maintain": ["maintain"], "verify": ["verify"]}
# The Spark of batch.yaml's runtime and workflow.yaml's image.
SPARK = {"batch": "4.0", "workflow": "4.1"}


def request_id(command: str, environment: str, day: date, attempt: int = 1) -> str:
    """Letters, digits and hyphens, at most 40: a valid name for a request and a batch."""
    first = "meterlake" if command == "run" else command
    return f"{first}-{environment}-{day:%Y%m%d}" + (f"-{attempt}" if attempt > 1 else "")


def metastore_properties(address: str, bucket: str) -> dict[str, str]:
    """What lets Spark keep the tables of `catalog = "spark_catalog"` in a Hive metastore, its files in the bucket."""
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": address,
        "spark.sql.warehouse.dir": f"gs://{bucket}/warehouse",
    }


def values(options: argparse.Namespace, command: str) -> dict[str, str]:
    """What the ${…} of the files stand for; lists as JSON, which is YAML too."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    pins = ROOT / "tests" / "versions" / f"spark-{SPARK[options.kind]}" / "coordinates.toml"
    names = [jar["file"] for jar in tomllib.loads(pins.read_text(encoding="utf-8"))["jar"]] + options.jar
    return {name: getattr(options, name) for name in ("project", "bucket", "environment")} | {
        "command": command,
        "arguments": json.dumps([*ARGUMENTS[command], "--json", "--config", "meterlake.toml"]),
        "wheel": f"meterlake-{version}+platform-py3-none-any.whl",
        "jars": json.dumps([f"gs://{options.bucket}/meterlake/jars/{name}" for name in names]),
    }


def message(options: argparse.Namespace) -> dataproc.Batch | dataproc.WorkflowTemplate:
    """The file of that kind as the API's message; an unknown field is an error."""
    name, made = (
        ("batch.yaml", dataproc.Batch()) if options.kind == "batch" else ("workflow.yaml", dataproc.WorkflowTemplate())
    )
    text = Template((HERE / name).read_text(encoding="utf-8"))
    told, *others = [yaml.safe_load(text.substitute(values(options, command))) for command in options.command]
    steps = [part["jobs"][0] for part in (told, *others)] if options.kind == "workflow" else []
    for before, step in pairwise(steps):
        step["prerequisiteStepIds"] = [before["stepId"]]
    if steps:
        told["jobs"] = steps
    if options.subnet and options.kind == "batch":
        told["environmentConfig"]["executionConfig"]["subnetworkUri"] = options.subnet
    elif options.subnet:
        told["placement"]["managedCluster"]["config"]["gceClusterConfig"]["subnetworkUri"] = options.subnet
    if options.metastore:
        for holder in [step["pysparkJob"] for step in steps] or [told["runtimeConfig"]]:
            holder["properties"] |= metastore_properties(options.metastore, options.bucket)
    json_format.ParseDict(told, type(made).pb(made), ignore_unknown_fields=False)
    return made


def submit(options: argparse.Namespace, transport: object = None) -> str:
    """Send it; returns the name of the operation, or of the existing batch."""
    parent, made = f"projects/{options.project}/locations/{options.region}", message(options)
    wanted = request_id(options.command[0], options.environment, options.day, options.attempt)
    client_options = ClientOptions(api_endpoint=f"{options.region}-dataproc.googleapis.com:443")
    told = {"transport": transport} if transport else {"client_options": client_options}
    if options.kind == "batch":
        request = dataproc.CreateBatchRequest(parent=parent, batch=made, batch_id=wanted, request_id=wanted)
        try:
            return str(dataproc.BatchControllerClient(**told).create_batch(request).operation.name)
        except AlreadyExists:
            return f"{parent}/batches/{wanted}"
    parent = f"projects/{options.project}/regions/{options.region}"
    inline = dataproc.InstantiateInlineWorkflowTemplateRequest(parent=parent, template=made, request_id=wanted)
    client = dataproc.WorkflowTemplateServiceClient(**told)
    return str(client.instantiate_inline_workflow_template(inline).operation.name)


def asked(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Submit Meterlake to Dataproc, once for each environment and day.")
    parser.add_argument("kind", choices=["batch", "workflow"])
    for name in ("project", "region", "bucket"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--environment", choices=["production", "development"], required=True)
    parser.add_argument("--command", choices=ARGUMENTS, nargs="+", default=["run"], help="a batch takes one")
    parser.add_argument("--subnet", help="a subnetwork of the region; default: that of the network `default`")
    parser.add_argument("--metastore", help="a Hive metastore, thrift://HOST:9083; then write catalog, not lake")
    parser.add_argument(
        "--jar", action="append", default=[], help="one more JAR of the bucket, such as a JDBC driver's"
    )
    parser.add_argument("--day", type=date.fromisoformat, default=datetime.now(LONDON).date(), help="default: today")
    parser.add_argument("--attempt", type=int, default=1, help="another one of the same day: 2, 3, …")
    options = parser.parse_args(arguments)
    if len(set(options.command)) < len(options.command) or (options.kind == "batch" and len(options.command) > 1):
        parser.error("--command: a batch takes one, a workflow each at most once")
    return options


if __name__ == "__main__":
    sys.stdout.write(submit(asked()) + "\n")
