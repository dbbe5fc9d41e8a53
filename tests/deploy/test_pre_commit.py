"""The hooks, by pre-commit itself, in a clone: they pass on what is committed and stop a commit that lint refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.deploy
ROOT = Path(__file__).parents[2]
PRE_COMMIT = str(ROOT / ".venv-deploy" / "bin" / "pre-commit")


def call(folder, *command):
    foreign = ("GIT_", "PRE_COMMIT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    jars = str((ROOT / os.environ.get("METERLAKE_JARS", "jars")).resolve())
    variables = kept | {"METERLAKE_JARS": jars, "PRE_COMMIT_HOME": str(folder / ".git" / "hooks-home")}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with this working tree's files, committed, and the hooks installed; it borrows this set-up."""
    folder = tmp_path_factory.mktemp("hooks") / "clone"
    assert call(ROOT, "git", "clone", "--quiet", "--shared", str(ROOT), str(folder)).returncode == 0
    listed = call(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)  # with its time: set-up has been done for these
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    (folder / ".git" / "info" / "exclude").write_text(".venv\n.venv-deploy\n")
    for key, value in {"user.name": "A Developer", "user.email": "developer@example.org"}.items():
        call(folder, "git", "config", key, value)
    call(folder, "git", "add", "--all")
    call(folder, "git", "commit", "--quiet", "--allow-empty", "--message", "as it is", "--no-verify")
    installed = call(folder, PRE_COMMIT, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    assert installed.returncode == 0, installed.stderr
    return folder


def test_the_configuration_is_sound(clone):
    done = call(clone, PRE_COMMIT, "validate-config", ".pre-commit-config.yaml")
    assert done.returncode == 0, done.stderr


def test_every_hook_passes_on_all_files(clone):
    for stage in ("pre-commit", "pre-push"):
        done = call(clone, PRE_COMMIT, "run", "--all-files", "--hook-stage", stage)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Passed" in done.stdout
        assert "Failed" not in done.stdout


def test_a_commit_that_lint_refuses_is_stopped(clone):
    (clone / "pipeline" / "careless.py").write_text("import os\n")
    call(clone, "git", "add", "pipeline/careless.py")
    done = call(clone, "git", "commit", "--message", "careless")
    assert done.returncode != 0
    assert "F401" in done.stdout + done.stderr
    call(clone, "git", "rm", "--quiet", "--force", "pipeline/careless.py")
    assert call(clone, "git", "log", "-1", "--format=%s").stdout == "as it is\n"
