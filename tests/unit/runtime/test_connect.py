"""Which server SPARK_REMOTE names, without Spark; what a server does is in tests/platform/test_connect.py."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.runtime import connect, error_messages


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sc://127.0.0.1:15002", "127.0.0.1:15002"),
        ("sc://host", "host"),
        (
            "sc://adb-1.azuredatabricks.net:443/;token=dapi-secret;x-databricks-cluster-id=1",
            "adb-1.azuredatabricks.net:443",
        ),
        ("sc://host:443;token=secret", "host:443"),
    ],
)
def test_a_message_names_the_server_and_never_its_token(url, name):
    assert connect.name_of(url) == name


@pytest.mark.parametrize("url", ["local[2]", "", "host:15002", "sc://", "sc:///;token=secret"])
def test_what_names_no_server_is_a_wrong_configuration(url, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", url)
    assert connect.is_used()
    with pytest.raises(ConfigurationError, match="SPARK_REMOTE: names no server") as caught:
        connect.opened({})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "is_gone"),
    [
        ("status = StatusCode.UNAVAILABLE", True),
        ("[INVALID_HANDLE.SESSION_CLOSED] The handle is invalid. Session was closed.", True),
        ("Answer from Java side is empty", True),
        ("[SQLITE_CANTOPEN] Unable to open the database file", False),
        ("[INVALID_HANDLE.FORMAT] Handle must be an UUID string", False),
    ],
)
def test_that_spark_went_away_is_told_from_a_fault_of_what_it_read(message, is_gone):
    assert error_messages.is_spark_gone(RuntimeError(message)) is is_gone
