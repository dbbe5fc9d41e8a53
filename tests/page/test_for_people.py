"""The page as a person reads it: short times and numbers, exact ones behind them, and what is behind a number."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.page.browser import VIEWS, Shown

pytestmark = pytest.mark.page
DAYS = {"feed": "electricity", "from_": "2021-10-30", "to": "2021-11-01"}
SHORT = re.compile(r"\d{1,3}(,\d{3})*(\.\d{1,3})?|below 0\.001")
CODES_OF_A_DELIVERY = ["Response to the sender", "Neighbours"]


def test_times_are_short_and_energies_have_three_decimals_with_the_exact_ones_behind_them(shown):
    page = shown.open(view="load", **DAYS)
    exact, texts = shown.figures(), shown.texts()
    assert texts[0][0] == "30 Oct 2021 00:00 (+01:00)"
    assert {"31 Oct 2021 01:30 (+01:00)", "31 Oct 2021 01:30 (+00:00)"} <= {row[0] for row in texts}
    assert all(SHORT.fullmatch(row[2]) for row in texts)
    assert all(
        abs(float(row[2].replace(",", "")) - float(full[2])) <= 0.0005 for row, full in zip(texts, exact, strict=True)
    )
    assert any(len(full[2].split(".")[1].rstrip("0")) > 3 for full in exact)
    assert page.locator("#view tbody data").first.get_attribute("title") == f"{exact[0][2]} kWh"


def test_a_year_is_said_only_where_it_is_not_this_one(shown, sql):
    shown.open(view="deliveries")
    ((received,),) = sql("SELECT cast(max(received_at) AS STRING) FROM ops.ingestion_log")
    shown_times = [row[-2] for row in shown.texts()]
    assert all(re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d\d:\d\d", text) for text in shown_times), received


@pytest.mark.parametrize("zone", ["Europe/Vilnius", "America/St_Johns"])
def test_what_happened_here_is_told_by_the_reader_s_own_clock(browser, server, zone):
    context = browser.new_context(timezone_id=zone)
    shown = Shown(context.new_page(), server.origin)
    shown.open(view="deliveries")
    for exact, text in zip(shown.table(), shown.texts(), strict=True):
        local = datetime.fromisoformat(exact[-2]).astimezone(ZoneInfo(zone))
        assert text[-2] == f"{local.day} {local:%b} {local:%H:%M}"
    context.close()


def test_the_label_is_that_of_the_nearest_point_wherever_the_pointer_is(shown):
    page = shown.open(view="load", **DAYS)
    figures = shown.figures()
    box = page.locator(".chart .nsewdrag").first.bounding_box()
    assert box is not None
    for n in (3, 55, 120):
        at, following = (datetime.fromisoformat(row[0]).timestamp() * 1000 for row in figures[n : n + 2])
        place = page.locator(".chart").evaluate(
            "(chart, at) => chart._fullLayout.xaxis.c2p(at)", at + (following - at) * 0.3
        )
        page.mouse.move(box["x"] + place, box["y"] + 4)  # above every point
        page.wait_for_selector(".chart .hoverlayer .hovertext")
        label = page.locator(".chart .hoverlayer .hovertext").text_content() or ""
        assert figures[n][2] in label
        assert figures[n][0][11:16] in label
        page.mouse.move(0, 0)
        page.wait_for_selector(".chart .hoverlayer .hovertext", state="detached")


def test_every_view_downloads_its_rows_with_every_digit(shown, sql):
    shown.open(view="load", **DAYS)
    expected = sql("""SELECT total_kwh FROM gold.total_consumption_half_hour WHERE feed = 'electricity'
        AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01' ORDER BY interval_start""")
    assert [(row["energy_kwh"],) for row in shown.csv()] == expected
    counts = {
        "products": """SELECT count(*) FROM gold.consumption_per_product_per_day WHERE feed = 'electricity'
            AND date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01'""",
        "deliveries": "SELECT count(*) FROM ops.ingestion_log WHERE feed = 'electricity'",
        "restatements": """SELECT count(*) FROM ops.restatements WHERE feed = 'electricity'
            AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01'""",
        "heat": """SELECT count(*) FROM gold.total_consumption_half_hour WHERE feed = 'electricity'
            AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01'""",
        "completeness": "SELECT 3",
        "today": "SELECT count(DISTINCT feed) FROM ops.ingestion_log",
    }
    assert {*counts, "load"} == set(VIEWS)
    for view, count in counts.items():
        shown.open(view=view, **DAYS)
        assert [(len(shown.csv()),)] == sql(count), view


