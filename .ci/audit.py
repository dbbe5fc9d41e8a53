"""Known vulnerabilities of an environment's packages, by pip-audit: `python .ci/audit.py ENVIRONMENT/bin/python`.

pip-audit reports success if its database does not know a package, and a mirror without a database knows none. So a
release with known vulnerabilities is checked first: if it is not found, nothing was audited, and this says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

KNOWN_TO_BE_VULNERABLE = "Jinja2==2.11.2"  # CVE-2020-28493 and others
SERVICES = ("pypi", "osv")


def run(python: Path) -> str:
    """The text to print; ends the program if an installed package has a known vulnerability."""
    command = [str(python), "-m", "pip", "freeze", "--exclude", "meterlake", "--exclude", "pip"]
    freeze = subprocess.run([*command, "--exclude", "setuptools"], check=True, capture_output=True, text=True).stdout
    pins = [line for line in freeze.splitlines() if "==" in line]
    for service in SERVICES:
        canary = _ask(service, [KNOWN_TO_BE_VULNERABLE])
        if canary and canary[0].get("vulns"):
            return _judged(service, _ask(service, pins), len(pins))
    return f"warning: NOT AUDITED: no database of vulnerabilities is reachable from here ({', '.join(SERVICES)})"


def _judged(service: str, answers: list[dict] | None, asked: int) -> str:
    if answers is None:
        return f"warning: NOT AUDITED: the database {service} stopped answering"
    found = [(entry["name"], flaw["id"]) for entry in answers for flaw in entry.get("vulns", [])]
    if found:
        sys.exit("error: known vulnerabilities: " + ", ".join(f"{name} {flaw}" for name, flaw in found))
    audited = [entry for entry in answers if "skip_reason" not in entry]
    if len(audited) < asked:
        unknown = sorted(entry["name"] for entry in answers if "skip_reason" in entry)
        return f"warning: PARTLY AUDITED: {len(audited)} of {asked} packages; {service} does not know {unknown}"
    return f"pip-audit ({service}): {asked} packages, no known vulnerability"


def _ask(service: str, pins: list[str]) -> list[dict] | None:
    with tempfile.TemporaryDirectory(prefix="meterlake-audit-") as folder:
        listed = Path(folder) / "pins.txt"
        listed.write_text("\n".join(pins) + "\n")
        options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "20"]
        command = [sys.executable, "-m", "pip_audit", "-s", service, *options, "--requirement", str(listed)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):  # no connection: a traceback and no document
        return None


if __name__ == "__main__":
    print(run(Path(sys.argv[1])))
