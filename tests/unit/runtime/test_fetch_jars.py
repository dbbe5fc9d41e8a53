"""The set-up of the JARs: what it looks for, what it refuses, the one line it says. No Spark, no network."""

import hashlib
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from pipeline.errors import JarChecksumError, JarDownloadError, MissingJavaError
from pipeline.runtime import fetch_jars
from pipeline.runtime.fetch_jars import Jar

PROJECT = Path(__file__).parents[3]
PINS = """
resolve = ["org.example:lake:1.0"]
exclude = ["org.example:noise"]

[[jar]]
file = "org.example_lake-1.0.jar"
coordinate = "org.example:lake:1.0"
sha256 = "{lake}"

[[jar]]
file = "org.example_shore-2.0.jar"
coordinate = "org.example:shore:2.0"
sha256 = "{shore}"
"""
LAKE = Jar("org.example_lake-1.0.jar", "org.example:lake:1.0", hashlib.sha256(b"lake").hexdigest())
SHORE = Jar("org.example_shore-2.0.jar", "org.example:shore:2.0", hashlib.sha256(b"shore").hexdigest())


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def forget_pins() -> None:
    fetch_jars._pins.cache_clear()
    fetch_jars.expected_jars.cache_clear()


@pytest.fixture(autouse=True)
def _of_the_project(monkeypatch):
    """Not the pins of another version, where the suite runs on one."""
    monkeypatch.delenv("METERLAKE_PINS", raising=False)
    forget_pins()
    yield
    forget_pins()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The only folder on PATH, empty; JAVA_HOME is not set."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@pytest.fixture
def java_17(path, monkeypatch):
    script(path / "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.defpath}")


@pytest.fixture
def two_pins(tmp_path, monkeypatch):
    """A project that needs two small JARs."""
    pins = tmp_path / "project" / "jars"
    pins.mkdir(parents=True)
    (pins / "coordinates.toml").write_text(PINS.format(lake=LAKE.sha256, shore=SHORE.sha256))
    monkeypatch.setattr(fetch_jars, "PACKAGED", tmp_path / "no_wheel")
    monkeypatch.setattr(fetch_jars, "IN_PROJECT", pins)
    forget_pins()
    yield pins
    forget_pins()


