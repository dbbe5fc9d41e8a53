"""What the page opens on: the last run and the next, what needs attention, each feed, and what was refused."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable, write_deltalake

from pipeline import attention
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from tests.page.browser import Server, Shown

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.page


def test_it_opens_on_today_and_old_addresses_without_a_view_stay_a_load(shown):
    assert shown.at("").locator("#heading").inner_text() == "Today"
    assert shown.at("?feed=electricity&from=2021-10-30&to=2021-11-01").locator("#heading").inner_text() == (
        "Load of electricity"
    )


def test_what_needs_attention_is_the_list_of_status(shown, config):
    page = shown.at("")
    expected = attention.found(Context(load(config)))
    shown_items = page.locator(".attention li")
    assert shown_items.count() == len(expected) > 3
    for n, item in enumerate(expected):
        text = shown_items.nth(n).inner_text()
        assert text.startswith(f"{item.feed}: " if item.feed else item.text[:10])
        assert item.command is None or item.command in text
    assert f"{len(expected)} things need attention" in shown.said()


def test_a_check_of_severity_error_has_the_mark_of_what_is_urgent_and_a_warning_has_not(shown, config):
    page = shown.at("")
    listed = page.locator(".attention li")
    marked = ["urgent" in (each.get_attribute("class") or "") for each in listed.all()]
    assert marked == [item.urgent for item in attention.found(Context(load(config)))]
    marks = {
        name: listed.filter(has_text=f"Check {name} found").get_attribute("class") for name in ("grave", "harmless")
    }
    assert marks == {"grave": "urgent", "harmless": None}


def test_an_option_of_a_command_is_not_parted_after_its_dashes(shown):
    page = shown.at("")
    page.set_viewport_size({"width": 390, "height": 900})
    options = page.locator(".attention code .option")
    assert options.count() > 3
    assert {len(each.evaluate("each => [...each.getClientRects()]")) for each in options.all()} == {1}
    assert "main.py files --open --feed gas" in page.locator(".attention").inner_text()


def test_what_is_shown_of_an_item_is_what_it_is_about(shown):
    page = shown.at("")
    page.locator(".attention li", has_text="gas: 4 deliveries were refused").get_by_role("link", name="Show").click()
    page.wait_for_url("**/*open=true*")
    shown.ready()
    assert len(shown.table()) == 4
    assert "Only deliveries refused and not settled" in page.locator("#view").inner_text()


def test_each_feed_has_its_last_delivery_its_lag_and_a_chart_of_its_days(shown, sql):
    page = shown.at("")
    rows = page.locator("section", has=page.get_by_role("heading", name="Feeds")).locator("tbody tr")
    found = {row.locator("th").inner_text(): row for row in rows.all()}
    last = sql("""SELECT feed, max_by(relative_path, file_id), max(to_date(received_at)) FROM ops.ingestion_log
        GROUP BY feed""")
    assert set(found) == {feed for feed, _, _ in last}
    days = dict(sql("SELECT feed, cast(max(local_date) AS STRING) FROM gold.meter_day GROUP BY feed"))
    for feed, path, _ in last:
        text = found[feed].inner_text()
        assert path in text
        assert found[feed].locator("svg.spark rect").count() == (28 if feed in days else 0)
        if feed in days:
            behind = (datetime.now(UTC).date() - datetime.fromisoformat(days[feed]).date()).days
            assert any(f"{each:,} days behind" in text for each in (behind - 1, behind, behind + 1))
            assert found[feed].locator(f'time[datetime="{days[feed]}"]').count() == 1


def test_refusals_begin_with_their_reasons_and_settled_ones_are_left_out(shown, sql):
    page = shown.at("")
    section = page.locator("section", has=page.get_by_role("heading", name="Refused deliveries"))
    first = section.locator("tbody th code").all_inner_texts()
    standing = sql("""SELECT reason_code FROM ops.ingestion_log a WHERE status IN ('rejected', 'conflict') AND NOT EXISTS (
        SELECT 1 FROM ops.ingestion_log b WHERE b.feed = a.feed AND b.relative_path = a.relative_path
        AND b.file_id > a.file_id) ORDER BY file_id DESC""")
    assert first == [code for (code,) in standing][:10]


@pytest.mark.parametrize(("hours", "says"), [(22, "the next one is due in 2 hours"), (25, "was due 60 minutes ago")])
def test_the_next_run_is_due_by_the_rhythm_of_earlier_ones(browser, config, tmp_path, hours, says):
    copy = _with_daily_runs(config, tmp_path, timedelta(hours=hours))
    server = Server(copy)
    try:
        opened = _opened(browser, server)
        page = opened.at("")
        said = page.locator("#said").inner_text()
        assert says in said or says.replace("60 minutes", "1 hour") in said
        assert "by the rhythm of earlier runs" in page.locator(".facts.run").inner_text()
        assert opened.errors == []
    finally:
        server.stop()


def test_without_a_rhythm_nothing_is_said_to_be_due(shown):
    page = shown.at("")
    assert "due" not in page.locator("#said").inner_text()
    assert "earlier runs have no rhythm" in page.locator(".facts.run").inner_text()


def _opened(browser: Browser, server: Server) -> Shown:
    return Shown(browser.new_context().new_page(), server.origin)


def _with_daily_runs(config: Path, folder: Path, since_last: timedelta) -> Path:
    """A copy of the lake in which `run` ran once a day, the last time that long ago."""
    copy = folder / "local.toml"
    copy.write_text(config.read_text().replace(str(config.parent), str(folder)))
    shutil.copytree(config.parent / "data_lake", folder / "data_lake")
    runs = folder / "data_lake" / "ops" / "runs"
    rows = DeltaTable(runs).to_pyarrow_table()
    (like,) = rows.slice(0, 1).to_pylist()
    now = datetime.now(UTC)
    daily = [
        like | {
            "run_id": f"day{n}", "command": "run", "started_at": now - since_last - timedelta(days=n),
            "finished_at": now - since_last - timedelta(days=n, seconds=-40),
        }
        for n in range(6)
    ]  # fmt: skip
    write_deltalake(runs, rows.from_pylist(daily, schema=rows.schema), mode="overwrite")
    return copy
