"""The dashboard, read by Grafana's own schema; its queries are asked of a real Prometheus in test_prometheus.py."""

from __future__ import annotations

import json

import pytest

from tests.deploy.tools import DEPLOY, TOOLS, done, needs, tool

pytestmark = pytest.mark.deploy
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
PROGRAM = "grafana_schema"


def complaints(path):
    ended = done(tool(PROGRAM), path, timeout=60)
    assert (ended.returncode == 0) == (ended.stderr == "")
    return ended.stderr


@needs("go", "the schema's reader is built with it", unless=(TOOLS / PROGRAM).is_file())
def test_the_dashboard_is_what_grafanas_schema_takes(tmp_path):
    assert complaints(DASHBOARD) == ""
    wrong = json.loads(DASHBOARD.read_text())
    wrong["panels"][0]["gridpos"] = wrong["panels"][0].pop("gridPos")
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    assert "unexpected field 'gridpos'" in complaints(tmp_path / "wrong.json")


def test_panels_have_titles_of_their_own_and_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["title"] for panel in panels}) == len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
