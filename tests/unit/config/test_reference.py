"""[reference]: which databases and tables it may name, and that no secret may stand in it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.config.feeds import Feed
from pipeline.config.reference import Reference
from pipeline.config.settings import Settings
from pipeline.config.settings import load as load_settings
from pipeline.errors import ConfigurationError

GAS = Feed(name="gas", format="smrt", path="in/gas")
SERVER = "jdbc:postgresql://db.example.org:5432/crm"
IN_CRM = {name: f"crm.{name}" for name in ("agreement", "product", "meterpoint")}


def refused(**reference):
    with pytest.raises(ValidationError) as caught:
        Reference(**reference)
    return caught.value.errors()[0]["msg"]


URLS = [
    "jdbc:sqlite:in/reference.db",
    "jdbc:sqlite:file:/data/reference.db?mode=ro",
    "jdbc:sqlite:s3a://bucket/in/reference.db",
    "jdbc:sqlite:/Volumes/main/energy/in/reference.db",
    SERVER + "?sslmode=verify-full&passfile=/run/pgpass",
    "jdbc:sqlserver://db;databaseName=crm;encrypt=true",
    "jdbc:mysql://reader@db/crm",
    "jdbc:oracle:thin:@//db:1521/crm",
]


@pytest.mark.parametrize("url", URLS)
def test_any_jdbc_url_without_a_secret_is_taken(url):
    assert Reference(url=url).url == url


SECRETS = [
    SERVER + "?user=reader&password=hush",
    SERVER + "?PASSWORD=hush",
    SERVER + "?sslpassword=hush",
    "jdbc:sqlserver://db;databaseName=crm;password = hush",
    "jdbc:sqlserver://db;accessToken=hush",
    "jdbc:mysql://reader:hush@db/crm",
    "jdbc:mysql://address=(host=db)(password=hush)/crm",
    "jdbc:oracle:thin:reader/hush@//db:1521/crm",
]


@pytest.mark.parametrize("url", SECRETS)
def test_a_url_with_a_password_is_refused_without_being_shown(url):
    message = refused(url=url)
    assert "password_env" in message
    assert "hush" not in message


@pytest.mark.parametrize("url", ["postgresql://db/crm", "jdbc:", "jdbc:x", "jdbc:sqlite:a\nb", "jdbc: sqlite:a", ""])
def test_what_is_no_jdbc_url_is_refused(url):
    assert "must be a JDBC URL" in refused(url=url)


TABLES = ["agreement", "crm.agreement", "main.crm.agreement", "Sales-2.Vertrag$", "crm.größe"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_name_of_one_to_three_parts(name):
    assert Reference(url=SERVER, tables={"agreement": name}).names["agreement"] == name


NO_TABLES = [
    "",
    "a.b.c.d",
    "crm.",
    ".agreement",
    'a"b',
    "a`b",
    "a]b",
    "a b",
    "a;DROP TABLE x",
    "a.--b",
    "1a",
    "a.(b)",
]


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_name_of_a_table_is_refused_by_name(name):
    assert repr(name) in refused(url=SERVER, tables={"agreement": name})


def test_other_tables_keep_their_names():
    assert Reference(url=SERVER, tables={"product": "crm.tariff"}).names == {
        "agreement": "agreement",
        "product": "crm.tariff",
        "meterpoint": "meterpoint",
    }
    assert "Extra inputs" in refused(url=SERVER, tables={"tariff": "crm.tariff"})


@pytest.mark.parametrize("driver", ["Driver", "org.postgresql.Driver;", "org/postgresql/Driver", ""])
def test_a_driver_is_the_name_of_a_class(driver):
    assert repr(driver) in refused(url=SERVER, driver=driver)


@pytest.mark.parametrize(
    "of_servers",
    [{"user": "x"}, {"password_env": "X"}, {"driver": "a.B"}, {"timeout_seconds": 5}, {"user": "x", "driver": "a.B"}],
)
def test_what_only_a_server_needs_is_refused_elsewhere(of_servers):
    said = f"{', '.join(sorted(of_servers))}: only for the url of a database server"
    assert said in refused(url="jdbc:sqlite:x.db", **of_servers)
    assert said in refused(tables=IN_CRM, **of_servers)
    assert Reference(url=SERVER, **of_servers)


def test_the_password_is_what_its_variable_holds_and_none_is_an_error_of_the_configuration(monkeypatch):
    reference = Reference(url=SERVER, user="reader", password_env="CRM_PASSWORD")  # noqa: S106 - a variable's name
    for value in (None, ""):
        if value is None:
            monkeypatch.delenv("CRM_PASSWORD", raising=False)
        else:
            monkeypatch.setenv("CRM_PASSWORD", value)
        with pytest.raises(
            ConfigurationError, match="the environment variable CRM_PASSWORD holds no password"
        ) as caught:
            reference.password()
        assert caught.value.exit_code == 2
    monkeypatch.setenv("CRM_PASSWORD", "hush")
    assert reference.password() == "hush"
    assert "hush" not in repr(reference)
    assert Reference(url=SERVER).password() is None
    assert "hush" not in refused(url=SERVER, password_env="hush hush")  # noqa: S106 - what if somebody writes it there


def test_only_a_lake_in_a_catalog_may_leave_the_url_out():
    with pytest.raises(ValidationError, match=r"reference.url is missing"):
        Settings(lake="x", feeds=(GAS,), reference=Reference(tables=IN_CRM))
    settings = Settings(
        catalog="main", feeds=(GAS,), reference=Reference(tables=IN_CRM | {"product": "other.crm.product"})
    )
    assert settings.reference.in_catalog("main") == {
        "agreement": "main.crm.agreement",
        "product": "other.crm.product",
        "meterpoint": "main.crm.meterpoint",
    }
    assert Settings(catalog="main", feeds=(GAS,), reference=Reference(url=SERVER))


def test_tables_of_a_catalog_have_a_schema_and_are_not_the_lakes_own():
    assert "agreement, meterpoint names no schema" in refused(tables={"product": "crm.product"})
    with pytest.raises(ValidationError, match=r"main.Bronze.product is a table of this lake itself"):
        Settings(catalog="main", feeds=(GAS,), reference=Reference(tables=IN_CRM | {"product": "Bronze.product"}))
    assert Settings(
        catalog="main", feeds=(GAS,), reference=Reference(tables=IN_CRM | {"product": "other.bronze.product"})
    )


def test_a_configuration_is_refused_in_one_line_that_does_not_show_the_secret(tmp_path):
    path = tmp_path / "lake.toml"
    feed = '[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "in/gas"\n'
    path.write_text(f'{feed}[reference]\nurl = "{SECRETS[0]}"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path)
    assert "reference.url: must not hold a password" in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)
