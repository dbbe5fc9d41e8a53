"""Plain messages for errors of the libraries below us, which report the same fault in many ways."""

from __future__ import annotations

import re

from pipeline.errors import LOST_FILE_SECTION

AGAIN = "run again, it carries on where this run ended"
# Of Spark Connect, and of a JVM of our own.
_SERVER_GONE = r"StatusCode\.UNAVAILABLE|INVALID_HANDLE\.(?:SESSION|OPERATION)_\w+"
_JVM_GONE = r"Answer from Java side is empty|Error while sending or receiving|Errno 111\] Connection refused"
# The first that matches the message or its stack counts; an unreadable file is "not found" further up in the stack.
CAUSES = (
    (
        r"ExpiredToken|TokenRefreshRequired|[Tt]oken (?:provided |included in the request )?(?:is|has) expired",
        f"the credentials for the store have expired: renew them, then {AGAIN}",
    ),
    (
        r"NoSuchBucket|The specified (?:bucket|container) does not exist",
        f"the store has no such bucket: create it, or correct its name in the configuration, then {AGAIN}",
    ),
    (
        r"SlowDown|reduce your request rate|(?:Status Code: |\b)(?:503 Service Unavailable|429 Too Many Requests)",
        f"the store asks for fewer requests, and all tries were used up: wait, then {AGAIN}",
    ),
    (
        r"error sending request|Unable to execute HTTP request",
        f"the store does not answer: check its address and the network, then {AGAIN}",
    ),
    (
        (
            r"InvalidAccessKeyId|SignatureDoesNotMatch|lacked (?:the necessary privileges|valid authentication)|"
            r"401 Unauthorized|403 Forbidden|Status Code: 403"
        ),
        f"the store refuses these credentials: let them list, read and write there, then {AGAIN}",
    ),
    (
        r"No space left on device|Disk quota exceeded|os error (28|122)\b",
        f"no space left on device (the disk is full): free space there, then {AGAIN}",
    ),
    (r"Read-only file system|os error 30\b", f"read-only file system: mount it for writing, then {AGAIN}"),
    (
        r"Permission denied|Operation not permitted|os error (1|13)\b|AccessDeniedException",
        f"permission denied: let the user that runs this read and write there, then {AGAIN}",
    ),
    (
        r"OutOfMemoryError|GC overhead limit exceeded",
        f"Spark ran out of memory: give it more (spark-submit --driver-memory 8g main.py run), then {AGAIN}",
    ),
    (
        _SERVER_GONE,
        f"Spark's server (SPARK_REMOTE) ended or does not answer any more: make sure that it runs, then {AGAIN}",
    ),
    (
        _JVM_GONE,
        f"Spark ended while it worked, most often for lack of memory: make sure that enough is free, then {AGAIN}",
    ),
    (
        r"All masters are unresponsive|Master removed our application|SparkContext was shut down|stopped SparkContext",
        f"Spark's cluster ended the application or does not answer: check that master and workers run, then {AGAIN}",
    ),
    (
        r"ExecutorLostFailure|MetadataFetchFailed|FetchFailed",
        f"Spark lost its executors again and again, most often for lack of memory: give them more, then {AGAIN}",
    ),
)
_WENT = r"FAILED_READ_FILE\.FILE_NOT_EXIST|PATH_NOT_FOUND"
# A missing data file of a table, in the words of Spark, delta-rs and pyarrow.
_LOST = re.compile(
    r"(?:File |Path does not exist: |Object at location |FileNotFoundException: |metadata for file )[^\n]*?"
    r"/(bronze|silver|gold|ops)(?:\.db)?/(\w+)/((?:\w+=[^/\n]*/)*[\w.%-]+\.parquet)\b"
)
_NOT_THERE = re.compile(r"not found|not exist|No such file|NotFound|NOT_FOUND|NOT_EXIST")
_PLACES = (
    r"Error performing [A-Z]+ (\w+://[^\s?]+)",
    r"(/[^\n]+?) \((?:No space left on device|Permission denied|Read-only file system)\)",
    r"writing rows to (?:file:)?(/[^\n]+?)\. SQLSTATE",
    r"AccessDeniedException: (/[^\n]+?)(?:: |$)",
    r"\[Errno \d+\] [^\n]*?: '(/[^\n]+?)'$",
    r"(?:Unable to \w+ (?:file|dir)|operation on) (/[^\n]+?)(?:#\d+)?(?:: |$)",
)
LONGEST = 300


def in_words(problem: BaseException) -> str | None:
    """The fault as a sentence with what to do, if it is one of CAUSES or a missing file; else None."""
    message = _message(problem)
    known = next((words for pattern, words in CAUSES if re.search(pattern, message)), None)
    went = f"a file was removed while it was read: {AGAIN}" if re.search(_WENT, message) else None
    return known or _lost_file(message) or went


def _lost_file(message: str) -> str | None:
    """A table's missing data file; maintenance can also remove one under a long reader, so the advice is to retry."""
    lost = _LOST.search(message)
    if lost is None or not _NOT_THERE.search(message):
        return None
    layer, table, file = lost.groups()
    return (
        f"table {layer}.{table}: its data file {file} is not there: run again, and if that fails too, "
        f"see {LOST_FILE_SECTION}"
    )


def is_spark_gone(problem: BaseException) -> bool:
    """Whether Spark itself went away, whatever it was doing."""
    return re.search(f"{_SERVER_GONE}|{_JVM_GONE}", _message(problem)) is not None


def is_file_missing(problem: BaseException) -> bool:
    """Whether Spark did not find a file that it was told to read."""
    return re.search(_WENT, _message(problem)) is not None


def is_overtaken(problem: BaseException) -> bool:
    """Whether a commit was refused because another run committed in between."""
    return re.search(r"Concurrent transaction failed|ConcurrentTransactionException", _message(problem)) is not None


def is_denied(problem: BaseException) -> bool:
    """Whether a catalog refused a statement because a right is missing."""
    pattern = r"PERMISSION_DENIED|INSUFFICIENT_PERMISSIONS|Insufficient privileges|does not have \w+ (?:\w+ )?on\b"
    return re.search(pattern, _message(problem)) is not None


def place(problem: BaseException) -> str | None:
    """The file or folder named in the error's message."""
    message = _message(problem)
    found = (re.search(pattern, message, re.MULTILINE) for pattern in _PLACES)
    return next((match[1] for match in found if match), None)


def one_line(problem: BaseException) -> str:
    """An error in one line: the fault in words, else a Java stack's deepest cause, else the start of the message."""
    if words := in_words(problem):
        return words
    lines = [line.strip() for line in _message(problem).splitlines() if line.strip()]
    # Py4J's first line only names the call; the error itself follows after a colon, its causes further down.
    said = [line for line in lines if re.match(r"(?:Caused by)?: ", line)][-1:] or lines[:1] or [type(problem).__name__]
    line = re.sub(r"^(?:Caused by)?: (?:(?:[\w$]+\.)+[\w$]+: )?", "", said[0])
    return re.sub(r"^\((?:[\w$]+\.)+[\w$]+\) ", "", line)[:LONGEST]  # as Spark Connect says it: (its.class) message


def _message(problem: BaseException) -> str:
    """An error's whole message, without the colours that delta-rs adds."""
    try:
        return re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).strip()
    except Exception:  # noqa: BLE001 - a Java error gets its text from the JVM, which may be gone
        return f"{type(problem).__name__}: the JVM ended"
