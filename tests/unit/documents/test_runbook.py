"""docs/runbook.md: a section for each alert and each reason code, commands that exist, refusals in their actual words."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
import typer

import main
from pipeline import errors, formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import guards
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import row_rules
from pipeline.lake import tables, views
from tests import runbook

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "conf" / "deploy" / "prometheus" / "alerts.yml").read_text()
NAMES = re.findall(r"- alert: (\w+)", ALERTS)


def headings(part):
    return [heading for heading, _ in runbook.sections(part)]


def anchors():
    found = [runbook.parts(), *(dict(runbook.sections(part)) for part in runbook.parts())]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for some in found for heading in some}


def test_every_alert_has_exactly_one_section_and_no_other_has_one():
    assert len(NAMES) > 5
    assert sorted(headings("Alerts")) == sorted(NAMES)


def test_every_alert_leads_to_its_section_and_the_table_to_each():
    assert re.findall(r"runbook_url: docs/runbook\.md#(\S+)", ALERTS) == [name.lower() for name in NAMES]
    assert {name.lower() for name in NAMES} <= anchors()
    severities = dict(re.findall(r"- alert: (\w+)\n(?:.*\n){1,2}.*severity: (\w+)", ALERTS))
    first = runbook.parts()["What to do first"]
    assert dict(re.findall(r"^\| \[(\w+)\]\(#\w+\) \| (\w+) \|", first, re.MULTILINE)) == severities


@pytest.mark.parametrize("name", NAMES)
def test_a_section_of_an_alert_says_what_it_means_and_when_it_is_over(name):
    text = dict(runbook.sections("Alerts"))[name]
    assert [word for word in ("**Means:**", "**Wake** ", "**Over** ") if word not in text] == []
    assert runbook.commands(text)


def test_every_reason_code_has_exactly_one_section_and_no_other_has_one():
    assert headings("Deliveries") == list(row_rules.FILE_CODES)
    assert headings("Rows") == list(row_rules.ROW_CODES)
    assert not set(row_rules.FILE_CODES) & set(row_rules.ROW_CODES)


def test_every_refusal_of_a_lake_that_is_not_whole_has_its_section():
    named = [guards.LOST_BRONZE, guards.LOST_DERIVED, guards.RESTORED, guards.NO_PROGRESS]
    named.append(re.match("'(.*)' in docs/runbook.md", errors.LOST_FILE_SECTION)[1])
    assert set(named) <= set(headings("Operations"))
    for name in named:
        verbs = [each.verb for each in runbook.commands(dict(runbook.sections("Operations"))[name])]
        assert "verify" in verbs  # each way out ends with the proof


def codes_in(path):
    """The codes that a module refuses with: first words of `refused(…)` and `Rule(…)`, and keys of `problems`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = node.args[:1] if name in {"refused", "Rule"} else []
        elif isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "problems":
            words = [node.slice]
        elif isinstance(node, ast.Dict) and path.parent.name == "formats":
            words = [key for key in node.keys if key is not None]
        else:
            continue
        for word in words:
            if isinstance(word, ast.Constant) and re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)+", str(word.value)):
                yield word.value


def test_the_code_refuses_with_no_other_codes():
    known = {*row_rules.FILE_CODES, *row_rules.ROW_CODES}
    files = [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "jobs").rglob("*.py")]
    found = {code for path in files for code in codes_in(path)}
    assert len(found & known) > 20
    assert found - known == set()


@pytest.mark.parametrize("code", [*row_rules.FILE_CODES, *row_rules.ROW_CODES])
def test_a_section_of_a_code_has_a_command_that_shows_it(code):
    text = dict(runbook.sections("Deliveries") + runbook.sections("Rows"))[code]
    shown = [each for each in runbook.commands(text) if each.verb in {"files", "rejected"}]
    assert any(code in said for each in shown for said in [*each.says, *each.may_say])


