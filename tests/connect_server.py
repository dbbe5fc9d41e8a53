"""A server of Spark Connect on loopback: a process of its own that has our JARs and Delta's extensions, as a platform's."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.runtime import fetch_jars, spark_settings
from tests.cluster.servers import HERE, SPARK_HOME, free_port, start, stop, until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
SECONDS_TO_START = 180
# What the server needs beside Delta: few tasks, and no memory of what was asked long ago.
SMALL = {"spark.sql.shuffle.partitions": "2", "spark.sql.warehouse.dir": "/tmp/meterlake-no-warehouse"}  # noqa: S108


@dataclass
class ConnectServer:
    """`folder` holds its log, and with `catalog` a metastore and a warehouse; `first` is what starts it (unshare)."""

    folder: Path
    catalog: bool = False
    first: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def url(self) -> str:
        """What SPARK_REMOTE says."""
        return f"sc://{HERE}:{self.port}"

    def start(self) -> None:
        """Start it, also again on the same port, and wait until it answers."""
        settings = spark_settings.LOCAL | spark_settings.EXTENSIONS | SMALL | self._of_connect()
        flags = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        jars = [str((fetch_jars.jar_folder() / jar.file).absolute()) for jar in fetch_jars.expected_jars()]
        submit = [str(SPARK_HOME / "bin" / "spark-submit"), "--class", SERVER, "--master", "local[2]"]
        command = [*self.first, *submit, "--driver-memory", "2g", "--driver-class-path", os.pathsep.join(jars), *flags]
        self.process = start(command, self.folder / "connect.log")
        until(self._answers, f"Spark Connect: see {self.folder}/connect.log", SECONDS_TO_START)

    def _of_connect(self) -> dict[str, str]:
        binding = {"spark.connect.grpc.binding.address": HERE, "spark.connect.grpc.binding.port": str(self.port)}
        if not self.catalog:
            return binding
        return binding | {
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self.folder}/metastore;create=true",
        }

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "connect.log").read_text()[-3000:]
        with socket.create_connection((HERE, self.port), timeout=5):
            return True

    def stop(self) -> None:
        """End it as a machine that goes dark does."""
        stop(self.process)
