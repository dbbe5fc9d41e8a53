"""Checks a release: builds it, installs it into empty environments, runs it there, and lists its parts.

    make release-check                     all of it; leaves dist/
    .venv-deploy/bin/python .ci/release.py prepare FOLDER    only: build, and install into FOLDER/wheel and FOLDER/sdist

Checked by: build, twine check --strict, pip check, the installed program itself (tests/deploy/test_release_files.py),
CycloneDX's strict schema (bill.py), pip-audit (audit.py). It publishes nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

import audit
import bill

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
EXTRAS = "[serve,report]"
# These must not be in a wheel: tests, data of a lake, JARs (fetched and checked where it runs).
NOT_IN_A_WHEEL = ("tests/", "benchmarks/", "data_lake/", "docs/", ".ci/")


def call(*command: str | Path, **options: object) -> None:
    """Run a command; end with its exit code if it fails."""
    done = subprocess.run([str(part) for part in command], check=False, **options)
    if done.returncode:
        sys.exit(f"error: {' '.join(Path(str(part)).name for part in command[:4])} … ended with {done.returncode}")


def committed() -> list[str]:
    """The files of this version: tracked by Git, or new and not ignored."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(name for name in names if name and (ROOT / name).is_file() and not name.startswith(".venv"))


def build(into: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution, built from a copy: an old build/ or egg-info must not leak in."""
    with tempfile.TemporaryDirectory(prefix="meterlake-source-") as scratch:
        for name in committed():
            (Path(scratch) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, Path(scratch) / name)
        # The wheel is built from the source distribution, which proves that it is complete.
        call(sys.executable, "-m", "build", "--quiet", "--outdir", into, scratch, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    call(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    return wheel, sdist


def check_contents(wheel: Path, sdist: Path) -> None:
    """The wheel has only what is needed to run; the source distribution has everything that is committed."""
    names = zipfile.ZipFile(wheel).namelist()
    if wrong := [name for name in names if name.startswith(NOT_IN_A_WHEEL) or name.endswith(".jar")]:
        sys.exit(f"error: not meant for the wheel: {wrong}")
    with tarfile.open(sdist) as archive:
        inside = {member.name.partition("/")[2] for member in archive if member.isfile()}
    if lost := set(committed()) - inside:
        sys.exit(f"error: not in the source distribution, see MANIFEST.in: {sorted(lost)}")
    made = {"PKG-INFO", "setup.cfg"}
    if more := {name for name in inside - set(committed()) - made if ".egg-info/" not in name}:
        sys.exit(f"error: in the source distribution, but not in Git: {sorted(more)}")


def install(distribution: Path, environment: Path) -> None:
    """Install into an empty environment outside the repository, with the pins of `make setup`."""
    call(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    pins = ("--constraint", ROOT / "requirements.txt")
    # From a separate folder: in the repository `main` and `pipeline` would be found without being installed.
    call(python, "-m", "pip", "install", "-qq", "--no-compile", *pins, f"{distribution}{EXTRAS}", cwd=environment)
    call(python, "-m", "pip", "check", cwd=environment, stdout=subprocess.DEVNULL)


def prepare(outside: Path) -> tuple[Path, Path]:
    """Build into outside/dist; install the wheel into outside/wheel, the source distribution into outside/sdist."""
    (outside / "dist").mkdir(parents=True)
    wheel, sdist = build(outside / "dist")
    check_contents(wheel, sdist)
    print("wheel and source distribution: built, their metadata and contents are sound", flush=True)
    install(wheel, outside / "wheel")
    install(sdist, outside / "sdist")
    print("both installed into empty environments, with extras", EXTRAS, flush=True)
    return wheel, sdist


def check_tag(version: str) -> None:
    """The released commit must be tagged with its version, and everything must be committed."""
    tags = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    numbers = [tag for tag in tags.stdout.split() if tag.startswith("v")]
    if numbers and numbers != [f"v{version}"]:
        sys.exit(f"error: this commit is tagged {', '.join(numbers)}, and pyproject.toml says {version}")
    if not numbers:
        print(f"warning: this commit is not tagged v{version}", file=sys.stderr)
    state = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    if state.stdout:
        print("warning: there are changes that are not committed: this is not what a tag would hold", file=sys.stderr)


def check() -> None:
    """Everything, in the order in which it is most likely to fail."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    check_tag(version)
    with tempfile.TemporaryDirectory(prefix="meterlake-release-") as scratch:
        outside = Path(scratch)
        built = prepare(outside)
        tests = [
            ROOT / ".venv" / "bin" / "python",
            "-m",
            "pytest",
            "-q",
            "-m",
            "deploy",
            "tests/deploy/test_release_files.py",
        ]
        call(*tests, cwd=ROOT, env=os.environ | {"RELEASE_FOLDER": str(outside)})
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for distribution in built:
            shutil.copy2(distribution, DIST)
        bill.write(outside / "wheel" / "bin" / "python", DIST)
        audited = audit.run(outside / "wheel" / "bin" / "python")
    bill.check_document()
    print(f"dist/ holds meterlake {version}: wheel, source distribution, sbom.json, licences.json")
    print(audited)


if __name__ == "__main__":
    if sys.argv[1:2] == ["prepare"]:
        prepare(Path(sys.argv[2]).resolve())
    else:
        check()
