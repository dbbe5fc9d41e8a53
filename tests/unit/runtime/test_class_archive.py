"""The class archive: which file, when it is used, when it is recorded, and what a killed run leaves."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipeline.runtime import class_archive


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(class_archive.OFF, raising=False)
    monkeypatch.setattr(class_archive, "_recording", [])
    jars = [tmp_path / "a.jar"]
    jars[0].write_bytes(b"classes")
    monkeypatch.setattr(class_archive, "jars_on_the_class_path", lambda _: jars)
    return tmp_path


def test_another_java_or_another_jar_has_another_archive(folder: Path) -> None:
    jar = folder / "a.jar"
    first = class_archive.archive_of(folder, "17.0.15", [jar])
    assert class_archive.archive_of(folder, "17.0.15", [jar]) == first
    assert class_archive.archive_of(folder, "21.0.1", [jar]) != first
    moved = folder / "elsewhere" / jar.name
    moved.parent.mkdir()
    moved.write_bytes(jar.read_bytes())
    assert class_archive.archive_of(folder, "17.0.15", [moved]) != first
    jar.write_bytes(b"other classes")
    assert class_archive.archive_of(folder, "17.0.15", [jar]) != first


def test_only_a_run_that_loads_something_records(folder: Path) -> None:
    assert class_archive.java_options(folder, "17", record=False) == ""
    assert "-XX:ArchiveClassesAtExit=" in class_archive.java_options(folder, "17", record=True)


def test_what_was_recorded_is_used(folder: Path) -> None:
    archive = class_archive.archive_of(folder, "17", [folder / "a.jar"])
    archive.write_bytes(b"archive")
    for record in (True, False):
        assert f"-XX:SharedArchiveFile={archive}" in class_archive.java_options(folder, "17", record=record)


def test_it_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(class_archive.OFF, "1")
    assert class_archive.java_options(folder, "17", record=True) == ""


def test_a_folder_with_a_blank_in_its_name_goes_without(folder: Path) -> None:
    spaced = folder / "my jars"
    spaced.mkdir()
    assert class_archive.java_options(spaced, "17", record=True) == ""


def jvm(options: str, *, writes: bool) -> subprocess.Popen[bytes]:
    """A process that ends when its input does and writes then, as PySpark's JVM does."""
    file = options.rpartition("=")[2]
    script = f"cat >/dev/null; {f'printf archive > {file}' if writes else 'exit 1'}"
    return subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)


def test_the_end_of_the_jvm_leaves_one_whole_archive(folder: Path) -> None:
    (folder / "classes-of-another-java.jsa").write_bytes(b"old")
    (folder / "classes-0123456789ab.4711").write_bytes(b"what a killed run left")
    stopped: list[bool] = []
    options = class_archive.java_options(folder, "17", record=True)
    class_archive.started(jvm(options, writes=True), lambda: stopped.append(True))
    assert class_archive.is_recording()
    class_archive.finish()
    assert stopped == [True]
    assert not class_archive.is_recording()
    assert [each.read_bytes() for each in folder.glob("classes-*")] == [b"archive"]


def test_a_jvm_that_died_while_it_wrote_leaves_nothing(folder: Path) -> None:
    options = class_archive.java_options(folder, "17", record=True)
    file = options.rpartition("=")[2]
    dying = subprocess.Popen(["/bin/sh", "-c", f"cat >/dev/null; printf half > {file}; exit 1"], stdin=subprocess.PIPE)
    class_archive.started(dying, lambda: None)
    class_archive.finish()
    assert list(folder.glob("classes-*")) == []


def test_a_jvm_that_wrote_nothing_leaves_nothing(folder: Path) -> None:
    options = class_archive.java_options(folder, "17", record=True)
    class_archive.started(jvm(options, writes=False), lambda: None)
    class_archive.finish()
    assert list(folder.glob("classes-*")) == []


def test_an_archive_that_was_left_to_its_jvm_is_used_once_it_says_that_it_is_whole(folder: Path) -> None:
    options = class_archive.java_options(folder, "17", record=True)
    unfinished = Path(options.rpartition("=")[2])
    note = Path(next(each for each in options.split() if each.startswith(class_archive.NOTE)).rpartition("=")[2])
    process = jvm(options, writes=True)
    class_archive.started(process, lambda: None)
    class_archive.leave()
    assert not class_archive.is_recording()
    assert process.poll() is None
    class_archive.finish()
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()  # as the end of this process would
    process.wait()
    note.write_text("[9.1s][info][cds,dynamic] Archiving hidden java.util.Pattern\n")
    assert "ArchiveClassesAtExit" in class_archive.java_options(folder, "17", record=True)
    assert unfinished.exists()
    note.write_text(
        note.read_text() + "[9.9s][info][cds,dynamic] Written dynamic archive 0x1 - 0x2 [984 bytes header]\n"
    )
    assert "SharedArchiveFile" in class_archive.java_options(folder, "17", record=True)
    assert [each.read_bytes() for each in folder.glob("classes-*")] == [b"archive"]


def test_java_itself_writes_the_words_that_say_so(tmp_path: Path) -> None:
    java, javac = shutil.which("java"), shutil.which("javac")
    if java is None or javac is None:
        pytest.skip("no Java with its compiler on the path")
    unfinished, note = tmp_path / "classes-0.1", tmp_path / "classes-0.1.log"
    source, jar = tmp_path / "Nothing.java", tmp_path / "nothing.jar"
    source.write_text("public class Nothing { public static void main(String[] a) {} }")
    subprocess.run([javac, str(source)], check=True)
    with zipfile.ZipFile(jar, "w") as made:
        made.write(source.with_suffix(".class"), "Nothing.class")
    options = [class_archive.QUIET, f"{class_archive.NOTE}{note}", f"-XX:ArchiveClassesAtExit={unfinished}"]
    said = subprocess.run([java, *options, "-cp", str(jar), "Nothing"], check=True, capture_output=True)
    assert (said.stdout, said.stderr) == (b"", b"")
    assert class_archive.COMPLETE in note.read_text()
    class_archive._take_over(tmp_path / "classes-0.jsa")
    assert [each.name for each in tmp_path.glob("classes-*")] == ["classes-0.jsa"]


@pytest.mark.parametrize("flag", ["-javaagent:a.jar", "-Xmx1g -agentlib:jdwp=x", "-agentpath:/a.so"])
def test_an_agent_is_seen_wherever_the_jvm_would_see_it(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in class_archive.JAVA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert not class_archive.has_agent("-Xmx1g", "")
    assert class_archive.has_agent("", flag)
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", flag)
    assert class_archive.has_agent()
