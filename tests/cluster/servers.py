"""A standalone Spark cluster and an object store on loopback, started for a test and stopped after it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pyspark

from pipeline.runtime import fetch_jars

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SPARK_HOME = Path(pyspark.__file__).parent
HERE = "127.0.0.1"
SECONDS_TO_START = 60
# Variables that would change a test's own Spark, or lead it to another store.
FOREIGN = ("PYSPARK", "SPARK", "METERLAKE", "AWS_", "AZUR", "GOOGLE_")
SECONDS_TO_RESOLVE = 600
# The connector, and the parts of the vendor's library that it uses: the full bundle is 686 MB, these are 18 MB.
S3A = "3.5.0"
SDK = "2.35.4"
PACKAGES = [
    f"org.apache.hadoop:hadoop-aws:{S3A}",
    *(f"software.amazon.awssdk:{part}:{SDK}" for part in ("s3", "s3-transfer-manager", "sts", "apache-client")),
]
NOT_WANTED = ["software.amazon.awssdk:bundle", "org.wildfly.openssl:wildfly-openssl"]
# The network server and client of the database that Spark includes for a metastore.
DERBY = "10.16.1.1"
NOT_IN_SPARK = (
    "org.apache.hadoop_hadoop-aws", "org.apache.derby_derbyclient", "org.apache.derby_derbynet", "org.reactivestreams",
    "software.amazon",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], Any], what: str, seconds: float = SECONDS_TO_START) -> Any:
    """The result of `holds` once it is true; fails if it is not within those seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := holds():
                return answer
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} seconds: {what}")


def environment(**more: str) -> dict[str, str]:
    """This process's variables without the foreign ones."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(FOREIGN)}
    return kept | {"SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": HERE, "PYSPARK_PYTHON": sys.executable} | more


def start(command: list[str], log: Path, **more: str) -> subprocess.Popen[bytes]:
    """A server, in a process group of its own, so that what it starts ends with it."""
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, env=environment(**more), start_new_session=True)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL) -> None:
    """End the server and what it started."""
    if process.poll() is None:
        os.killpg(process.pid, how)
        process.wait(30)


@dataclass
class Cluster:
    """A master and workers of one core each."""

    folder: Path
    master: subprocess.Popen[bytes] = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    page: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.master = self._start("master.Master", "--port", str(self.port), "--webui-port", str(self.page))

    @property
    def url(self) -> str:
        return f"spark://{HERE}:{self.port}"

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        script = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--host", HERE]
        return start([*script, *arguments], self.folder / "cluster.log")

    def with_workers(self, count: int) -> Cluster:
        """Start workers until this many are alive, replacing killed ones."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for number in range(len(self.workers), count):
            where = ["--work-dir", str(self.folder / f"work-{time.time_ns()}-{number}"), "--webui-port", "0"]
            self.workers.append(self._start("worker.Worker", "--cores", "1", "--memory", "1g", *where, self.url))
        until(lambda: self.states().count("ALIVE") == count, f"{count} workers: see {self.folder}/cluster.log")
        return self

    def states(self) -> list[str]:
        """The state of every worker that the master has known."""
        with urlopen(f"http://{HERE}:{self.page}/json/", timeout=10) as page:
            return [worker["state"] for worker in json.load(page)["workers"]]

    def kill_a_worker(self) -> None:
        """As if its machine went dark: the worker and its executors."""
        stop(self.workers.pop())

    def stop(self) -> None:
        for process in (*self.workers, self.master):
            stop(process)


def packages() -> str:
    """The class path of the store's connector and the metastore's client, fetched once by Spark's own resolver."""
    folder = ROOT / ".venv" / "ivy-of-writers"
    wanted = [*PACKAGES, *(f"org.apache.derby:{name}:{DERBY}" for name in ("derbynet", "derbyclient"))]
    if not [*folder.glob(f"jars/*derbynet-{DERBY}.jar")]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nothing.py").touch()
        ivy = [f"spark.jars.ivy={folder}", f"spark.jars.ivySettings={ROOT / 'jars/ivysettings.xml'}"]
        command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", "local[1]"]
        command += [part for each in ivy for part in ("--conf", each)]
        command += ["--packages", ",".join(wanted), "--exclude-packages", ",".join(NOT_WANTED)]
        command.append(str(folder / "nothing.py"))
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=SECONDS_TO_RESOLVE, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    # Libraries that Spark has in its own version (netty) stay Spark's.
    jars = [jar for jar in sorted(folder.glob("jars/*.jar")) if jar.name.startswith(NOT_IN_SPARK)]
    return os.pathsep.join(map(str, jars))


