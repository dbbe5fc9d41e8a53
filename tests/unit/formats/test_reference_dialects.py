"""What each kind of database is asked: one statement for the three tables, in its own SQL, with its own timeouts."""

from __future__ import annotations

import pytest

from pipeline.config.reference import Reference
from pipeline.formats import reference_dialects as dialects

CRM = {"agreement": "crm.agreement", "product": "Tariff", "meterpoint": "erp.crm.meter-point"}
URLS = {
    "postgresql": "jdbc:postgresql://db/crm",
    "sqlserver": "jdbc:sqlserver://db:1433;databaseName=crm;encrypt=true",
    "mysql": "jdbc:mysql://db/crm",
    "mariadb": "jdbc:mariadb://db/crm",
    "oracle": "jdbc:oracle:thin:@//db/crm",
    "other": "jdbc:db2://db/crm",
}


def of(kind, **more):
    return Reference(url=URLS[kind], tables=CRM, **more)


# The text of a column, and the three tables as the database is asked for them.
ASKED = {
    "postgresql": ("CAST(region AS TEXT)", ['"crm"."agreement"', '"Tariff"', '"erp"."crm"."meter-point"']),
    "sqlserver": (
        "CONVERT(NVARCHAR(MAX), region, 126)",
        ["[crm].[agreement]", "[Tariff]", "[erp].[crm].[meter-point]"],
    ),
    "mysql": ("CAST(region AS CHAR)", ["`crm`.`agreement`", "`Tariff`", "`erp`.`crm`.`meter-point`"]),
    "mariadb": ("CAST(region AS CHAR)", ["`crm`.`agreement`", "`Tariff`", "`erp`.`crm`.`meter-point`"]),
    "oracle": ("CAST(region AS VARCHAR2(4000))", ["crm.agreement", "Tariff", 'erp.crm."meter-point"']),
    "other": ("CAST(region AS VARCHAR(4000))", ["crm.agreement", "Tariff", 'erp.crm."meter-point"']),
}


@pytest.mark.parametrize("kind", ASKED)
def test_each_kind_is_asked_for_texts_of_its_own_tables_in_one_statement(kind):
    text, tables = ASKED[kind]
    query = dialects.query(of(kind))
    selects = query.split(" UNION ALL ")
    assert [select.rpartition(" FROM ")[2] for select in selects] == tables
    assert [select.split("'")[1] for select in selects] == ["agreement", "product", "meterpoint"]
    nothing = text.replace("region", "NULL")
    assert selects[2].startswith(f"SELECT 'meterpoint' AS source, {text} AS c0, ")
    assert selects[2].count(f"{nothing} AS c") == 4
    # A column of a UNION has one type in all its parts.
    assert all(select.count(text.partition("region")[0]) == 6 for select in selects)


# Driver, and what it is told beside the URL, the query and who asks.
TOLD = {
    "postgresql": ("org.postgresql.Driver", {"loginTimeout": "7", "connectTimeout": "7", "socketTimeout": "12"}),
    "sqlserver": ("com.microsoft.sqlserver.jdbc.SQLServerDriver", {"loginTimeout": "7", "socketTimeout": "12000"}),
    "mysql": ("com.mysql.cj.jdbc.Driver", {"connectTimeout": "7000", "socketTimeout": "12000"}),
    "mariadb": ("org.mariadb.jdbc.Driver", {"connectTimeout": "7000", "socketTimeout": "12000"}),
    "oracle": (
        "oracle.jdbc.OracleDriver",
        {"oracle.net.CONNECT_TIMEOUT": "7000", "oracle.jdbc.ReadTimeout": "12000"},
    ),
    "other": (None, {}),
}


@pytest.mark.parametrize("kind", TOLD)
def test_each_driver_is_told_how_long_to_wait(kind):
    driver, waits = TOLD[kind]
    told = dialects.options(of(kind, timeout_seconds=7, user="reader"))
    assert told.get("driver") == driver
    assert (told["url"], told["queryTimeout"], told["user"]) == (URLS[kind], "7", "reader")
    assert told["dbtable"] == f"({dialects.query(of(kind))}) snapshot"
    known = {"url", "driver", "dbtable", "customSchema", "queryTimeout", "user", "sessionInitStatement"}
    assert {name: value for name, value in told.items() if name not in known} == waits


def test_the_driver_of_the_configuration_is_the_one_that_counts():
    assert dialects.options(of("sqlserver", driver="net.sourceforge.jtds.jdbc.Driver"))["driver"].startswith("net.")
    assert dialects.options(of("other", driver="com.ibm.db2.jcc.DB2Driver"))["driver"] == "com.ibm.db2.jcc.DB2Driver"


SHOWN = {
    "jdbc:postgresql://db:5432/crm?sslmode=require&user=reader": "jdbc:postgresql://db:5432/crm",
    "jdbc:sqlserver://db:1433;encrypt=true;databaseName=crm;user=x": "jdbc:sqlserver://db:1433;databaseName=crm",
    "jdbc:oracle:thin:@//db/crm": "jdbc:oracle:thin:@//db/crm",
}


@pytest.mark.parametrize("url", SHOWN)
def test_a_url_is_shown_without_its_parameters(url):
    assert dialects.shown(url) == SHOWN[url]