def test_a_sum_leads_to_the_deliveries_of_its_day(shown, sql):
    page = shown.open(view="load", **DAYS)
    shown.figures()
    page.locator("#view tbody tr").last.locator("td.number a").first.click()
    page.wait_for_url("**/*day=2021-11-01*")
    shown.ready()
    expected = sql("""SELECT relative_path FROM ops.ingestion_log WHERE feed = 'electricity' AND status = 'loaded'
        AND array_contains(local_dates, DATE'2021-11-01') ORDER BY file_id DESC""")
    assert [(row[0],) for row in shown.table()] == expected
    assert len(expected) > 2


def test_a_reading_leads_to_its_own_delivery(shown, sql):
    page = shown.open(view="load", meter="1400000001", **DAYS)
    shown.figures()
    page.locator("#view tbody tr").last.locator("td.number a").first.click()
    page.wait_for_url("**/*file=*")
    shown.ready()
    ((path,),) = (
        sql("""SELECT relative_path FROM ops.ingestion_log WHERE file_id = (SELECT max_by(file_id, interval_start)
        FROM silver.readings WHERE meter_id = '1400000001' AND local_date <= DATE'2021-11-01')""")
    )
    assert page.locator("#heading").inner_text() == path


def test_feeds_and_days_with_nothing_at_all_are_shown_as_such(shown):
    page = shown.open(view="completeness", from_="2021-10-25", to="2021-11-01")
    assert page.locator("table.calendar", has_text="gas, import").locator(".silence.nothing").inner_text() == (
        "∅ 8 days, 25 Oct 2021 to 1 Nov 2021: nothing at all"
    )
    electricity = page.locator("table.calendar", has_text="electricity, import")
    assert electricity.locator(".day.nothing").count() == 5
    assert "Nothing at all came of gas import." in shown.said()
    shown.open(view="completeness", feed="gas", from_="2021-03-20", to="2021-03-31")
    text = page.locator("table.calendar").inner_text()
    assert "before its first reading" in text


def test_a_delivery_begins_with_its_verdict_and_what_to_do(shown, sql):
    ((file_id,),) = sql("SELECT file_id FROM ops.ingestion_log WHERE file_name = 'PN000004.SMRT'")
    page = shown.open(view="deliveries", file=str(file_id))
    verdict = page.locator(".verdict").inner_text()
    assert "rejected" in verdict
    assert "No TRAIL in 3 lines: the file was probably cut off. Nothing of it was loaded." in verdict
    assert page.locator("#view h3").all_inner_texts() == ["What to do next", *CODES_OF_A_DELIVERY]
    assert f"main.py replay '#{file_id}'" in page.locator("section").first.inner_text()
    response = page.locator("section", has_text="Response to the sender").inner_text()
    assert f"PN000004.SMRT.{file_id}.ack.json says" in response
    neighbours = page.locator("section", has=page.get_by_role("heading", name="Neighbours"))
    assert "PN000003.SMRT" in neighbours.inner_text()
    assert page.locator("#view details").get_attribute("open") is None
    neighbours.get_by_role("link", name="PN000003.SMRT").click()
    expect(page.locator("#heading")).to_have_text("PN000003.SMRT")
    shown.ready()
    assert page.locator("#view h3").all_inner_texts()[:2] == ["What to do next", "Rows that did not pass"]
    assert "did not." in page.locator(".verdict").inner_text()


@pytest.mark.parametrize("view", [*VIEWS, "delivery", "gaps"])
def test_on_a_phone_rows_are_cards_and_nothing_is_cut(browser, server, view):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    shown = Shown(context.new_page(), server.origin)
    asked = {
        "delivery": {"view": "deliveries", "file": "6"},
        "gaps": {"view": "completeness", "feed": "electricity", "day": "2021-11-01"},
    }
    page = shown.open(**asked.get(view, {"view": view, **DAYS}))
    if page.locator("details.figures").count():
        shown.figures()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    cut = """[...document.querySelectorAll('.scroll, .scroll td, .scroll tbody th, .attention, .verdict, .facts')]
        .filter(each => each.offsetParent !== null && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1)
        .map(each => each.outerHTML.slice(0, 200))"""
    assert page.evaluate(cut) == []
    cells = page.locator("table.cards tbody td")
    if cells.count():
        assert cells.first.evaluate("cell => getComputedStyle(cell).display") == "grid"
        assert "none" not in cells.first.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert shown.errors == []
    context.close()
