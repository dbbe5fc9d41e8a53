"""docs/dependencies.md says every pin, and no other; what the audit of a release may call a success."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text()


def section(title):
    (text,) = re.findall(rf"^## {title}$\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[3:] if line]


@pytest.mark.parametrize("title", ["Run time", "Tests and lint"])
def test_the_document_has_each_pin_of_requirements(title):
    parts = re.split(r"^# --- (.+?) -+$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    chapters = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(chapters) == ["Run time", "Tests and lint"]
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", chapters[title], re.MULTILINE)
    assert [tuple(row[:2]) for row in section(title)] == pins


def test_the_document_has_each_jar_with_its_sum():
    jars = tomllib.loads((ROOT / "jars" / "coordinates.toml").read_text())["jar"]
    assert [(f"{row[0]}:{row[1]}", row[3].strip("`")) for row in section("JARs")] == [
        (jar["coordinate"], jar["sha256"]) for jar in jars
    ]


def test_each_has_a_licence_and_a_reason():
    rows = [row for title in ("Run time", "Tests and lint", "JARs") for row in section(title)]
    assert [row[0] for row in rows if not row[2] or row[2].lower() == "unknown" or not row[-1]] == []


# --- The audit ------------------------------------------------------------------------------------------------

CANARY = {"name": "jinja2", "version": "2.11.2", "vulns": [{"id": "CVE-2020-28493"}]}
SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}


@pytest.fixture
def audit(monkeypatch):
    """The audit with a database of the test's: a function from pins to what pip-audit would answer."""
    where = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(where)
    where.loader.exec_module(module)

    class Freeze:
        stdout = "rich==15.0.0\nlocal @ file:///local.whl\n"

    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: Freeze)

    def answering(**services):
        def ask(service, pins):
            canary, answer = services.get(service, (None, None))
            return canary if pins == [module.KNOWN_TO_BE_VULNERABLE] else answer

        monkeypatch.setattr(module, "_ask", ask)
        return module.run("python")

    return answering


@pytest.mark.parametrize(
    "canary", [None, [], [{"name": "jinja2", "skip_reason": "not found"}], [CANARY | {"vulns": []}]]
)
def test_a_database_that_does_not_know_a_known_flaw_is_not_reachable(audit, canary):
    assert audit(pypi=(canary, [SOUND])).startswith("warning: NOT AUDITED")


def test_the_second_database_is_asked_where_the_first_does_not_answer(audit):
    assert audit(osv=([CANARY], [SOUND])) == "pip-audit (osv): 1 packages, no known vulnerability"


def test_what_was_skipped_is_reported(audit):
    answer = audit(pypi=([CANARY], [{"name": "rich", "skip_reason": "not found"}]))
    assert answer.startswith("warning: PARTLY AUDITED: 0 of 1 packages")


def test_a_database_that_stops_answering_is_reported(audit):
    assert audit(pypi=([CANARY], None)).startswith("warning: NOT AUDITED")


def test_a_known_flaw_ends_the_release(audit):
    with pytest.raises(SystemExit, match="error: known vulnerabilities: rich X-1"):
        audit(pypi=([CANARY], [SOUND | {"vulns": [{"id": "X-1"}]}]))
