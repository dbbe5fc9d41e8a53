"""Submissions by the vendor's client to a server on loopback, for the tests of the Dataproc files."""

from __future__ import annotations

import json

from tests.deploy.tools import DEPLOY, ROOT, accepted, tool

FILES = DEPLOY / "dataproc"
PLACE = "--project p1 --region europe-west2 --bucket b1"


def submitted(*arguments, server="remembers"):
    """(answers of the client, what the server took) of these submissions, one after the other."""
    script = ROOT / "tests/deploy/dataproc_server.py"
    result = json.loads(accepted(tool("python"), script, FILES, server, *" + ".join(arguments).split()))
    return result["answers"], result["taken"]
