"""What is said of a database that cannot be read: the driver's own words, from a Java stack."""

from __future__ import annotations

import pytest

from pipeline.formats.reference_jdbc import LOST_REASON, said

NO_CONNECTION = """[FAILED_JDBC.CONNECTION] Failed JDBC jdbc:postgresql:*********(redacted) on the operation: \
Couldn't connect to the database SQLSTATE: HV000

JVM stacktrace:
org.apache.spark.sql.AnalysisException: [FAILED_JDBC.CONNECTION] Failed JDBC
\tat org.apache.spark.sql.errors.QueryCompilationErrors$.x(QueryCompilationErrors.scala:1)
"""
STACKS = {
    "one cause": (
        NO_CONNECTION + "Caused by: org.postgresql.util.PSQLException: FATAL: password authentication failed\n\tat a.B",
        "FATAL: password authentication failed",
    ),
    "a cause of the cause": (
        NO_CONNECTION
        + "Caused by: org.postgresql.util.PSQLException: The connection attempt failed.\n\tat a.B\n"
        + "Caused by: java.net.UnknownHostException: db.invalid\n\tat a.B\n\t... 3 more",
        "The connection attempt failed. (UnknownHostException: db.invalid)",
    ),
    "a cause without a message": (
        NO_CONNECTION + "Caused by: a.SQLException: An I/O error occurred.\nCaused by: java.io.EOFException\n",
        "An I/O error occurred. (EOFException)",
    ),
    "a failed job": (
        (
            "Job aborted: Lost task 0.0: org.postgresql.util.PSQLException: Broken\n\tat a.B\nCaused by: java.io.EOFException: x"
            "\n\nDriver stacktrace:\n\tat a.B\nCaused by: org.postgresql.util.PSQLException: Broken\n\tat a.B"
            "\nCaused by: java.io.EOFException: x"
        ),
        "Broken (EOFException: x)",
    ),
    "a cause with a number of its own": (
        "Caused by: a.SQLServerException: Login failed for user 'x'. ClientConnectionId:0e2f-11\n",
        "Login failed for user 'x'.",
    ),
    "no cause": ("[SOMETHING] of Spark's own", "the first line"),
    "no class": (
        "An error occurred.\n: java.lang.ClassNotFoundException: oracle.jdbc.OracleDriver\n\tat a.B",
        "Spark's class path has no oracle.jdbc.OracleDriver: add its JAR to spark.jars",
    ),
    "no driver": (
        "An error occurred.\n: java.sql.SQLException: No suitable driver\n\tat a.B",
        "Spark's class path has no driver for its URL: add",
    ),
}


@pytest.mark.parametrize("what", STACKS)
def test_the_drivers_words_and_their_deepest_cause_are_said_in_one_line(what):
    stack, line = STACKS[what]
    told = said(stack, "the first line")
    assert told == line or (line.startswith("Spark's class path") and told.startswith(line))


def test_a_long_message_is_cut():
    assert len(said("Caused by: a.B: " + "x" * 1000, "")) == 300


def test_a_reason_that_spark_lost_is_told_as_what_it_means():
    lost = "Job aborted due to stage failure: Task 0 in stage 467.0 failed 1 times: Lost task 0.0: UnknownReason"
    assert said(lost, lost) == LOST_REASON
