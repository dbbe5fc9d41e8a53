"""The page in a real Chromium: every view draws Spark SQL's numbers, keeps its state in its address, and is safe."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.page.browser import READY, VIEWS, Server, Shown, ms, utc
from tests.page.lake import HOSTILE, PRODUCT

pytestmark = pytest.mark.page
DAYS = {"feed": "electricity", "from_": "2021-10-30", "to": "2021-11-01"}


def test_the_load_curve_and_its_figures_are_gold_s(shown, sql):
    shown.open(view="load", **DAYS)
    expected = sql("""SELECT interval_start, total_kwh FROM gold.total_consumption_half_hour WHERE feed = 'electricity'
        AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01' ORDER BY interval_start""")
    assert [(utc(row[0]), row[2]) for row in shown.figures()] == expected
    (trace,) = shown.traces()
    drawn = [(at, kwh) for at, kwh in zip(trace["x"], trace["y"], strict=True) if at is not None]
    assert drawn == [(ms(at), float(kwh)) for at, kwh in expected]
    assert len(expected) == 48 + 50 + 48


def test_a_meter_s_readings_are_silver_s(shown, sql):
    shown.open(view="load", meter="1400000001", **DAYS)
    expected = sql("""SELECT interval_start, consumption FROM silver.readings WHERE meter_id = '1400000001'
        AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01' ORDER BY interval_start""")
    assert [(utc(row[0]), row[2]) for row in shown.figures()] == expected


def test_the_heat_map_holds_the_energy_of_every_half_hour(shown, sql):
    shown.open(view="heat", **DAYS)
    (trace,) = shown.traces()
    drawn = sum(round(kwh * 1_000_000) for line in trace["z"] for kwh in line if kwh is not None)
    ((total,),) = sql("""SELECT sum(total_kwh) FROM gold.total_consumption_half_hour WHERE feed = 'electricity'
        AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01'""")
    assert drawn == round(float(total) * 1_000_000)


def test_products_by_day_are_gold_s(shown, sql):
    shown.open(view="products", **DAYS)
    expected = sql("""SELECT date, product_display_name, total_kwh FROM gold.consumption_per_product_per_day
        WHERE feed = 'electricity' AND date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01'
        ORDER BY date, direction, product_display_name""")
    assert [(row[0], row[3], row[5]) for row in shown.figures()] == expected
    assert PRODUCT in {row[1] for row in expected}
    drawn = {(day, kwh) for trace in shown.traces() for day, kwh in zip(trace["x"], trace["y"], strict=True)}
    assert drawn == {(day, float(kwh)) for day, _, kwh in expected}


def test_completeness_leads_from_a_day_to_its_missing_intervals(shown, sql):
    page = shown.open(view="completeness", **DAYS)
    labels = page.locator("a.day").evaluate_all("days => days.map(day => day.getAttribute('aria-label'))")
    days = sql("""SELECT local_date, intervals_received, intervals_received + coalesce(gaps, 0) FROM gold.feed_day
        LEFT JOIN (SELECT feed, direction, local_date, count(*) AS gaps FROM gold.missing_intervals GROUP BY ALL)
        USING (feed, direction, local_date) WHERE feed = 'electricity'
        AND local_date BETWEEN DATE'2021-10-30' AND DATE'2021-11-01' ORDER BY local_date""")
    words = {True: "complete", False: "some missing"}
    assert labels == [
        f"{day}: {words[received == expected]}, {received} of {expected} intervals" for day, received, expected in days
    ]
    assert any(received < expected for _, received, expected in days)
    shown.open(view="completeness", feed="electricity", meter=HOSTILE, day="2021-11-01")
    expected = sql(f"""SELECT interval_start FROM gold.missing_intervals WHERE meter_id = '{HOSTILE.replace("'", "''")}'
        AND local_date = DATE'2021-11-01' ORDER BY interval_start""")
    assert [utc(row[0]) for row in shown.table()] == [at for (at,) in expected]
    assert len(expected) == 38


def test_deliveries_tell_what_became_of_each_and_why(shown, sql):
    shown.open(view="deliveries", status="rejected")
    text = shown.page.locator("#view").inner_text()
    refused = sql("SELECT relative_path, reason_code FROM ops.ingestion_log WHERE status = 'rejected'")
    assert len(refused) > 3
    for path, code in refused:
        assert path in text
        assert code in text
    ((file_id, rows),) = sql("""SELECT file_id, rows_rejected FROM ops.ingestion_log
        WHERE rows_rejected > 1 AND feed <> 'reference' ORDER BY file_id LIMIT 1""")
    shown.open(view="deliveries", file=str(file_id))
    text = shown.page.locator("#view").inner_text()
    reasons = sql(f"SELECT reason_code FROM silver.rejected_readings WHERE file_id = {file_id}")
    assert len(reasons) >= rows
    assert all(code in text for (code,) in reasons)


