"""Every shell script that deploys something, and cron's commands, by ShellCheck."""

from __future__ import annotations

import pytest

from tests.deploy.test_cron import lines
from tests.deploy.tools import DEPLOY, accepted, done, tool

pytestmark = pytest.mark.deploy
SCRIPTS = sorted([*DEPLOY.rglob("*.sh"), DEPLOY.parent / "meterlake.sh"])


def test_shellcheck_has_nothing_to_say_and_would_have(tmp_path):
    assert {path.name for path in SCRIPTS} >= {"daily.sh", "platform_wheel.sh"}
    assert accepted(tool("shellcheck"), *SCRIPTS) == ""
    for number, (_, _, command) in enumerate(lines()):
        path = tmp_path / f"line-{number}.sh"
        path.write_text(f"#!/bin/sh\n{command}\n")
        # An `A || { …; } || { …; }` is meant: the last part is for what failed, be it either.
        assert accepted(tool("shellcheck"), "--severity=warning", "--exclude=SC2164", path) == ""
    wrong = tmp_path / "wrong.sh"
    wrong.write_text((DEPLOY / "container/daily.sh").read_text().replace('-d "$date $at"', "-d $date"))
    assert "SC2086" in done(tool("shellcheck"), wrong).stdout