@pytest.fixture
def resolver(tmp_path, monkeypatch, java_17):
    """Stands where PySpark is; the test says in shell what its spark-submit brings into $ivy/jars."""

    def brings(text: str) -> Path:
        package = tmp_path / "site" / "pyspark"
        asked = tmp_path / "asked"
        find_ivy = 'for a in "$@"; do case "$a" in spark.jars.ivy=*) ivy="${a#*=}";; esac; done'
        script(package / "bin" / "spark-submit", f'echo "$@" > {asked}\n{find_ivy}\nmkdir -p "$ivy/jars"\n{text}')
        (package / "__init__.py").touch()
        monkeypatch.syspath_prepend(package.parent)
        monkeypatch.delitem(sys.modules, "pyspark", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return asked

    return brings


# --- Java --------------------------------------------------------------------------------------------------


def test_without_java_the_line_says_what_to_install(path, capsys):
    assert fetch_jars.main(["--check-java"]) == 1
    said = capsys.readouterr().err
    assert said == (
        "error: no Java found (JAVA_HOME is not set, no java on PATH): Spark needs Java 17 or 21; "
        "install a JRE or JDK 17 and put it on PATH or set JAVA_HOME\n"
    )


def test_a_java_home_without_java_is_named_even_when_path_has_one(path, java_17, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(MissingJavaError, match=re.escape(f"JAVA_HOME={tmp_path / 'gone'} holds no bin/java")):
        fetch_jars.java_version()


def test_a_java_that_only_advertises_is_no_java(path):
    script(path / "java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    with pytest.raises(MissingJavaError, match="shows no version"):
        fetch_jars.java_version()


def test_a_java_that_cannot_run_is_no_java(path):
    (path / "java").write_bytes(b"\x00 not a program")
    (path / "java").chmod(0o755)
    with pytest.raises(MissingJavaError, match="does not run"):
        fetch_jars.java_version()


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "16"])
def test_an_old_java_is_refused_with_its_version_and_path(path, version, capsys):
    script(path / "java", f"""echo 'openjdk version "{version}" 2019-01-15' >&2""")
    assert fetch_jars.main(["--check-java"]) == 1
    assert capsys.readouterr().err == (
        f"error: Java {version} at {path / 'java'} is too old: Spark needs 17 or 21; set JAVA_HOME to one of these\n"
    )


@pytest.mark.parametrize(("said", "version"), [("17.0.15", 17), ("21", 21), ("25-ea", 25)])
def test_a_new_enough_java_is_taken_whatever_it_prints_first(path, said, version):
    script(path / "java", f"""echo 'Picked up JAVA_TOOL_OPTIONS: -Dx' >&2; echo 'java version "{said}"' >&2""")
    assert fetch_jars.java_version() == version


def test_java_home_goes_before_path(path, java_17, monkeypatch, tmp_path):
    script(tmp_path / "jdk" / "bin" / "java", """echo 'openjdk version "21.0.1"' >&2""")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert fetch_jars.java_version() == 21


def test_java_is_looked_for_before_anything_is_fetched(path, two_pins, tmp_path):
    with pytest.raises(MissingJavaError):
        fetch_jars.fetch(tmp_path / "jars")
    assert not (tmp_path / "jars").exists()


# --- Fetching ----------------------------------------------------------------------------------------------


def test_nothing_is_resolved_when_every_jar_is_there(resolver, two_pins, tmp_path, capsys):
    asked = resolver("exit 1")
    (tmp_path / LAKE.file).write_bytes(b"lake")
    (tmp_path / SHORE.file).write_bytes(b"shore")
    assert fetch_jars.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"0 of 2 JARs fetched, all are in {tmp_path}\n"
    assert not asked.exists()


def written(path):
    """Which file it is, and when it was written last; that it was read to be checked is another time."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def test_only_the_missing_jar_is_put_in_place(resolver, two_pins, tmp_path):
    asked = resolver(f'printf lake > "$ivy/jars/{LAKE.file}"; printf shore > "$ivy/jars/{SHORE.file}"')
    folder = tmp_path / "new" / "jars"
    folder.mkdir(parents=True)
    (folder / LAKE.file).write_bytes(b"lake")
    before = written(folder / LAKE.file)
    assert fetch_jars.fetch(folder) == [SHORE]
    assert (folder / SHORE.file).read_bytes() == b"shore"
    assert written(folder / LAKE.file) == before
    assert sorted(path.name for path in folder.iterdir()) == [LAKE.file, SHORE.file]
    assert "spark.jars.packages=org.example:lake:1.0" in asked.read_text()
    assert "spark.jars.excludes=org.example:noise" in asked.read_text()


def test_without_a_network_one_line_names_files_folder_and_coordinates(resolver, two_pins, tmp_path, capsys):
    resolver("echo 'Server access error at https://host.invalid/' >&2; exit 1")
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / LAKE.file).write_bytes(b"lake")
    assert fetch_jars.main([str(folder)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    line, log = re.fullmatch(r"(.*) \(the resolver's log: (.*)\)\n", said.err).groups()
    assert line == f"error: {JarDownloadError([SHORE.file], str(folder), [SHORE.coordinate])}"
    assert all(word in line for word in (SHORE.file, SHORE.coordinate, str(folder), "no network?"))
    assert LAKE.file not in line
    assert "://" not in line
    assert "Server access error" in Path(log).read_text()


def test_a_fetched_jar_with_other_bytes_is_not_kept(resolver, two_pins, tmp_path):
    resolver(f'printf lake > "$ivy/jars/{LAKE.file}"; printf sand > "$ivy/jars/{SHORE.file}"')
    with pytest.raises(JarChecksumError) as error:
        fetch_jars.fetch(tmp_path / "jars")
    got = hashlib.sha256(b"sand").hexdigest()
    assert str(error.value).startswith(f"{SHORE.file} has SHA-256 {got}, expected {SHORE.sha256}")
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [LAKE.file]


def test_a_jar_already_there_with_other_bytes_is_removed_and_named(resolver, two_pins, tmp_path, capsys):
    resolver("exit 1")
    (tmp_path / LAKE.file).write_bytes(b"lake")
    (tmp_path / SHORE.file).write_bytes(b"sho")
    assert fetch_jars.main([str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"error: {SHORE.file} has SHA-256 ")
    assert f"expected {SHORE.sha256}" in said
    assert not (tmp_path / SHORE.file).exists()
    assert (tmp_path / LAKE.file).exists()


def test_a_folder_that_cannot_be_made_is_one_line(resolver, two_pins, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert fetch_jars.main([str(tmp_path / "file" / "jars")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_missing_jars_looks_at_names_only(two_pins, tmp_path):
    (tmp_path / SHORE.file).write_bytes(b"anything")
    assert fetch_jars.missing_jars(tmp_path) == [LAKE]


# --- Where the JARs are ------------------------------------------------------------------------------------


def test_the_variable_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("METERLAKE_JARS", str(tmp_path))
    assert fetch_jars.jar_folder() == tmp_path


@pytest.mark.parametrize("content", ["coordinates.toml", LAKE.file])
def test_the_working_directory_comes_before_the_project(two_pins, monkeypatch, tmp_path, content):
    monkeypatch.delenv("METERLAKE_JARS", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("jars").mkdir()
    Path("jars", "another.jar").touch()
    assert fetch_jars.jar_folder() == two_pins
    Path("jars", content).touch()
    assert fetch_jars.jar_folder() == Path("jars")


def test_an_installed_wheel_keeps_its_jars_in_the_users_cache(two_pins, monkeypatch, tmp_path):
    monkeypatch.setattr(fetch_jars, "PACKAGED", two_pins)
    monkeypatch.setattr(fetch_jars, "IN_PROJECT", tmp_path / "site-packages" / "jars")
    monkeypatch.delenv("METERLAKE_JARS", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert fetch_jars.jar_folder() == tmp_path / ".cache" / "meterlake" / "jars"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert fetch_jars.jar_folder() == tmp_path / "cache" / "meterlake" / "jars"


# --- The files of the project ------------------------------------------------------------------------------


def test_every_pin_is_whole_and_every_wanted_coordinate_is_pinned():
    pins = tomllib.loads((PROJECT / "jars" / "coordinates.toml").read_text())
    jars = [Jar(**entry) for entry in pins["jar"]]
    assert len(jars) == 7
    for jar in jars:
        group, artifact, version = jar.coordinate.split(":")
        assert jar.file == f"{group}_{artifact}-{version}.jar"
        assert re.fullmatch("[0-9a-f]{64}", jar.sha256)
    assert set(pins["resolve"]) <= {jar.coordinate for jar in jars}


def test_the_resolver_settings_name_no_host():
    settings = (PROJECT / "jars" / "ivysettings.xml").read_text()
    assert "ibiblio" in settings
    assert "://" not in settings


def test_the_wheel_carries_the_pins_where_they_are_looked_for():
    setuptools = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    package = f"pipeline.{fetch_jars.PACKAGED.name}"
    assert package in setuptools["packages"]
    folder = PROJECT / setuptools["package-dir"][package]
    assert set(setuptools["package-data"][package]) == {"coordinates.toml", "ivysettings.xml"}
    assert all((folder / name).is_file() for name in setuptools["package-data"][package])


def test_the_packages_of_the_wheel_are_pinned_alike_for_a_checkout():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    # Not installed by `make setup`: an experiment.
    of_sail = {*extras.pop("sail")}
    pinned = set((PROJECT / "requirements.txt").read_text().splitlines())
    assert {*project["dependencies"], *(pin for extra in extras.values() for pin in extra)} <= pinned
    files = ("sail-requirements.txt", "connect-requirements.txt")
    texts = [(PROJECT / "tests" / "versions" / name).read_text() for name in files]
    assert of_sail == {line for text in texts for line in text.splitlines() if not line.startswith("#")}


def test_other_versions_are_pinned_by_a_file_of_their_own(tmp_path, monkeypatch):
    other = tmp_path / "coordinates.toml"
    other.write_text(PINS.format(lake=LAKE.sha256, shore=SHORE.sha256))
    monkeypatch.setenv("METERLAKE_PINS", str(other))
    forget_pins()
    assert fetch_jars.expected_jars() == (LAKE, SHORE)


@pytest.mark.parametrize("spark", ["4.0", "4.1"])
def test_the_versions_that_are_tried_are_pinned_like_the_projects_own(spark):
    folder = PROJECT / "tests" / "versions" / f"spark-{spark}"
    pins = tomllib.loads((folder / "coordinates.toml").read_text())
    named = {jar["coordinate"] for jar in pins["jar"]}
    assert set(pins["resolve"]) <= named
    packages = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split() if "==" in line)
    assert packages["pyspark"].startswith(spark)
    assert f":{packages['delta-spark']}" in next(name for name in named if name.startswith("io.delta:delta-spark_"))
