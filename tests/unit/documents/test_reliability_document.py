"""docs/reliability.md: each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_promise_names_tests_that_there_are():
    places = set(re.findall(r"\b(tests/[\w/.]+\w)", TEXT))
    assert len(places) > 30
    assert sorted(place for place in places if not (ROOT / place).exists()) == []


def test_every_test_named_is_a_function():
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"[`:](test_\w+)(…?)(?!\w*\.py)`", TEXT))
    assert len(named) > 10
    missing = [
        name for name, cut in named if not (any(each.startswith(name) for each in there) if cut else name in there)
    ]
    assert missing == []
