"""Azure's object store on loopback: Azurite, which has the blob interface that delta-rs asks.

It has no `dfs` endpoint, which Spark's driver for abfss:// needs: what Spark reads and writes there was not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pyarrow import fs

from tests.cluster.servers import HERE, ROOT, free_port, start, stop, until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PROGRAM = ROOT / ".venv-deploy" / "stores" / "node_modules" / ".bin" / "azurite-blob"
# Every Azurite has this account, whose key its documentation prints.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass
class Azure:
    """The store."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        if not PROGRAM.is_file():
            pytest.skip("no Azurite: `make test-cluster` installs it where there is npm")
        # pyarrow, which makes containers, speaks a newer version of the interface.
        how = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
        where = ["--blobHost", HERE, "--blobPort", str(self.port)]
        self.process = start([str(PROGRAM), *how, *where], self.folder / "azure.log")
        try:
            until(self._answers, f"Azure's store: see {self.folder}/azure.log")
        except AssertionError:
            self.close()
            raise

    def _answers(self) -> bool:
        try:
            urlopen(f"http://{HERE}:{self.port}/", timeout=5).close()
        except HTTPError:
            return True  # it wants a signature
        return True

    def close(self) -> None:
        stop(self.process)

    @property
    def variables(self) -> dict[str, str]:
        """The settings for delta-rs: the emulator has its own account."""
        return {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": f"http://{HERE}:{self.port}"}

    def files(self) -> fs.FileSystem:
        """The store's containers as folders, by another client than delta-rs."""
        there = f"{HERE}:{self.port}"
        return fs.AzureFileSystem(
            account_name=ACCOUNT, account_key=KEY,
            blob_storage_authority=there, dfs_storage_authority=there, blob_storage_scheme="http", dfs_storage_scheme="http",
        )  # fmt: skip

    def container(self, name: str) -> str:
        """The URI of a new container, as a configuration names it."""
        self.files().create_dir(name)
        return f"abfss://{name}@{ACCOUNT}.dfs.core.windows.net"
