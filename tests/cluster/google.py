"""Google's object store on loopback: fake-gcs-server, and before it what that server lacks (google_xml.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from tests.cluster.servers import HERE, ROOT, environment, free_port, start, stop, until
from tests.cluster.test_two_writers import CLASS_PATH, Lake

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = ROOT / ".venv-deploy" / "bin" / "fake-gcs-server"
PINS = ROOT / "tests" / "cluster" / "gcs_connector" / "coordinates.toml"
# Hadoop's defaults name classes of another connector; the second is asked for when Spark writes a version's checksum.
CLASSES = {
    "spark.hadoop.fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
}
# A service account without a key: delta-rs takes the store's address from the same file.
NO_KEY = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
VARIABLE = "GOOGLE_SERVICE_ACCOUNT"


def connector() -> Path:
    """Google's connector for Hadoop, fetched once by the project's own command."""
    folder = ROOT / ".venv" / "gcs-connector"
    command = [sys.executable, "-m", "pipeline.fetch_jars", str(folder)]
    variables = environment(METERLAKE_PINS=str(PINS))
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=900, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (jar,) = folder.glob("*.jar")
    return jar


@dataclass
class Google:
    """The store. Spark's connector asks the server itself, delta-rs the program before it."""

    folder: Path
    port: int = field(default_factory=free_port)
    xml_port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not PROGRAM.is_file():
            pytest.skip("no fake-gcs-server: `make test-cluster` installs it where there is Go")
        log = self.folder / "google.log"
        where = ["-host", HERE, "-port", str(self.port), "-public-host", f"{HERE}:{self.port}"]
        self.processes.append(start([str(PROGRAM), "-backend", "memory", "-scheme", "http", *where], log))
        before = [sys.executable, "-m", "tests.cluster.google_xml", str(self.xml_port), str(self.port)]
        self.processes.append(start(before, log, PYTHONPATH=str(ROOT)))
        try:
            until(lambda: self._answers(self.port) and self._answers(self.xml_port), f"Google's store: see {log}")
        except AssertionError:
            self.close()
            raise

    def _answers(self, port: int) -> bool:
        with urlopen(f"http://{HERE}:{port}/storage/v1/b?project=p", timeout=5) as answer:
            return bool(answer.status == 200)

    def close(self) -> None:
        for process in self.processes:
            stop(process)

    def account(self, port: int | None = None) -> str:
        """The account's file, for a store on another port if one is named."""
        port = port or self.xml_port
        path = self.folder / f"account-{port}.json"
        path.write_text(json.dumps({"gcs_base_url": f"http://{HERE}:{port}"} | NO_KEY))
        return str(path)

    def settings(self, port: int | None = None) -> dict[str, str]:
        """Spark's settings for the store. Hadoop's sizes, which the connector cannot read, are the program's to give."""
        return CLASSES | {
            CLASS_PATH: str(connector()),
            "spark.hadoop.fs.gs.auth.type": "UNAUTHENTICATED",
            "spark.hadoop.fs.gs.storage.root.url": f"http://{HERE}:{port or self.port}",
        }

    def bucket(self, name: str) -> str:
        """A new bucket."""
        body = json.dumps({"name": name}).encode()
        url = f"http://{HERE}:{self.port}/storage/v1/b?project=p"
        with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=10):
            return name

    def put(self, uri: str, content: bytes) -> None:
        """An object; its name is the URI's path."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        query = urlencode({"uploadType": "media", "name": name}, quote_via=quote)
        url = f"http://{HERE}:{self.port}/upload/storage/v1/b/{bucket}/o?{query}"
        with urlopen(Request(url, content, {"Content-Type": "application/octet-stream"}), timeout=10):
            pass


@dataclass
class GoogleLake(Lake):
    """A lake and its landing folder in the store."""

    store: Google | None = None

    def put(self, name: str, content: str) -> None:
        assert self.store
        self.store.put(f"{self.landing}/{name}", content.encode())


def lake_in(store: Google, folder: Path, name: str) -> GoogleLake:
    """A lake that is not there yet, in a new bucket."""
    bucket = store.bucket(name)
    variables = {VARIABLE: store.account()}
    return GoogleLake(
        folder, f"gs://{bucket}/lake", store.settings(), variables, landing=f"gs://{bucket}/in", store=store
    )  # fmt: skip
