"""Why each package is there: a sentence for a direct one; for the others, the packages that need them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from pathlib import Path

DIRECT = {
    "pyspark": "the engine",
    "delta-spark": "the table format, for Spark",
    "deltalake": "the log, marks and small commits of a run without a JVM",
    "pyarrow": "landing folders on disks and object stores; rows between Python and Spark",
    "pydantic-settings": "the configuration",
    "rich": "tables and progress on a terminal",
    "typer": "the command line",
    "prompt_toolkit": "`sql`: its prompt: history, several lines, completion",
    "fastapi": "`serve`: routes, checked parameters, the OpenAPI document",
    "uvicorn": "`serve`: the HTTP server",
    "duckdb": "`guess`: the delimiter; `serve`, `report`, `sql --engine duckdb`: SQL over Arrow data, exactly",
    "fastapi-offline": "`serve`: the files of Swagger UI",
    "plotly": "`serve`: the script of the page's charts",
    "prometheus-client": "measures of runs as text for Prometheus; `/metrics`",
    "statsmodels": "`report`: autocorrelation",
    "matplotlib": "`report`: pictures",
    "Jinja2": "`report`: the page, each value escaped",
    "pandas": "PySpark's toPandas; statsmodels",
    "chispa": "tests: data frames compared",
    "hypothesis": "tests: generated values",
    "import-linter": "lint: which module may import which",
    "mypy": "lint: types",
    "pytest": "tests",
    "pytest-xdist": "tests: two workers at a time",
    "ruff": "lint and form",
    "polars": "tests: the lake as analysts read it; benchmarks",
    "playwright": "tests: a browser for the page",
    "schemathesis": "tests: requests made from the OpenAPI document",
    "httpx2": "tests: a client for the API",
}
JARS = {
    "delta-spark_4.2_2.13": "the table format, in Spark",
    "delta-kernel-api": "needed by delta-spark",
    "delta-kernel-defaults": "needed by delta-spark",
    "delta-kernel-unitycatalog": "needed by delta-spark",
    "delta-storage": "needed by delta-spark: commits to a file system or an object store",
    "jsr305": "annotations, needed by Delta",
    "sqlite-jdbc": "Spark's JDBC source for the reference database",
}


def plain(name: str) -> str:
    """A package's normalized name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sections(root: Path) -> dict[str, list[tuple[str, str]]]:
    """The pins below each heading of requirements.txt."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in (root / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"# --- (.+?) -+$", line):
            pins = found.setdefault(heading[1], [])
        elif pin := re.match(r"([\w.-]+)==([^\s;]+)", line):
            pins.append((pin[1], pin[2]))
    return found


def rows(document: str) -> list[tuple[str, str, str]]:
    """Name, version and licence of each row of docs/dependencies.md."""
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in document.splitlines() if line.startswith("| ")]
    return [(name, version, licence) for name, version, licence in cells if name not in {"package", "JAR"}]


def whys(root: Path, python: Path) -> dict[str, str]:
    """By the name in requirements.txt."""
    listed = subprocess.run([str(python), "-m", "pip", "inspect"], check=True, capture_output=True, text=True).stdout
    report = json.loads(listed)
    always: dict[str, set[str]] = {}
    with_extras: dict[str, set[str]] = {}
    for package in report["installed"]:
        told = package["metadata"]
        for text in told.get("requires_dist", []):
            wanted = Requirement(text)
            if _applies(wanted, "", report["environment"]):
                always.setdefault(plain(wanted.name), set()).add(told["name"])
            elif any(_applies(wanted, extra, report["environment"]) for extra in told.get("provides_extra", [])):
                with_extras.setdefault(plain(wanted.name), set()).add(told["name"])
    needed = with_extras | always
    pins = [name for section in sections(root).values() for name, _ in section]
    by = {name: sorted(needed.get(plain(name), ()), key=str.lower) for name in pins}
    if unexplained := [name for name in pins if name not in DIRECT and not by[name]]:
        sys.exit(f"error: no reason is given for these pins: {unexplained}; see .ci/parents.py")
    return {name: DIRECT.get(name) or "needed by " + ", ".join(by[name]) for name in pins}


def _applies(wanted: Requirement, extra: str, environment: dict[str, str]) -> bool:
    return wanted.marker is None or wanted.marker.evaluate(environment | {"extra": extra})
