"""What an error of the libraries below us means, in words: they say one and the same fault in many ways."""

from __future__ import annotations

import re

from pipeline.errors import LOST_FILE_SECTION

AGAIN = "run again, it carries on where this run ended"
# The first that a message holds, stack and all; a file that may not be read is "not found" further up in the stack.
CAUSES = (
    (
        r"No space left on device|Disk quota exceeded|os error (28|122)\b",
        f"no space left on device (the disk is full): make room there, then {AGAIN}",
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
        r"Answer from Java side is empty|Error while sending or receiving|Errno 111\] Connection refused",
        f"Spark ended while it worked, most often for want of memory: see that enough of it is free, then {AGAIN}",
    ),
    (
        r"All masters are unresponsive|Master removed our application|SparkContext was shut down|stopped SparkContext",
        f"Spark's cluster ended the application or does not answer: see that master and workers run, then {AGAIN}",
    ),
    (
        r"ExecutorLostFailure|MetadataFetchFailed|FetchFailed",
        f"Spark lost its executors again and again, most often for want of memory: give them more, then {AGAIN}",
    ),
)
_WENT = r"FAILED_READ_FILE\.FILE_NOT_EXIST|PATH_NOT_FOUND"
# A data file of a table, as Spark, delta-rs and pyarrow say that it is not there.
_LOST = re.compile(
    r"(?:File |Path does not exist: |Object at location |FileNotFoundException: |metadata for file )[^\n]*?"
    r"/(bronze|silver|gold|ops)(?:\.db)?/(\w+)/((?:\w+=[^/\n]*/)*[\w.%-]+\.parquet)\b"
)
_NOT_THERE = re.compile(r"not found|not exist|No such file|NotFound|NOT_FOUND|NOT_EXIST")
_PLACES = (
    r"(/[^\n]+?) \((?:No space left on device|Permission denied|Read-only file system)\)",
    r"writing rows to (?:file:)?(/[^\n]+?)\. SQLSTATE",
    r"AccessDeniedException: (/[^\n]+?)(?:: |$)",
    r"\[Errno \d+\] [^\n]*?: '(/[^\n]+?)'$",
    r"(?:Unable to \w+ (?:file|dir)|operation on) (/[^\n]+?)(?:#\d+)?(?:: |$)",
)
LONGEST = 300


def in_words(problem: BaseException) -> str | None:
    """The fault as a sentence, with what to do, where it is one of CAUSES or a file that is not there; else None."""
    message = _message(problem)
    known = next((words for pattern, words in CAUSES if re.search(pattern, message)), None)
    went = f"a file went while it was read: {AGAIN}" if re.search(_WENT, message) else None
    return known or _lost_file(message) or went


def _lost_file(message: str) -> str | None:
    """A table's data file that is not there; a maintenance beside a long reader takes one away too, so once is none."""
    lost = _LOST.search(message)
    if lost is None or not _NOT_THERE.search(message):
        return None
    layer, table, file = lost.groups()
    told = f"table {layer}.{table}: its data file {file} is not there"
    return f"{told}: run again, and where it is said again, see {LOST_FILE_SECTION}"


def is_overtaken(problem: BaseException) -> bool:
    """Whether a commit was refused because another run's came between."""
    return re.search(r"Concurrent transaction failed|ConcurrentTransactionException", _message(problem)) is not None


def place(problem: BaseException) -> str | None:
    """The file or folder that the error's message names."""
    message = _message(problem)
    found = (re.search(pattern, message, re.MULTILINE) for pattern in _PLACES)
    return next((match[1] for match in found if match), None)


def one_line(problem: BaseException) -> str:
    """An error in one line: the fault in words, else of a Java stack its deepest cause, else the message's start."""
    if words := in_words(problem):
        return words
    lines = [line.strip() for line in _message(problem).splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("Caused by: ")][-1:]
    line = re.sub(r"^Caused by: (?:[\w$]+\.)+[\w$]+: ", "", said[0]) if said else (lines or [type(problem).__name__])[0]
    return line[:LONGEST]


def _message(problem: BaseException) -> str:
    """All that an error says, without the colours that delta-rs puts into it."""
    try:
        return re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).strip()
    except Exception:  # noqa: BLE001 - a Java error asks its JVM for the words, and that may be gone
        return f"{type(problem).__name__}: the JVM ended"