HEADER = b'"HEADR","SMRT","GAZ","20210401","060000","PN000007"\n'
# Deliveries that the demo does not have: name, bytes.
REFUSED = {
    ("EMPTY_FILE", "no content (0 bytes)"): ("smrt", "PN000007.SMRT", b""),
    ("NOT_UTF8", "byte 7 is not UTF-8"): ("split_json", "day.json", b'{"a":"\xff"}'),
    ("HEADER_MISSING", "line 1 "): ("smrt", "PN000007.SMRT", b'"TRAIL"\n'),
    ("HEADER_INVALID", "second"): ("smrt", "PN000007.SMRT", HEADER + HEADER + b'"TRAIL"\n'),
    ("HEADER_INVALID", "5 fields"): ("smrt", "PN000007.SMRT", HEADER.replace(b'"GAZ",', b"") + b'"TRAIL"\n'),
    ("TRAILER_NOT_LAST", ""): ("smrt", "PN000007.SMRT", HEADER + b'"TRAIL"\n"TRAIL"\n'),
    ("UNKNOWN_RECORD", ""): ("smrt", "PN000007.SMRT", HEADER + b'"EXTRA"\n"TRAIL"\n'),
    ("MALFORMED_XML", "not XML"): ("green_button", "day.xml", b"<feed xmlns='http://www.w3.org/2005/Atom'>"),
    ("MALFORMED_XML", "(DTD)"): ("green_button", "day.xml", b"<!DOCTYPE feed><feed/>"),
    ("WRONG_COMPANY", ""): ("smrt", "PN000007.SMRT", HEADER.replace(b"GAZ", b"GAS") + b'"TRAIL"\n'),
    ("NAME_MISMATCH", ""): ("smrt", "PN000007.SMRT", HEADER.replace(b"7", b"8") + b'"TRAIL"\n'),
}


@pytest.mark.parametrize(("code", "words"), REFUSED)
def test_what_a_refusal_may_say_is_what_is_said(code, words):
    form, name, content = REFUSED[code, words]
    feed = Feed(name="feed", format=form, path="unused", csv={"meter": "meter"} if form == "csv" else None)
    found = Delivery("feed", name, name, name, len(content), None)
    refused = formats.FORMATS[form].inspect(content, found, feed, "production")
    assert refused.reason_code == code
    section = dict(runbook.sections("Deliveries"))[code]
    said = [said for each in runbook.commands(section) for said in each.may_say if words in said]
    assert len(said) == 1
    assert runbook.is_said(said[0], f"{code} {refused.reason}")


def test_every_refusal_that_is_no_demos_is_tried_above():
    said = [
        (heading, said)
        for heading, text in runbook.sections("Deliveries")
        for each in runbook.commands(text)
        for said in each.may_say
    ]
    assert Counter(code for code, _ in said) == Counter(code for code, _ in REFUSED)


@pytest.mark.parametrize("command", runbook.commands(), ids=lambda command: command.line)
def test_every_command_is_one_of_the_program_with_its_options(command):
    group = typer.main.get_command(main.app)
    # Takes each argument and option as the program does, and ends with an error where there is none such.
    group.commands[command.verb].make_context(command.verb, command.arguments[1:], resilient_parsing=False)
    assert set(command.environment) <= {"METERLAKE_ENVIRONMENT", "METERLAKE_LAKE"}


def test_the_blocks_hold_commands_and_what_is_said_of_them():
    assert len(runbook.commands()) > 60
    others = [
        line
        for block in runbook.blocks(runbook.TEXT)
        for line in block.splitlines()
        if runbook.PROGRAM not in line and not line.startswith((runbook.SAYS, runbook.MAY_SAY, runbook.EXIT))
    ]
    assert {line.split()[0] for line in others} <= {".venv/bin/python", "cat", "cp", "curl", "df", "grep", "ls", "mv"}
    assert runbook.TEXT.count("```sh") == len(runbook.blocks(runbook.TEXT))


def test_commands_in_sentences_exist():
    group = typer.main.get_command(main.app)
    named = set(
        re.findall(r"`(?:main\.py )?(run|watch|verify|maintain|erase|withdraw|replay|status|serve)\b", runbook.TEXT)
    )
    assert named <= set(group.commands)
    assert set(re.findall(r"`main\.py (\w+)", runbook.TEXT)) <= set(group.commands)


def test_every_link_has_its_heading():
    links = re.findall(r"\]\(#([^)]+)\)", runbook.TEXT)
    assert len(links) > 15
    assert set(links) <= anchors()


def test_every_table_and_measure_exists():
    example = {"lake": "x", "feeds": [Feed(name="gas", format="smrt", path="x")]}
    there = {table.full_name for table in formats.lake_tables(Settings(**example))}
    there |= {view.name for view in views.all_views(Settings(**example))}
    assert set(re.findall(r"\b((?:bronze|silver|gold|ops)\.(?!py\b)[a-z_]+)\b", runbook.TEXT)) <= there
    source = "".join((ROOT / "pipeline" / path).read_text() for path in ("serving/gauges.py", "serving/measures.py"))
    measures = set(re.findall(r"\bmeterlake_([a-z_]+)", runbook.TEXT))
    assert len(measures) > 4
    assert {name for name in measures if f'"{name}"' not in source and f'"meterlake_{name}"' not in source} == set()


def test_the_form_it_names_is_the_newest():
    assert f"this program knows {tables.SCHEMA_VERSION})" in runbook.TEXT
