"""A class-data archive: the JVM's loaded classes in a file, so that the next session need not load them one by one.

The first run with a set of JARs records the classes it used when its JVM ends; later sessions map the file. That takes
seconds, on a busy machine a minute: where a person waits for the prompt the JVM is left alone with it, and the next
session takes over what it finished. Only for sessions that this project starts itself. Without it everything works the
same, but slower (docs/design.md).

Right as long as Java, JARs and their places are those that recorded it: they name the file, and the JVM checks them
again and starts without it (`-Xshare:auto`); tests/unit/runtime/test_class_archive.py. Java 17 cannot keep one alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark

from pipeline.runtime import fetch_jars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OFF = "METERLAKE_NO_CLASS_ARCHIVE"
SECONDS_TO_WRITE = 120
AGENTS = ("-javaagent:", "-agentlib:", "-agentpath:")
# Variables whose options the JVM reads by itself.
JAVA_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
# A JVM that cannot use the file says so on standard output, which is reserved for answers.
QUIET = "-Xlog:disable"
# What it says, to a file of its own, when an archive is complete.
NOTE, COMPLETE = "-Xlog:cds+dynamic=info:file=", "Written dynamic archive"


@dataclass
class _Recording:
    """An archive that a running JVM will write when it ends."""

    unfinished: Path
    archive: Path
    process: subprocess.Popen[bytes] | None = None
    stop: Callable[[], None] = lambda: None


_recording: list[_Recording] = []


def archive_of(folder: Path, java: str, jars: Iterable[Path]) -> Path:
    """The path of the archive for this Java and these JARs: another Java, JAR or place has another file."""
    facts = [java, *(f"{jar} {jar.stat().st_size}" for jar in sorted(jars))]
    return folder / f"classes-{hashlib.sha256(chr(10).join(facts).encode()).hexdigest()[:12]}.jsa"


def jars_on_the_class_path(folder: Path) -> list[Path]:
    """Spark's JARs and ours."""
    spark = Path(pyspark.__file__).parent / "jars"
    return [*spark.glob("*.jar"), *(folder / jar.file for jar in fetch_jars.expected_jars())]


def has_agent(*options: str) -> bool:
    """Whether the JVM will have an agent: it rewrites classes, and with an archive it did not always start."""
    given = (*options, *(os.environ.get(name, "") for name in JAVA_VARIABLES))
    return any(flag in text for text in given for flag in AGENTS)


def java_options(folder: Path, java: str, *, record: bool) -> str:
    """The JVM's options: to use the archive, or to record it if there is none and `record` is set."""
    if os.environ.get(OFF):
        return ""
    archive = archive_of(folder, java, jars_on_the_class_path(folder))
    _take_over(archive)
    if archive.is_file():
        return f"{QUIET} -Xshare:auto -XX:SharedArchiveFile={archive}"
    # This option cannot hold a path with a blank.
    if not record or _recording or " " in str(archive) or not os.access(folder, os.W_OK):
        return ""
    unfinished = archive.with_suffix(f".{os.getpid()}")
    _recording.append(_Recording(unfinished, archive))
    return f"{QUIET} {NOTE}{_note_of(unfinished)} -XX:ArchiveClassesAtExit={unfinished}"


def started(process: subprocess.Popen[bytes], stop: Callable[[], None]) -> None:
    """Remember that this JVM is recording, and that `stop` ends what runs in it."""
    for recording in _recording:
        recording.process, recording.stop = process, stop


def is_recording() -> bool:
    """Whether this process's JVM will take some seconds longer to end, once."""
    return any(recording.process for recording in _recording)


def leave() -> None:
    """Do not wait for the recording JVM: it ends when this process has, writes its archive and says when it is done."""
    _recording.clear()


def finish() -> None:
    """End the recording JVM and move its complete archive to where the next session finds it."""
    while _recording:
        recording = _recording.pop()
        if recording.process is None or recording.process.stdin is None:
            continue
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            recording.stop()
            recording.process.stdin.close()  # PySpark's JVM ends when this does
            if recording.process.wait(SECONDS_TO_WRITE) == 0:
                recording.unfinished.replace(recording.archive)
        _remove_others(recording.archive)


def _note_of(unfinished: Path) -> Path:
    return unfinished.with_name(f"{unfinished.name}.log")


def _take_over(archive: Path) -> None:
    """Move an archive that a JVM completed after its run had left to where sessions look for it."""
    for note in [*archive.parent.glob(f"{archive.stem}.*.log")]:
        with contextlib.suppress(OSError):  # another session may do the same
            if COMPLETE in note.read_text(errors="replace"):
                note.with_suffix("").replace(archive)
                _remove_others(archive)


def _remove_others(archive: Path) -> None:
    """Remove archives of other Javas and JARs, and what killed runs left behind."""
    for other in {*archive.parent.glob("classes-*")} - {archive}:
        with contextlib.suppress(OSError):
            other.unlink()
