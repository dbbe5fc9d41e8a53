"""The bill of materials of a release, and docs/dependencies.md.

    .venv-deploy/bin/python .ci/bill.py                                writes docs/dependencies.md, after a pin changed
    .venv-deploy/bin/python .ci/bill.py ENVIRONMENT/bin/python DIST    writes the bill of what is installed there

`make release-check` writes dist/sbom.json (CycloneDX 1.6, made by cyclonedx-py of the installed wheel, JARs added here,
validated against CycloneDX's strict schema) and dist/licences.json (pip-licenses). A test checks that
docs/dependencies.md has every pin (tests/unit/documents/test_dependencies_document.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import parents
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "dependencies.md"
PYTHON = ROOT / ".venv" / "bin" / "python"
JARS = tomllib.loads((ROOT / "jars" / "coordinates.toml").read_text(encoding="utf-8"))["jar"]
APACHE = re.compile(r"apache.*2\.0", re.IGNORECASE)  # "The Apache Software License, Version 2.0" and others
HEAD = """# What Meterlake is made of

Written by `.venv-deploy/bin/python .ci/bill.py` from `requirements.txt`, `jars/coordinates.toml`, the installed
packages (licences as each declares them, read by pip-licenses) and the POMs of the JARs. A test compares the pins;
`make release-check` compares the whole. Why the direct ones were chosen: [design](design.md).

PySpark carries {bundled} JARs of its own, which `dist/sbom.json` lists; their licences are in its folder
`pyspark/licenses`.
"""


def write(python: Path, dist: Path) -> None:
    """dist/sbom.json and dist/licences.json of what is installed beside this Python."""
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        str(python),
        "--pyproject",
        str(ROOT / "pyproject.toml"),
    ]
    made = subprocess.run([*command, "--sv", "1.6", "--of", "JSON"], check=True, capture_output=True, text=True)
    bom = json.loads(made.stdout)
    _leave_out_installers(bom)
    root = bom["metadata"]["component"]["bom-ref"]
    jars = [
        _component(*jar["coordinate"].split(":"), jar["sha256"], _jar_licences()[jar["coordinate"]]) for jar in JARS
    ]
    engine = next(part["bom-ref"] for part in bom["components"] if part["name"] == "pyspark")
    bundled = _bundled(python)
    bom["components"] += jars + bundled
    needs = {entry["ref"]: entry for entry in bom["dependencies"]}
    for ref, parts in ((root, jars), (engine, bundled)):
        needs[ref]["dependsOn"] = sorted({*needs[ref].get("dependsOn", []), *(part["bom-ref"] for part in parts)})
    bom["dependencies"] += [{"ref": part["bom-ref"]} for part in jars + bundled]
    text = json.dumps(bom, indent=1) + "\n"
    if flaw := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"error: CycloneDX does not accept the bill of materials: {flaw}")
    (dist / "sbom.json").write_text(text)
    (dist / "licences.json").write_text(json.dumps(_licences(python), indent=1) + "\n")
    packages = len(bom["components"]) - len(jars) - len(bundled)
    print(f"sbom.json: {packages} packages, {len(jars)} JARs, {len(bundled)} JARs of PySpark; CycloneDX accepts it")


def _leave_out_installers(bom: dict) -> None:
    """Every new environment has them; only extras that were not requested depend on them here."""
    tools = {part["bom-ref"] for part in bom["components"] if part["name"] in {"pip", "setuptools"}}
    bom["components"] = [part for part in bom["components"] if part["bom-ref"] not in tools]
    bom["dependencies"] = [entry for entry in bom["dependencies"] if entry["ref"] not in tools]
    for entry in bom["dependencies"]:
        if "dependsOn" in entry:
            entry["dependsOn"] = [ref for ref in entry["dependsOn"] if ref not in tools]


def _component(group: str, name: str, version: str, sha256: str, licence: str = "") -> dict:
    purl = f"pkg:maven/{group}/{name}@{version}" if group else f"pkg:generic/{name}@{version}"
    part = {"type": "library", "bom-ref": f"{purl}#{sha256[:12]}", "name": name, "version": version, "purl": purl}
    told = {"licenses": [{"license": {"id": licence} if licence == "Apache-2.0" else {"name": licence}}]}
    hashes = [{"alg": "SHA-256", "content": sha256}]
    return part | {"hashes": hashes} | ({"group": group} if group else {}) | (told if licence else {})


def _spark_jars(python: Path) -> list[Path]:
    (folder,) = python.parents[1].glob("lib/python3*/site-packages/pyspark/jars")
    return sorted(folder.glob("*.jar"))


def _bundled(python: Path) -> list[dict]:
    """The JARs inside PySpark, by the coordinates in each, else by its file name."""
    parts = []
    for path in _spark_jars(python):
        name, version = re.fullmatch(r"(.+?)-(\d.*)", path.stem).groups() if "-" in path.stem else (path.stem, "0")
        group = ""
        with zipfile.ZipFile(path) as jar:
            for inside in jar.namelist():
                if inside.startswith("META-INF/maven/") and inside.endswith("/pom.properties"):
                    told = dict(re.findall(r"^(\w+)=(.*?)\s*$", jar.read(inside).decode(), re.MULTILINE))
                    if f"{told.get('artifactId')}-{told.get('version')}" == path.stem:  # others were shaded into it
                        group, name, version = told["groupId"], told["artifactId"], told["version"]
        parts.append(_component(group, name, version, hashlib.sha256(path.read_bytes()).hexdigest()))
    return parts


def _licences(python: Path) -> list[dict]:
    command = [sys.executable, "-m", "piplicenses", "--python", str(python), "--format", "json", "--with-urls"]
    command += ["--with-system", "--ignore-packages", "pip", "setuptools"]  # some of "the system" are ours
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [entry | {"License": " ".join(entry["License"].splitlines()[0].split())} for entry in listed]


def _jar_licences() -> dict[str, str]:
    """By coordinate: from docs/dependencies.md, else from the POMs, which Spark's resolver reads."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    known = {f"{name}:{version}": licence for name, version, licence in parents.rows(text) if ":" in name}
    if {jar["coordinate"] for jar in JARS} <= set(known):
        return known
    program = (
        "import sys, pathlib; from pipeline.runtime import fetch_jars; fetch_jars._resolve(pathlib.Path(sys.argv[1]))"
    )
    with tempfile.TemporaryDirectory(prefix="meterlake-poms-") as scratch:
        subprocess.run([str(PYTHON), "-c", program, scratch], cwd=ROOT, check=True)
        return {jar["coordinate"]: _of_pom(Path(scratch) / "cache", *jar["coordinate"].split(":")) for jar in JARS}


