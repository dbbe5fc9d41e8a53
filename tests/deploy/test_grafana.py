"""The dashboard, read by Grafana's own schema; its queries are asked of a real Prometheus in test_prometheus.py."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cluster.servers import ROOT

pytestmark = pytest.mark.deploy
DASHBOARD = ROOT / "conf" / "deploy" / "grafana" / "dashboard.json"


PROGRAM = ROOT / ".venv-deploy" / "bin" / "grafana_schema"


def complaints(path):
    done = subprocess.run([str(PROGRAM), str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


@pytest.mark.skipif(not PROGRAM.is_file(), reason="no Go to build the schema's reader with (make test-deploy)")
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
