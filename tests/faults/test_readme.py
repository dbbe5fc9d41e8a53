"""The README's commands that work on a lake as a whole run on the demo lake, and the lake is sound after them."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.conftest import command
from tests.jobs.test_demo import config
from tests.jobs.test_demo_commands import readme_commands

__all__ = ["config"]
pytestmark = pytest.mark.faults


def test_the_operations_of_the_readme_run_one_after_the_other_and_leave_a_sound_lake(config):
    lines = readme_commands(of_operations=True)
    assert {line.split()[0] for line in lines} == {"verify", "maintain", "withdraw", "replay", "erase"}
    for line in lines:
        result = command(*shlex.split(line), config=config)
        assert result.exit_code == 0, (line, result.output)
        assert result.output.strip()
    answer = command("verify", "--json", config=config)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["equal"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("erase", "1400000002"), "confirm with --yes"),
        (("maintain", "--retention-hours", "24"), "add --force"),
        (("withdraw", "nothing.json"), "no delivery 'nothing.json' in the log"),
    ],
)
def test_what_cannot_be_undone_asks_first(config, arguments, says):
    result = command(*arguments, config=config)
    assert result.exit_code == 2
    assert says in result.stderr