def _of_pom(cache: Path, group: str, name: str, version: str) -> str:
    told = re.search(r'<license name="([^"]+)"', (cache / group / name / f"ivy-{version}.xml").read_text())
    if not told:
        sys.exit(f"error: the POM of {group}:{name}:{version} names no licence")
    return "Apache-2.0" if APACHE.search(told[1]) else told[1]


def document() -> str:
    """The text of docs/dependencies.md."""
    licences = {parents.plain(entry["Name"]): entry["License"] for entry in _licences(PYTHON)}
    lines = [HEAD.format(bundled=len(_spark_jars(PYTHON)))]
    whys = parents.whys(ROOT, PYTHON)
    for title, pins in parents.sections(ROOT).items():
        lines += [f"## {title}", "", "| package | version | licence | why |", "|---|---|---|---|"]
        lines += [f"| {name} | {version} | {licences[parents.plain(name)]} | {whys[name]} |" for name, version in pins]
        lines.append("")
    lines += ["## JARs", "", "| JAR | version | licence | SHA-256 | why |", "|---|---|---|---|---|"]
    told = _jar_licences()
    for jar in JARS:
        name, _, version = jar["coordinate"].rpartition(":")
        licence, why = told[jar["coordinate"]], parents.JARS[name.split(":")[1]]
        lines.append(f"| {name} | {version} | {licence} | `{jar['sha256']}` | {why} |")
    return "\n".join(lines) + "\n"


def check_document() -> None:
    """Ends the program if docs/dependencies.md is out of date."""
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != document():
        sys.exit("error: docs/dependencies.md is out of date: run .venv-deploy/bin/python .ci/bill.py and commit it")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        DOCUMENT.write_text(document(), encoding="utf-8")