@dataclass
class Metastore:
    """Derby as a server: a metastore for several processes, because its file can be used by only one."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        java = str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if "JAVA_HOME" in os.environ else "java"
        path = os.pathsep.join([packages(), str(SPARK_HOME / "jars" / "*")])
        control = ["org.apache.derby.drda.NetworkServerControl", "start", "-h", HERE, "-p", str(self.port)]
        command = [java, "-cp", path, f"-Dderby.system.home={self.folder}", *control, "-noSecurityManager"]
        self.process = start(command, self.folder / "metastore.log")
        until(self._answers, f"the metastore: see {self.folder}/metastore.log")

    def _answers(self) -> bool:
        with socket.create_connection((HERE, self.port), timeout=5):
            return True

    @property
    def settings(self) -> dict[str, str]:
        """Spark's settings for the metastore."""
        return {
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby://{HERE}:{self.port}/metastore;create=true",
            "spark.hadoop.javax.jdo.option.ConnectionDriverName": "org.apache.derby.client.ClientAutoloadedDriver",
            "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
            "spark.hadoop.hive.metastore.schema.verification": "false",
        }


@dataclass
class Store:
    """Moto: an object store that speaks S3's protocol."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        program = ROOT / ".venv-deploy" / "bin" / "moto_server"
        assert program.is_file(), "`make test-cluster` installs it"
        self.process = start([str(program), "-H", HERE, "-p", str(self.port)], self.folder / "store.log")
        until(lambda: urlopen(self.url, timeout=5).status, f"the object store: see {self.folder}/store.log")

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """The settings for delta-rs, in the variables of the vendor's own tools."""
        keys = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "not a secret", "AWS_REGION": "us-east-1"}
        return keys | {"AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}

    @property
    def settings(self) -> dict[str, str]:
        """Spark's settings for the store."""
        conf = {
            "endpoint": self.url,
            "endpoint.region": "us-east-1",
            "path.style.access": "true",
            "connection.ssl.enabled": "false",
        }
        return {f"spark.hadoop.fs.s3a.{name}": value for name, value in conf.items()}

    @property
    def options(self) -> list[str]:
        """The settings for Spark, on the command line of spark-submit."""
        ivy = {
            "spark.jars.ivy": str(ROOT / ".venv" / "ivy"),
            "spark.jars.ivySettings": str(ROOT / "jars/ivysettings.xml"),
        }
        flags = [part for name, value in (self.settings | ivy).items() for part in ("--conf", f"{name}={value}")]
        return ["--packages", ",".join(PACKAGES), "--exclude-packages", ",".join(NOT_WANTED), *flags]


def submit(
    cluster: Cluster, wheel: Path, *arguments: str, options: list[str], log: Path, **more: str
) -> subprocess.Popen[bytes]:
    """`spark-submit … main.py …` on the cluster, from a folder with only main.py: the code comes from the wheel."""
    jars = ",".join(str(fetch_jars.jar_folder().absolute() / jar.file) for jar in fetch_jars.expected_jars())
    # Spark's own default of 200 partitions a shuffle is for clusters that are not on one machine.
    few = ["--conf", "spark.sql.shuffle.partitions=2", "--conf", "spark.databricks.delta.snapshotPartitions=2"]
    memory = ["--executor-memory", "1g", "--conf", f"spark.driver.host={HERE}"]
    command = [
        str(SPARK_HOME / "bin" / "spark-submit"),
        "--master",
        cluster.url,
        "--py-files",
        str(wheel),
        "--jars",
        jars,
    ]
    command += [*few, *memory, *options, str(wheel.parent / "main.py"), *arguments]
    return start(command, log, METERLAKE_JARS=str(log.parent / "no jars here"), **more)
