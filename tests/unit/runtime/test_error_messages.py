"""Errors of Java, Rust and Python, as they were seen: one line in words, with the place where they name it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pipeline.runtime import error_messages
from pipeline.runtime.log import without_native_noise

FULL_IN_SPARK = """An error occurred while calling o86.save.
: org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows to file:/my lake/silver/readings. SQLSTATE: 58030
\tat org.apache.spark.sql.errors.QueryExecutionErrors$.taskFailedWhileWritingRowsError(QueryExecutionErrors.scala:826)
Caused by: org.apache.hadoop.fs.FSError: java.io.IOException: No space left on device
\t... 16 more"""
CLOSED_IN_SPARK = """An error occurred while calling o141.save.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 21.0 failed 1 times, most recent failure: Lost task 0.0 in stage 21.0 (TID 33) (localhost executor driver): java.io.FileNotFoundException: /lake/p/part-0.zstd.parquet (Permission denied)
\tat java.base/java.io.FileOutputStream.open0(Native Method)

Driver stacktrace:
Caused by: java.io.FileNotFoundException: /lake/p/part-0.zstd.parquet (Permission denied)
\t... 1 more"""
FULL_IN_RUST = "Failed to parse parquet: External: Generic LocalFileSystem error: Unable to copy data to file: No space left on device (os error 28)"
CLOSED_IN_RUST = """Generic LocalFileSystem error
          \x1b[31m↳\x1b[0m Unable to walk dir
           \x1b[31m↳\x1b[0m IO error for operation on /lake/p/_delta_log
            \x1b[31m↳\x1b[0m Permission denied (os error 13)
"""
CLOSED_FILE_IN_RUST = """Generic LocalFileSystem error: Unable to open file /lake/p/part-00000.snappy.parquet#1: Permission denied (os error 13)"""
GONE = """An error occurred while calling o207.save.
: org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows to file:/lake/bronze/gas. SQLSTATE: 58030
Caused by: org.apache.spark.SparkException: [FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file file:///landing/a.txt. File does not exist."""

LOST_IN_SPARK = """An error occurred while calling o1591.getResult.
: org.apache.spark.SparkException: Exception thrown in awaitResult:
Caused by: org.apache.spark.SparkException: [FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file file:///my%20lake/silver/readings/feed=gas/local_date=2021-01-04/part-00000-1f.c000.zstd.parquet. File does not exist.
Caused by: java.io.FileNotFoundException: File file:/my lake/silver/readings/feed=gas/local_date=2021-01-04/part-00000-1f.c000.zstd.parquet does not exist"""
LOST_IN_PATHS = "[PATH_NOT_FOUND] Path does not exist: file:/lake/bronze/gas/part-0-1.parquet. SQLSTATE: 42K03"
LOST_IN_PYARROW = """Object at location /lake/gold/meter_day/feed=e/local_date=2021-01-04/part-0.parquet not found
   \x1b[31m↳\x1b[0m No such file or directory (os error 2)"""
LOST_IN_RUST = "Generic DeltaTable error: Parquet error: Failed to fetch metadata for file lake/ops/runs/p.parquet: Object Store error: Object at location /lake/ops/runs/p.parquet not found: No such file or directory (os error 2)"

# By delta-rs, on a store.
EXPIRED = """Kernel error -> Generic S3 error
          \x1b[31m↳\x1b[0m Error performing GET http://127.0.0.1:40029/bucket/t/_delta_log/_last_checkpoint in 951.863µs - Server returned non-2xx status code
           \x1b[31m↳\x1b[0m 400 Bad Request
            \x1b[31m↳\x1b[0m <?xml version="1.0" encoding="UTF-8"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><RequestId>1</RequestId></Error>
"""
EXPIRED_IN_A_WRITE = 'Failed to parse parquet: External: Generic S3 error: Error performing PUT http://127.0.0.1:40029/bucket/t/part-0.parquet in 46.667072ms - Server returned non-2xx status code: 400 Bad Request: <?xml version="1.0" encoding="UTF-8"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>'
REFUSED = """Generic S3 error
 Error performing list request
  Error performing GET http://127.0.0.1:40029/bucket?delimiter=%2F&list-type=2&prefix=t%2F in 5.7ms - Server returned non-2xx status code
   403 Forbidden
    <?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""
UNAUTHORISED = "Kernel error -> The operation lacked valid authentication credentials for path lake/ops/ingestion_log/_delta_log/_last_checkpoint"
UNAUTHORISED_IN_SPARK = """An error occurred while calling o75.load.
: java.io.IOException: Error accessing gs://bucket/lake/bronze/gas/_delta_log
Caused by: com.google.cloud.hadoop.repackaged.gcs.com.google.api.client.googleapis.json.GoogleJsonResponseException: 401 Unauthorized"""
NO_BUCKET = """Kernel error -> Generic S3 error
 Error performing list request
  Error performing GET http://127.0.0.1:46053/nobucket?list-type=2&prefix=t%2F_delta_log%2F in 47.5ms - Server returned non-2xx status code
   404 Not Found
    <?xml version="1.0" encoding="utf-8"?> <Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"""
THROTTLED = """Kernel error -> Generic S3 error
 Error performing GET http://127.0.0.1:46053/bucket/t/_delta_log/_last_checkpoint in 2.176913091s, after 10 retries, max_retries
  10, retry_timeout
   180s  - Server returned non-2xx status code
    503 Service Unavailable
     <?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"""
UNREACHABLE = """Kernel error -> Generic S3 error
 Error performing GET http://127.0.0.1:9/bucket/t/_delta_log/_last_checkpoint in 2.243356752s, after 10 retries, max_retries
  10, retry_timeout
   180s  - HTTP error
    error sending request
     client error (Connect)
      tcp connect error
       Connection refused (os error 111)"""
LOG_ON_STORE = "http://127.0.0.1:40029/bucket/t/_delta_log/_last_checkpoint"
THE_LOG_THROTTLED = LOG_ON_STORE.replace("40029", "46053")

NO_MASTER = """An error occurred while calling o62.save.
: org.apache.spark.SparkException: Job aborted due to stage failure: Master removed our application: KILLED"""
NO_EXECUTOR = """Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task 0.3 in stage 1.0 (TID 4) (127.0.0.1 executor 3): ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Command exited with code 137"""

NO_SERVER = """<_MultiThreadedRendezvous of RPC that terminated with:
	status = StatusCode.UNAVAILABLE
	details = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:33977: Failed to connect to remote host: Connection refused"
>"""
ANOTHER_SERVER = "[INVALID_HANDLE.SESSION_NOT_FOUND] The handle 5dd62a10 is invalid. Session not found. SQLSTATE: HY000"


@pytest.mark.parametrize(
    ("problem", "place", "words"),
    [
        (RuntimeError(NO_SERVER), None, "Spark's server (SPARK_REMOTE) ended or does not answer any more"),
        (RuntimeError(ANOTHER_SERVER), None, "Spark's server (SPARK_REMOTE) ended or does not answer any more"),
        (RuntimeError(FULL_IN_SPARK), "/my lake/silver/readings", "no space left on device"),
        (OSError(28, "No space left on device", "/lake/x y"), "/lake/x y", "no space left on device"),
        (RuntimeError(FULL_IN_RUST), None, "no space left on device"),
        (RuntimeError(CLOSED_IN_SPARK), "/lake/p/part-0.zstd.parquet", "permission denied"),
        (
            RuntimeError(": java.nio.file.AccessDeniedException: /lake/p/_delta_log: Permission denied"),
            "/lake/p/_delta_log",
            "permission denied",
        ),
        (RuntimeError(CLOSED_IN_RUST), "/lake/p/_delta_log", "permission denied"),
        (RuntimeError(CLOSED_FILE_IN_RUST), "/lake/p/part-00000.snappy.parquet", "permission denied"),
        (PermissionError(13, "Permission denied", "/lake"), "/lake", "permission denied"),
        (OSError(30, "Read-only file system", "/lake"), "/lake", "read-only file system"),
        (
            RuntimeError("An error\nCaused by: java.lang.OutOfMemoryError: Java heap space"),
            None,
            "Spark ran out of memory",
        ),
        (ConnectionRefusedError(111, "Connection refused"), None, "Spark ended while it worked"),
        (OSError(EXPIRED), LOG_ON_STORE, "the credentials for the store have expired: renew them, then run again"),
        (
            OSError(EXPIRED_IN_A_WRITE),
            "http://127.0.0.1:40029/bucket/t/part-0.parquet",
            "the credentials for the store have expired",
        ),
        (OSError(REFUSED), "http://127.0.0.1:40029/bucket", "the store refuses these credentials"),
        (OSError(UNAUTHORISED), None, "the store refuses these credentials"),
        (RuntimeError(UNAUTHORISED_IN_SPARK), None, "the store refuses these credentials"),
        (OSError(NO_BUCKET), "http://127.0.0.1:46053/nobucket", "the store has no such bucket: create it"),
        (OSError(UNREACHABLE), LOG_ON_STORE.replace("40029", "9"), "the store does not answer: check its address"),
        (OSError(THROTTLED), THE_LOG_THROTTLED, "the store asks for fewer requests"),
        (RuntimeError(NO_MASTER), None, "Spark's cluster ended the application or does not answer"),
        (RuntimeError(NO_EXECUTOR), None, "Spark lost its executors again and again"),
        (RuntimeError(GONE), "/lake/bronze/gas", "a file was removed while it was read"),
        (
            RuntimeError(LOST_IN_SPARK),
            None,
            "table silver.readings: its data file feed=gas/local_date=2021-01-04/part-00000-1f.c000.zstd.parquet is not",
        ),
        (RuntimeError(LOST_IN_PATHS), None, "table bronze.gas: its data file part-0-1.parquet is not there: run again"),
        (
            FileNotFoundError(LOST_IN_PYARROW),
            None,
            "table gold.meter_day: its data file feed=e/local_date=2021-01-04/pa",
        ),
        (RuntimeError(LOST_IN_RUST), None, "table ops.runs: its data file p.parquet is not there"),
    ],
)
def test_a_fault_that_is_known_is_said_in_words_with_what_to_do(problem, place, words):
    assert error_messages.place(problem) == place
    said = error_messages.in_words(problem)
    assert said.startswith(words)
    assert "run again" in said
    assert error_messages.one_line(problem) == said


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "An error occurred while calling o1.x.\n: a.b.C: one\n\tat x\nCaused by: a.b.D$E: two\n\tat y\nCaused by: f.G: three words\n\t... 1 more",
            "three words",
        ),
        (
            "An error occurred while calling o113.load.\n: org.sqlite.SQLiteException: no such table: product\n\tat org.x",
            "no such table: product",
        ),
        ("An error occurred while calling o1.x", "An error occurred while calling o1.x"),
        ("\n first \n second", "first"),
        (
            "(org.apache.spark.sql.delta.DeltaIOException) [DELTA_CANNOT_CREATE_LOG_PATH] Cannot create file:/proc/x/_delta_log\n\nJVM stacktrace:\norg.apache.spark.sql.delta.DeltaIOException\n\tat org.apache",
            "[DELTA_CANNOT_CREATE_LOG_PATH] Cannot create file:/proc/x/_delta_log",
        ),
        ("", "ValueError"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_of_another_error_the_deepest_cause_or_the_first_line_is_said(message, line):
    problem = ValueError(message)
    assert error_messages.in_words(problem) is None
    assert error_messages.one_line(problem) == line


def test_an_error_that_cannot_say_what_it_is_has_a_line_all_the_same():
    class BrokenError(Exception):
        def __str__(self):
            raise ConnectionError

    assert error_messages.one_line(BrokenError()) == "BrokenError: the JVM ended"


def test_what_a_library_prints_itself_is_dropped_inside_and_only_there(capfd):
    os.write(2, b"before ")
    with without_native_noise():
        os.write(2, b"panic ")
        with without_native_noise():
            os.write(2, b"panic ")
        os.write(2, b"panic ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


@pytest.mark.parametrize(
    "message",
    [
        "PERMISSION_DENIED: User does not have CREATE SCHEMA on Catalog 'main'.",
        "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\nUser does not have permission CREATE on CATALOG. SQLSTATE: 42501",
        "An error occurred while calling o71.sql.\n: x.UnauthorizedAccessException: PERMISSION_DENIED: User does not have USE SCHEMA on Schema 'main.gold'.",
    ],
)
def test_a_right_that_is_missing_in_a_catalog_is_seen(message):
    assert error_messages.is_denied(RuntimeError(message))


@pytest.mark.parametrize(
    "message", [FULL_IN_SPARK, CLOSED_IN_RUST, LOST_IN_PATHS, "Catalog main does not support views."]
)
def test_other_faults_are_no_missing_right(message):
    assert not error_messages.is_denied(RuntimeError(message))


def test_what_a_native_thread_prints_just_after_the_error_is_dropped_too(capfd):
    late = threading.Timer(0.1, os.write, (2, b"panic "))
    late.start()
    with pytest.raises(FileNotFoundError), without_native_noise():
        Path("nowhere").read_bytes()
    late.join()
    assert capfd.readouterr().err == ""