def test_what_was_restated_shows_the_old_and_the_new_value(shown, sql):
    shown.open(view="restatements")
    changed = sql("SELECT measure, old_value, new_value FROM ops.restatements")
    names = {
        "total_kwh": "energy, kWh",
        "avg_kwh": "average, kWh",
        "consumption": "energy, kWh",
        "meterpoint_count": "meters",
    }
    expected = [
        (names.get(measure, measure.replace("_", " ")), *("none" if value is None else value for value in values))
        for measure, *values in changed
    ]
    assert sorted(tuple(row[1:4]) for row in shown.table()) == sorted(expected)
    assert len(changed) > 4


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_in_its_address(shown, browser, server, view):
    page = shown.open(view=view, **DAYS)
    said, address = shown.said(), page.url
    page.reload()
    shown.ready()
    assert shown.said() == said
    page.get_by_role("link", name="Deliveries", exact=True).click()
    page.wait_for_function(
        "address => location.href !== address || location.search.includes('deliveries')", arg=address
    )
    page.go_back()
    page.wait_for_url(address)
    shown.ready()
    context = browser.new_context()
    other = Shown(context.new_page(), server.origin)
    other.page.goto(address)
    other.ready()
    assert other.said() == said
    context.close()


@pytest.mark.parametrize("view", ["load", "completeness"])
def test_a_hostile_meter_is_text(shown, view):
    page = shown.open(view=view, meter=HOSTILE, **DAYS)
    assert page.locator("#main img, #main script, #main b[onmouseover], header img").count() == 0
    assert HOSTILE in page.locator("body").inner_text() or page.locator("#meter").input_value() == HOSTILE


def test_a_hostile_feed_and_a_missing_one_are_reported(browser, server):
    context = browser.new_context()
    shown = Shown(context.new_page(), server.origin)
    shown.page.goto(f"{server.origin}/?view=load&feed={'%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E'}")
    assert shown.alert()
    assert shown.page.locator("#alert img, #main img").count() == 0
    assert not [error for error in shown.errors if error.startswith("dialog")]
    context.close()


def test_a_server_that_is_down_is_reported_and_asked_again(browser, config):
    server = Server(config)
    context = browser.new_context()
    shown = Shown(context.new_page(), server.origin)
    try:
        shown.open(view="load", **DAYS)
        server.stop()
        shown.page.get_by_role("link", name="Products", exact=True).click()
        assert shown.alert()
        again = Server(config, server.port)
        try:
            shown.page.get_by_role("alert").get_by_role("button").click()
            shown.page.wait_for_selector("#alert:empty", state="attached")
            shown.page.wait_for_selector(READY)
        finally:
            again.stop()
    finally:
        server.stop()
        context.close()


def test_with_a_token_the_page_asks_for_it(browser, config):
    text = config.read_text() + '\n[api]\ntoken_env = "READERS_TOKEN"\n'
    guarded = config.with_name("guarded.toml")
    guarded.write_text(text)
    server = Server(guarded, READERS_TOKEN="s3cret")  # noqa: S106 - the test's own
    context = browser.new_context()
    page = context.new_page()
    try:
        page.goto(server.origin)
        token = page.locator("#token")
        token.fill("wrong")
        token.press("Enter")
        expect(page.locator("#token")).to_have_value("")  # asked for again
        page.locator("#token").fill("s3cret")
        page.locator("#token").press("Enter")
        page.wait_for_selector("#view table, #view .chart, #view details")
        assert "s3cret" not in page.url
    finally:
        server.stop()
        context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_it_fits_a_narrow_screen_in_the_dark(browser, server, view):
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    shown = Shown(context.new_page(), server.origin)
    page = shown.open(view=view, **DAYS)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    red, green, blue = json.loads(
        page.evaluate("'[' + getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).join() + ']'")
    )
    assert red + green + blue < 150
    assert shown.errors == []
    context.close()


def test_it_is_walked_by_keyboard_and_everything_has_a_name(shown):
    page = shown.open(view="load", **DAYS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
    assert {"Load", "Heat map", "Products", "Completeness", "Deliveries", "Restated", "feed", "meter"} & reached >= {
        "Heat map", "Products", "Deliveries", "meter",
    }  # fmt: skip
    unnamed = """[...document.querySelectorAll('a, button, input, select')].filter(each => each.offsetParent !== null
        && !each.textContent.trim() && !each.getAttribute('aria-label') && !(each.labels && each.labels.length)
        && !each.closest('.modebar, svg')).map(each => each.outerHTML)"""
    assert page.evaluate(unnamed) == []
    chart = page.locator(".chart")
    assert chart.get_attribute("role") == "img"
    assert "kWh" in (chart.get_attribute("aria-label") or "")


def test_the_documentation_asks_no_other_machine(shown):
    shown.page.goto(f"{shown.origin}/docs")
    shown.page.wait_for_selector(".opblock")
    assert shown.page.locator(".opblock").count() >= 14
