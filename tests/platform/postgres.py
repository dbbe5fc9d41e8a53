"""A PostgreSQL server on loopback, in a temporary folder, started for a test and stopped after it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.as_nobody import NOBODY, as_nobody
from tests.cluster.servers import HERE, free_port, until

ROOT = Path(__file__).parents[2]
# Debian's, installed or as `make test-platform` unpacks it. Its newest version is the last.
PLACES = ("/usr/lib/postgresql/*/bin", f"{ROOT}/.venv/postgres/usr/lib/postgresql/*/bin")
ADMIN = "postgres"
PASSWORD = "correct horse battery"  # noqa: S105 - of a server that lives for a test
SECONDS_TO_END = 30


def programs() -> Path:
    """The folder of PostgreSQL's programs; skips the test where the server's user finds none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    for place in PLACES:
        found += sorted(Path("/").glob(place.lstrip("/")))
    with as_nobody():
        usable = [folder for folder in found if os.access(folder / "postgres", os.X_OK, effective_ids=True)]
    if not usable:
        pytest.skip("no PostgreSQL that may be started: `make test-platform` unpacks Debian's where there is one")
    return usable[-1]


@dataclass
class Postgres:
    """The server. It refuses to be root's, so that root starts it as nobody."""

    programs: Path = field(default_factory=programs)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="meterlake-postgres-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        for path in (self.folder, secret):
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        options = ["-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "--locale=C"]
        made = self._popen("initdb", "-D", str(self.folder / "data"), *options)
        assert made.wait(120) == 0, self.said()
        self.start()

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        is_root = os.geteuid() == 0
        libraries = [str(folder) for folder in self.programs.parents[3].glob("lib/*-linux-gnu")]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.programs / program), *arguments],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C", "LD_LIBRARY_PATH": os.pathsep.join(libraries)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=NOBODY if is_root else None,
                group=NOBODY if is_root else None,
                extra_groups=[] if is_root else None,
            )

    def said(self) -> str:
        """The end of the server's log."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def start(self) -> None:
        """Start the server, on the same port as before; a zone that is not UTC shows who relies on it."""
        settings = {"listen_addresses": HERE, "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        settings |= {"timezone": "America/St_Johns", "datestyle": "SQL, DMY"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = self._popen("postgres", "-D", str(self.folder / "data"), *flags)
        until(lambda: self.sql("SELECT 1", database="postgres"), f"PostgreSQL: see {self.folder}/log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server by its process id: SIGINT as an administrator does, SIGQUIT as a crash does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(SECONDS_TO_END)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def sql(self, text: str, database: str = "crm") -> str:
        """Run statements as the administrator; what they print. OSError where the server does not take them."""
        address = ["-h", HERE, "-p", str(self.port), "-U", ADMIN, "-d", database]
        libraries = [str(folder) for folder in self.programs.parents[3].glob("lib/*-linux-gnu")]
        done = subprocess.run(
            [str(self.programs / "psql"), *address, "-v", "ON_ERROR_STOP=1", "-qAtX", "-f", "-"],
            input=text,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD, "LD_LIBRARY_PATH": os.pathsep.join(libraries)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise OSError(done.stderr)
        return done.stdout

    def url(self, database: str = "crm") -> str:
        return f"jdbc:postgresql://{HERE}:{self.port}/{database}"
