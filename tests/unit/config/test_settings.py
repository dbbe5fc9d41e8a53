"""The configuration: what it takes, what it takes for granted, and what it refuses in one line (contract, section 6)."""

from __future__ import annotations

import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.config.settings import load as load_settings
from pipeline.errors import ConfigurationError

DOCS = Path(__file__).parents[3] / "docs"
GAS = '[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "in/gas"\n'
POWER = '[[feeds]]\nname = "power"\nformat = "split_json"\npath = "in/power"\n'
REFERENCE = '[reference]\nurl = "jdbc:sqlite:in/reference.db"\nfeeds = ["power"]\n'
EXAMPLE = """
lake = "data_lake"
environment = "development"
active_on = ["2021-01-01", "2021-02-01"]
[[feeds]]
name = "electricity"
format = "split_json"
path = "data_lake/landing/electricity"
settle_seconds = 5
time_zone = "Europe/London"
interval_minutes = 30
direction = "export"
unit = "Wh"
columns = { meter_id = "who", interval_start = "when", consumption = "how_much" }
"""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in [name for name in os.environ if name.upper().startswith("METERLAKE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def load(tmp_path):
    def loaded(text):
        path = tmp_path / "lake.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(path)

    return loaded


@pytest.fixture
def refusal(load):
    """The one line that a configuration is refused with."""

    def said(text):
        with pytest.raises(ConfigurationError) as caught:
            load(text)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return said


def test_a_feed_needs_only_name_format_and_path_and_the_rest_has_defaults(load):
    settings = load(GAS + POWER)
    gas, power = settings.feeds
    assert (gas.time_zone, gas.direction, gas.unit) == ("UTC", "import", "kWh")
    assert (gas.settle_seconds, gas.company, gas.minutes) == (0, "GAZ", 60)
    columns = power.columns
    assert (columns.meter_id, columns.interval_start) == ("meterpoint_id", "interval_start")
    assert (columns.consumption, power.minutes) == ("consumption_delta", 30)
    assert (settings.environment, settings.active_on, settings.reference) == ("production", (), None)
    assert settings.root == str(Path("data_lake").absolute())


def test_every_key_of_the_example_is_taken(load):
    settings = load(EXAMPLE)
    (feed,) = settings.feeds
    assert settings.active_on == (date(2021, 1, 1), date(2021, 2, 1))
    assert settings.environment == "development"
    assert (feed.settle_seconds, feed.time_zone, feed.minutes) == (5, "Europe/London", 30)
    assert (feed.direction, feed.unit) == ("export", "Wh")
    assert (feed.columns.meter_id, feed.columns.interval_start, feed.columns.consumption) == ("who", "when", "how_much")


def test_metrics_and_spark_settings_are_read(load):
    settings = load(GAS)
    assert (settings.metrics.textfile, settings.metrics.due, settings.metrics.time_zone) == (
        None,
        "08:30",
        "Europe/London",
    )
    assert settings.spark == {}
    more = "[metrics]\ntextfile = 'm.prom'\ndue = '23:59'\n[spark]\n'spark.extraListeners' = 'a.B'\n"
    settings = load(GAS + more)
    assert (settings.metrics.textfile, settings.metrics.due) == ("m.prom", "23:59")
    assert settings.spark == {"spark.extraListeners": "a.B"}


def test_another_catalog_is_set_with_its_options(load):
    spark = {"spark.sql.catalog.main": "a.B", "spark.sql.catalog.main.uri": "http://x"}
    lines = "".join(f"'{name}' = '{value}'\n" for name, value in spark.items())
    assert load(f"catalog = 'main'\n{GAS}[spark]\n{lines}").spark == spark


def test_the_configuration_that_comes_with_the_project_is_good():
    assert [feed.name for feed in load_settings("conf/local.toml").feeds][:2] == ["gas", "electricity"]


def test_a_byte_order_mark_is_ignored(load):
    assert load("\ufeff" + GAS).feeds[0].name == "gas"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vilnius", "Asia/Kathmandu", "+05:45", "-03:30", "+18:00", "-00:30"])
def test_regions_and_offsets_are_time_zones(load, zone):
    assert load(POWER + f'time_zone = "{zone}"').feeds[0].time_zone == zone


NO_ZONES = [
    "BST",
    "EST",
    "CET",
    "Europe/london",
    "Europe/Atlantis",
    "+5:45",
    "+05:60",
    "+18:30",
    "-19:00",
    "",
    "+01:00 ",
]


@pytest.mark.parametrize("zone", NO_ZONES)
def test_an_abbreviation_or_a_place_that_is_no_zone_is_refused_by_name(refusal, zone):
    said = refusal(POWER + f'time_zone = "{zone}"')
    assert "feeds.0.time_zone" in said
    assert repr(zone) in said


REFUSED = {
    "a key of the metrics that is not known": (GAS + "[metrics]\nport = 9100", "metrics.port: unknown key"),
    "a file that the node exporter passes over": (GAS + "[metrics]\ntextfile = 'x.txt'", "ends in .prom"),
    "no time of day": (GAS + "[metrics]\ndue = '8:30'", "write it as '08:30'"),
    "no zone for it": (GAS + "[metrics]\ntime_zone = 'BST'", "metrics.time_zone"),
    "a setting of Spark that results rest on": (
        GAS + "[spark]\n'spark.sql.session.timeZone' = 'CET'",
        "spark: spark.sql.session.timeZone is set by Meterlake only",
    ),
    "the session's own catalog": (
        GAS + "[spark]\n'spark.sql.catalog.spark_catalog' = 'a.B'",
        "spark: spark.sql.catalog.spark_catalog is set by Meterlake only",
    ),
    "one of Delta's": (GAS + "[spark]\n'spark.databricks.delta.x' = '1'", "is set by Meterlake only"),
    "no setting of Spark": (GAS + "[spark]\nmaster = 'local'", "must begin with 'spark.'"),
    "a key that is not known": ("colour = 1\n" + GAS, "colour: unknown key"),
    "a key of a feed that is not known": (GAS + "timezone = 'UTC'", "feeds.0.timezone: unknown key"),
    "a column that is not known": (POWER + "columns = { meter = 'x' }", "feeds.0.columns.meter: unknown key"),
    "a key of the reference that is not known": (POWER + REFERENCE + "users = 'x'", "reference.users: unknown key"),
    "a lake where delta-rs cannot write": ("lake = 'x [1]'\n" + GAS, "holds [ ]"),
    "a lake and a catalog": ("lake = 'x'\ncatalog = 'main'\n" + GAS, "not both"),
    "a catalog that is no name": ("catalog = 'a.b'\n" + GAS, "catalog"),
    "no feed": ("lake = 'x'\n", "feeds"),
    "two feeds of one name": (GAS + GAS, "gas"),
    "a format that is none": (GAS.replace("smrt", "xlsx"), "'xlsx'"),
    "a feed without a path": (GAS.replace('path = "in/gas"\n', ""), "feeds.0.path"),
    "an empty path": (GAS.replace("in/gas", ""), "feeds.0.path"),
    "a reference of a feed that is none": (GAS + REFERENCE, "power"),
    "a reference that is no database": (POWER + REFERENCE.replace("jdbc:sqlite:", "https://"), "reference.url"),
    "an environment that is none": ("environment = 'test'\n" + GAS, "environment"),
    "a day that is none": ("active_on = ['2021-02-29']\n" + GAS, "active_on.0"),
    "a unit that is none": (POWER + "unit = 'MWh'", "feeds.0.unit"),
    "a direction that is none": (POWER + "direction = 'up'", "feeds.0.direction"),
    "an interval that does not divide the day": (POWER + "interval_minutes = 7", "interval_minutes"),
    "an interval of nothing": (POWER + "interval_minutes = 0", "interval_minutes"),
    "a negative time to settle": (GAS + "settle_seconds = -1", "settle_seconds"),
    "two meanings of one column": (POWER + "columns = { meter_id = 'x', consumption = 'x' }", "feeds.0.columns"),
    "a column that bears a name of ours": (POWER + "columns = { meter_id = 'file_id' }", "file_id"),
    "no TOML": ("lake = \n", "is not TOML"),
    "bytes that are not UTF-8": (b"lake = '\xff'\n", "cannot be read"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_configuration_is_refused_in_one_line_that_says_where(refusal, text, said):
    assert said in refusal(text)


@pytest.mark.parametrize(
    "name", ["agreement", "product", "meterpoint", "reference", "Gas", "1gas", "ga-s", "ga s", "", "gäs"]
)
def test_a_feed_cannot_have_a_reserved_or_an_odd_name(refusal, name):
    assert repr(name) in refusal(GAS.replace('"gas"', f'"{name}"'))


def test_a_missing_file_and_a_folder_are_refused_in_one_line(tmp_path):
    with pytest.raises(ConfigurationError, match="no such file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path)


def test_the_environment_is_over_the_file(load, monkeypatch):
    monkeypatch.setenv("METERLAKE_ENVIRONMENT", "production")
    monkeypatch.setenv("METERLAKE_LAKE", "gs://bucket/lake/")
    monkeypatch.setenv("METERLAKE_ACTIVE_ON", '["2022-02-02"]')
    settings = load(EXAMPLE)
    assert (settings.environment, settings.root) == ("production", "gs://bucket/lake")
    assert settings.active_on == (date(2022, 2, 2),)


def test_the_environment_reaches_into_the_reference_and_leaves_the_rest_of_it(load, monkeypatch):
    monkeypatch.setenv("METERLAKE_REFERENCE__URL", "jdbc:sqlite:other.db")
    settings = load(POWER + REFERENCE)
    assert settings.reference.url == "jdbc:sqlite:other.db"
    assert settings.reference_feeds == ("power",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("METERLAKE_LAKES", "x"),
        ("METERLAKE_LAKE__X", "x"),
        ("METERLAKE_REFERENCE__PASSWORD", "x"),
        ("METERLAKE_ENVIRONMENT", "test"),
        ("METERLAKE_ACTIVE_ON", "2021-01-01"),
        ("METERLAKE_FEEDS", "gas"),
    ],
)
def test_a_wrong_variable_is_refused_in_one_line_that_names_it(refusal, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    said = refusal(POWER + REFERENCE).lower().replace("__", ".")
    assert variable.removeprefix("METERLAKE_").lower().replace("__", ".") in said


def test_the_feeds_of_the_documentation_are_feeds(load):
    fetched, answered = re.findall(r"```toml\n(\[\[feeds.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)
    (feed,) = load(fetched).feeds
    assert (feed.format, feed.url_token_env) == ("obis_json", "ROOF_TOKEN")
    (feed,) = load(answered).feeds
    assert feed.acknowledge == "data_lake/acknowledgements/gas"


def test_the_api_of_the_documentation_is_one(load):
    text = re.search(r"```toml\n(\[api\]\n.*?)```", (DOCS / "serving.md").read_text(), re.DOTALL)[1]
    api = load(GAS + text).api
    assert (api.host, api.port, api.max_rows, api.cache_megabytes) == ("127.0.0.1", 8321, 10_000, 512)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_without_a_token_the_api_listens_to_this_machine(load, host):
    assert load(f'{GAS}[api]\nhost = "{host}"\n').api.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])  # noqa: S104 - what is refused
def test_other_machines_need_a_token(load, refusal, host):
    assert "token_env" in refusal(f'{GAS}[api]\nhost = "{host}"\n')
    assert load(f'{GAS}[api]\nhost = "{host}"\ntoken_env = "TOKEN"\n').api.host == host


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://example.org/page", "javascript:x"])
def test_what_no_browser_sends_is_no_origin(refusal, origin):
    assert "origin" in refusal(f'{GAS}[api]\ncors_origins = ["{origin}"]\n')


@pytest.mark.parametrize("folder", ["out/gas", "in/gas_responses", "in/other", "../in/gas"])
def test_responses_go_to_any_folder_beside_the_landing_folders(load, folder):
    assert load(GAS + f'acknowledge = "{folder}"').feeds[0].acknowledge == folder


@pytest.mark.parametrize("folder", ["gs://bucket/out", "file:///out", "", " ", "a\\u0000b"])
def test_responses_go_to_no_uri_and_not_nowhere(refusal, folder):
    assert "feeds.0.acknowledge" in refusal(GAS + f'acknowledge = "{folder}"')


@pytest.mark.parametrize(
    "folder", ["in/gas", "in/gas/", "./in/gas/out", "in/power/../gas", "in/power/x/y", "in", ".", "link/out"]
)
def test_responses_never_lie_where_they_would_become_deliveries(load, refusal, tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "gas").mkdir(parents=True)
    (tmp_path / "link").symlink_to("in/gas")
    (tmp_path / "loop").symlink_to("loop")
    said = refusal(GAS + f'acknowledge = "{folder}"\n' + POWER)
    assert f"acknowledge of feed 'gas' ({folder})" in said
    assert "would become deliveries" in said
    assert load(GAS + 'acknowledge = "loop"').feeds
    as_uri = GAS.replace('"in/gas"', f'"file://{tmp_path}/in/gas"')
    assert "would become deliveries" in refusal(as_uri + 'acknowledge = "in/gas/out"')


@pytest.mark.parametrize("numbers", ["PN000004", "PN000004-PN000004", "PN000004-PN000019", "DV000000-DV999999"])
def test_numbers_that_were_never_sent_are_smrts(load, refusal, numbers):
    assert load(GAS + f'never_sent = ["{numbers}"]').never_sent == [("gas", numbers)]
    assert "never_sent is for SMRT numbers" in refusal(POWER + f'never_sent = ["{numbers}"]')


@pytest.mark.parametrize(
    "numbers", ["", "PN4", "PN000004-", "-PN000004", "PN000009-PN000004", "PN000004-DV000009", "PN000004.SMRT"]
)
def test_what_is_no_number_of_smrt_is_refused(refusal, numbers):
    assert "write 'PN000004', or 'PN000004-PN000009' for several" in refusal(GAS + f'never_sent = ["{numbers}"]')


def two_feeds(one, other):
    return GAS.replace("in/gas", one) + POWER.replace("in/power", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("in", "in"),
        ("in", "in/power"),
        ("in/gas/2021", "in/gas"),
        ("in/gas", "in/../in/gas/"),
        ("s3://bucket/in", "s3a://bucket/in/power"),
        ("gs://bucket", "gs://bucket/power"),
        ("abfss://c@account.dfs.core.windows.net/in/", "abfss://c@account.dfs.core.windows.net/in"),
    ],
)
def test_the_folder_of_a_feed_is_inside_no_other(refusal, one, other):
    said = refusal(two_feeds(one, other))
    assert (
        f"the landing folders of feeds 'gas' ({one}) and 'power' ({other}) overlap: files would be deliveries of both"
        in said
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("in/gas", "in/gas2"),
        ("in/gas", "in/power"),
        ("s3://a/in", "s3://b/in"),
        ("gs://a/in", "s3://a/in"),
        ("a", "gs://a"),
    ],
)
def test_folders_beside_each_other_are_two(load, one, other):
    assert [feed.path for feed in load(two_feeds(one, other)).feeds] == [one, other]


def test_what_is_plausible_has_defaults_and_is_checked(load, refusal):
    (feed,) = load(GAS).feeds
    assert (feed.earliest, feed.latest_days_ahead, feed.max_consumption) == (date(1970, 1, 1), 7, None)
    (feed,) = load(GAS + "earliest = 2020-01-01\nlatest_days_ahead = 0\nmax_consumption = 0.1").feeds
    assert (feed.earliest, feed.latest_days_ahead, feed.max_consumption) == (date(2020, 1, 1), 0, Decimal("0.1"))
    for wrong in ('earliest = "then"', "latest_days_ahead = -1", "latest_days_ahead = 1000001", "max_consumption = 0"):
        assert f"feeds.0.{wrong.split()[0]}" in refusal(GAS + wrong)


def test_the_references_zone_is_that_of_its_first_feed_unless_it_says_so(load, refusal):
    power = POWER + 'time_zone = "Europe/London"\n'
    assert load(power).reference_zone == "UTC"
    assert load(power + REFERENCE).reference_zone == "Europe/London"
    assert load(power + REFERENCE + 'time_zone = "Europe/Vilnius"').reference_zone == "Europe/Vilnius"
    assert load(power + REFERENCE.replace('["power"]', "[]")).reference_zone == "UTC"
    assert "reference.time_zone" in refusal(power + REFERENCE + 'time_zone = "BST"')


def test_a_lake_in_a_volume_is_refused_on_databricks_and_deliveries_and_answers_are_not(load, refusal, monkeypatch):
    volume = "/Volumes/main/raw/files"
    feed = GAS.replace("in/gas", f"{volume}/gas") + f'acknowledge = "{volume}/answers"\n'
    on_a_disk = f'lake = "{volume}/lake"\n'
    assert load(on_a_disk + GAS).root == f"{volume}/lake"  # a disk of macOS
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    said = refusal(on_a_disk + GAS)
    assert f"({volume}/lake) is in a volume, which takes files but no tables: name a catalog instead" in said
    assert "is in a volume" in refusal('lake = "/tmp/../Volumes/main/raw/files"\n' + GAS)
    text = f'catalog = "main"\n[metrics]\ntextfile = "{volume}/meterlake.prom"\n{feed}'
    assert load(text).feeds[0].path == f"{volume}/gas"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("feeds.0.path", GAS.replace("in/gas", "FOLDER")),
        ("feeds.0.acknowledge", GAS + 'acknowledge = "FOLDER"'),
        ("metrics.textfile", '[metrics]\ntextfile = "FOLDER.prom"\n' + GAS),
        ("configuration", 'lake = "FOLDER"\n' + GAS),
    ],
)
def test_sparks_name_of_a_folder_is_refused_with_pythons(refusal, where, text):
    said = refusal(text.replace("FOLDER", "dbfs:/Volumes/a/b/c"))
    assert where in said
    assert "write it as Python opens it, '/Volumes/a/b/c" in said
    assert "as Python opens it, '/dbfs/mnt/a" in refusal(text.replace("FOLDER", "dbfs:///mnt/a"))
