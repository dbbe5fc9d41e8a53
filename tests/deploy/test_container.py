"""The image: by its linter; and what the Dockerfile runs, run without an engine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import demo_in
from tests.deploy.tools import DEPLOY, ROOT, accepted, done, environment, tool

pytestmark = pytest.mark.deploy
FOLDER = DEPLOY / "container"
LONDON = ZoneInfo("Europe/London")
READ = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
# What cannot run outside an engine: it would install into this machine, or make its user.
OF_ROOT = ("apt-get", "groupadd")


def instructions():
    """(name, rest) of each instruction, its continued lines joined."""
    text = re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line.strip()]


def test_hadolint_has_nothing_to_say_and_would_have():
    assert accepted(tool("hadolint"), FOLDER / "Dockerfile") == ""
    wrong = (FOLDER / "Dockerfile").read_text().replace("USER 10001:10001", "USER root")
    assert "DL3002" in done(tool("hadolint"), "-", input=wrong).stdout


def seen(path):
    """Whether the build may see a path, by the rules of Dockerfile.dockerignore: the last one that fits decides."""
    rules = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    visible = True
    for rule in (rule for rule in rules if rule and not rule.startswith("#")):
        kept, pattern = rule.startswith("!"), rule.lstrip("!")
        parts = path.split("/")
        inside = any(fnmatch.fnmatch("/".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))
        if inside or (pattern.startswith("**/") and pattern[3:] in parts):
            visible = kept
    return visible


def test_the_build_sees_what_it_copies_and_nothing_of_a_working_copy():
    copied = [rest.split() for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    sources = [part for words in copied for part in words[:-1] if not part.startswith("--")]
    assert len(sources) >= 10
    for source in sources:
        assert (ROOT / source).exists(), source
        assert seen(source), source
    for other in (".git/config", ".venv/bin/python", "data_lake/gold", "jars/io.delta.jar", "tests/conftest.py"):
        assert not seen(other), other
    assert seen("pipeline/config/settings.py")
    assert not seen("pipeline/__pycache__/config.pyc")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder that the build stage makes, by its own COPY and RUN lines, with other places for its absolute ones."""
    root = tmp_path_factory.mktemp("image")

    def here(text):
        return re.sub(r"(?<![\w.])/(src|opt/meterlake)\b", rf"{root}/\1", text)

    lines = instructions()
    start = lines.index(("FROM", "base AS build"))
    stage = lines[start + 1 : next(n for n, line in enumerate(lines) if n > start and line[0] == "FROM")]
    (root / "opt").mkdir()
    folder, ran = root, []
    variables = {n: v for n, v in environment().items() if n != "METERLAKE_JARS"}
    variables["METERLAKE_JARS"] = here(re.search(r"METERLAKE_JARS=(\S+)", (FOLDER / "Dockerfile").read_text())[1])
    for name, rest in stage:
        if name == "WORKDIR":
            folder = root / here(rest)
            folder.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                to = folder / target / (Path(source).name if target.endswith("/") else "")
                to.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, to)
        else:
            assert name == "RUN"
            # With the cache of packages that this machine has, 450 MB less to fetch; what is run compiles itself.
            command = (
                here(rest)
                .replace("--no-cache-dir ", "--no-compile ")
                .replace("python3 -m venv", f"{sys.executable} -m venv")
            )
            accepted("/bin/sh", "-e", "-c", command, cwd=folder, env=variables, timeout=900)
            ran.append(rest)
    assert len(ran) == 3
    return root / "opt/meterlake"


def test_what_the_image_holds_runs_its_entrypoint_and_command(built, demo, tmp_path):
    said = dict(instructions())
    command = [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
    (archive,) = (built / "jars").glob("classes-*.jsa")
    written = archive.stat().st_mtime_ns
    config = demo_in(tmp_path, demo)
    delivery = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-05-04 00:00:00", "m1", "0.125"]]}'
    (tmp_path / "data_lake/landing/electricity/later.json").write_text(delivery)
    variables = {n: v for n, v in environment().items() if n != "METERLAKE_JARS"}
    variables |= {"METERLAKE_JARS": str(built / "jars"), "METERLAKE_CONFIG": str(config)}
    variables["PATH"] = f"{built / 'bin'}:{os.environ['PATH']}"
    # As USER: /opt/meterlake is not its own to write in.
    answer = accepted(built / "bin" / command[0], *command[1:], env=variables, cwd=tmp_path)
    assert json.loads(answer)["files"] == 1
    assert [path.name for path in (built / "jars").glob("classes-*")] == [archive.name]
    assert archive.stat().st_mtime_ns == written
    assert not {"pytest", "ruff", "mypy"} & {path.name for path in (built / "lib").glob("python*/site-packages/*")}


def test_the_image_is_not_roots_and_only_lines_of_root_were_not_run():
    final = instructions()
    last = max(n for n, line in enumerate(final) if line[0] == "FROM")
    user = [rest for name, rest in final[last:] if name == "USER"]
    assert user == ["10001:10001"]
    outside = [rest for n, (name, rest) in enumerate(final) if name == "RUN" and rest.startswith(OF_ROOT)]
    assert len(outside) == 2
    assert len([name for name, _ in final if name == "RUN"]) == 3 + len(outside)
