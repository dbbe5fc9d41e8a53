"""Brings Spark's JARs (Delta, the SQLite driver) into one folder: `python -m pipeline.fetch_jars`."""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import JarChecksumError, JarDownloadError, MeterlakeError, MissingJavaError, OldJavaError
from pipeline.runtime import jvm_names

OLDEST_JAVA = 17
PACKAGED = Path(__file__).parents[1] / "_jars"  # there in an installed wheel only
IN_PROJECT = Path(__file__).parents[2] / "jars"
RESOLVER_SECONDS = 900


@dataclass(frozen=True)
class Jar:
    """One pinned file, by the name that Spark's resolver gives it; `coordinate` is group:artifact:version."""

    file: str
    coordinate: str
    sha256: str


def pins_folder() -> Path:
    """The folder with coordinates.toml and ivysettings.xml: in the wheel, else in the project."""
    return PACKAGED if (PACKAGED / "coordinates.toml").is_file() else IN_PROJECT


def _pins_file() -> Path:
    """METERLAKE_PINS, for older versions of Spark and Delta; else the project's own file."""
    return Path(os.environ.get("METERLAKE_PINS") or pins_folder() / "coordinates.toml")


def _resolver_settings() -> Path:
    """The ivysettings.xml beside the pins, for a mirror or files of another form; else the project's own."""
    beside = _pins_file().with_name("ivysettings.xml")
    return beside if beside.is_file() else pins_folder() / "ivysettings.xml"


@functools.cache
def _pins() -> dict[str, Any]:
    return tomllib.loads(_pins_file().read_text(encoding="utf-8"))


@functools.cache
def expected_jars() -> tuple[Jar, ...]:
    """Every JAR that a session needs."""
    return tuple(Jar(**entry) for entry in _pins()["jar"])


def jar_folder() -> Path:
    """METERLAKE_JARS, else ./jars if it is a JAR folder, else the project's, or in a wheel the user's cache."""
    if chosen := os.environ.get("METERLAKE_JARS"):
        return Path(chosen).expanduser()
    local = Path("jars")
    if any((local / name).is_file() for name in ("coordinates.toml", *(jar.file for jar in expected_jars()))):
        return local
    if pins_folder() == IN_PROJECT:
        return IN_PROJECT
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meterlake" / "jars"


def missing_jars(folder: Path) -> list[Jar]:
    """The JARs that are not in the folder; only names are compared."""
    return [jar for jar in expected_jars() if not (folder / jar.file).is_file()]


def java_version() -> int:
    """The major version of the Java that Spark will start; raises MissingJavaError or OldJavaError."""
    return _java()[0]


def java_banner() -> str:
    """The full version text of this Java."""
    return _java()[1]


def _java() -> tuple[int, str]:
    home = os.environ.get("JAVA_HOME")  # if set, Spark looks only here
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    if java is None:
        where = f"JAVA_HOME={home} holds no bin/java" if home else "JAVA_HOME is not set, no java on PATH"
        raise MissingJavaError(where)
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingJavaError(f"{java} does not run") from error
    banner = answer.stderr + answer.stdout
    found = re.search(r'version "([^"]+)"', banner)
    numbers = re.match(r"(?:1\.)?(\d+)", found[1]) if found else None
    if found is None or numbers is None:  # macOS has a /usr/bin/java that only says where to get Java
        raise MissingJavaError(f"{java} -version shows no version")
    if int(numbers[1]) < OLDEST_JAVA:
        raise OldJavaError(found[1], java)
    return int(numbers[1]), banner


def fetch(folder: Path) -> list[Jar]:
    """Completes the folder and returns what it fetched; raises a MeterlakeError or OSError."""
    java_version()
    wanted = missing_jars(folder)
    for jar in expected_jars():
        if jar not in wanted:
            _check(folder / jar.file, jar)
    if not wanted:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="meterlake-jars-") as scratch:
        log = _resolve(Path(scratch))
        resolved = Path(scratch) / "jars"
        if lost := [jar for jar in wanted if not (resolved / jar.file).is_file()]:
            handle, kept = tempfile.mkstemp(prefix="meterlake-jars-", suffix=".log")
            os.close(handle)
            shutil.copyfile(log, kept)
            files, coordinates = [jar.file for jar in lost], [jar.coordinate for jar in lost]
            error = JarDownloadError(files, str(folder), coordinates)
            error.add_note(f"(the resolver's log: {kept})")
            raise error
        for jar in wanted:
            _install(resolved / jar.file, folder, jar)
    return wanted


def _resolve(scratch: Path) -> Path:
    """Lets Spark's resolver fill scratch/jars; returns its log. Files that it could not fetch are missing there."""
    spark = find_spec("pyspark")
    if spark is None or spark.origin is None:
        raise MeterlakeError("PySpark is not installed: run `make setup`")
    spark_home = Path(spark.origin).parent
    script = scratch / "nothing.py"  # packages are resolved before the script starts, so it can be empty
    script.touch()
    options = {
        "spark.jars.packages": ",".join(_pins()["resolve"]),
        "spark.jars.excludes": ",".join(_pins()["exclude"]),
        "spark.jars.ivy": str(scratch),
        "spark.jars.ivySettings": str(_resolver_settings().absolute()),
    }
    command = [str(spark_home / "bin" / "spark-submit"), "--master", "local[1]"]
    for name, value in options.items():
        command += ["--conf", f"{name}={value}"]
    command.append(str(script))
    jvm_names.give_a_locale()
    environment = os.environ | {
        "SPARK_HOME": str(spark_home),
        "SPARK_CONF_DIR": str(scratch),  # no spark-defaults of another installation
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    log = scratch / "resolver.log"
    with log.open("wb") as output:
        try:
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=RESOLVER_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            output.write(f"\n{error}\n".encode())
    return log


def _install(source: Path, folder: Path, jar: Jar) -> None:
    """Puts a checked copy in place in one step, so that a killed run leaves no partial JAR."""
    part = folder / f".{jar.file}.{os.getpid()}.part"
    try:
        shutil.copyfile(source, part)
        _check(part, jar)
        part.replace(folder / jar.file)
    finally:
        part.unlink(missing_ok=True)


def _check(path: Path, jar: Jar) -> None:
    with path.open("rb") as content:
        got = hashlib.file_digest(content, "sha256").hexdigest()
    if got != jar.sha256:
        path.unlink()
        raise JarChecksumError(jar.file, jar.sha256, got)


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser("python -m pipeline.fetch_jars", description="Fetch Spark's JARs, checked.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="default: where a run looks")
    parser.add_argument("--check-java", action="store_true", help="only check that Java is new enough")
    options = parser.parse_args(arguments)
    try:
        if options.check_java:
            java_version()
            return 0
        folder = options.folder or jar_folder()
        fetched = fetch(folder)
    except (MeterlakeError, OSError) as error:
        print("error:", error, *getattr(error, "__notes__", []), file=sys.stderr)
        return 1
    print(f"{len(fetched)} of {len(expected_jars())} JARs fetched, all are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
