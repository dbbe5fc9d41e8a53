"""Deliveries, answers and metrics in a volume of Databricks: /Volumes to Python, `dbfs:/Volumes` to Spark.

The commands run in a mount namespace of their own, where /Volumes is a folder of the test, and Spark finds the same
folder by a file system that overloads the scheme `dbfs`, as the platform's does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest
from deltalake import DeltaTable

from pipeline.runtime import fetch_jars

pytestmark = pytest.mark.slow  # three processes with a Spark each: `make test-platform`
ROOT = Path(__file__).parents[2]
OF_DATABRICKS = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
ALONE = [shutil.which("unshare") or "", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
# A root folder with all that is in this one, and /Volumes. Arguments: new root, volumes, command.
NEW_ROOT = """set -eu; root=$1; volumes=$2; shift 2
mount -t tmpfs none "$root"
for each in /*; do
    if [ -L "$each" ]; then cp -P "$each" "$root$each"
    elif [ -d "$each" ]; then mkdir "$root$each"; mount --rbind "$each" "$root$each"; fi
done
mkdir -p "$root/Volumes"; mount --bind "$volumes" "$root/Volumes"
exec chroot "$root" env --chdir="$PWD" "$@"
"""


class Workspace:
    """A folder with a configuration, and volumes that only its own processes see as /Volumes."""

    def __init__(self, folder):
        self.folder, self.volumes = folder, folder / "volumes"
        for name in ("root", "volumes/main/raw/files", "events"):
            (folder / name).mkdir(parents=True)
        text = (ROOT / "conf" / "local.toml").read_text().replace("data_lake/landing", "/Volumes/main/raw/files")
        text = text.replace("jdbc:sqlite:/Volumes/main/raw/files", f"jdbc:sqlite:{folder}")
        text = text.replace('format = "smrt"', 'format = "smrt"\nacknowledge = "/Volumes/main/raw/answers/gas"')
        text += '[metrics]\ntextfile = "/Volumes/main/raw/metrics/meterlake.prom"\n'
        (folder / "meterlake.toml").write_text(text.replace('lake = "data_lake"', f'lake = "{folder / "lake"}"'))

    def call(self, *arguments, lake=None):
        """A command under spark-submit, as on a cluster of Databricks: (code, its lines, standard error).

        There standard output has the lines of the log as well.
        """
        jars = ",".join(str(fetch_jars.jar_folder().absolute() / jar.file) for jar in fetch_jars.expected_jars())
        settings = {
            "spark.hadoop.fs.dbfs.impl": OF_DATABRICKS,
            "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
            "spark.hadoop.fs.viewfs.mounttable.default.link./Volumes": self.volumes.as_uri(),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (self.folder / "events").as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            # Spark's own defaults are for clusters: 200 partitions a shuffle take minutes on a few rows.
            "spark.sql.shuffle.partitions": "2",
            "spark.databricks.delta.snapshotPartitions": "2",
        }
        submit = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[2]", "--jars", jars]
        submit += [part for pair in settings.items() for part in ("--conf", "=".join(pair))]
        command = [*submit, str(ROOT / "tests/platform/in_a_volume.py"), *arguments, "--config", "meterlake.toml"]
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYSPARK", "SPARK", "METERLAKE"))}
        ours = {"DATABRICKS_RUNTIME_VERSION": "17.3", "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
        ours |= {"METERLAKE_LAKE": lake} if lake else {}
        done = subprocess.run(
            [*ALONE, "sh", "-c", NEW_ROOT, "sh", str(self.folder / "root"), str(self.volumes), *command],
            cwd=self.folder, env=kept | ours, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.splitlines(), done.stderr

    def rows(self, table, *columns):
        found = DeltaTable(str(self.folder / "lake" / table)).to_pyarrow_table(columns=list(columns)).to_pylist()
        return [tuple(row.values()) for row in found]


@pytest.fixture
def workspace(tmp_path):
    if not ALONE[0] or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a mount namespace, so there is no /Volumes of its own")
    assert not Path("/Volumes").exists()
    return Workspace(tmp_path)


def test_deliveries_of_every_format_come_from_a_volume_and_answers_and_metrics_go_into_one(workspace):
    code, out, said = workspace.call("demo", "--json")
    assert code == 0, "\n".join([*out[-5:], said[-3000:]])
    log = workspace.rows("ops/ingestion_log", "feed", "file_path", "status", "file_id", "rows_read")
    assert all(path.startswith("/Volumes/main/raw/files/") for feed, path, *_ in log if feed != "reference")
    loaded = {file_id: rows for feed, _, status, file_id, rows in log if status == "loaded" and feed != "reference"}
    assert sum(loaded.values()) > 1000
    feeds = ("gas", "electricity", "solar", "vilnius", "berlin", "leeds")
    bronze = [file_id for feed in feeds for (file_id,) in workspace.rows(f"bronze/{feed}", "file_id")]
    assert {file_id: bronze.count(file_id) for file_id in loaded} == loaded
    assert len(bronze) == sum(loaded.values())
    # Spark was asked by its own name, and by no other: the file system of the folder itself knows no /Volumes there.
    read = "".join(path.read_text() for path in (workspace.folder / "events").iterdir())
    assert "dbfs:/Volumes/main/raw/files/vilnius" in read
    assert "file:/Volumes" not in read
    answers = [json.loads(path.read_text()) for path in (workspace.volumes / "main/raw/answers/gas").rglob("*.json")]
    assert len(answers) == sum(feed == "gas" for feed, *_ in log)
    metrics = workspace.volumes / "main/raw/metrics"
    assert [path.name for path in metrics.iterdir()] == ["meterlake.prom"]
    assert "meterlake_" in (metrics / "meterlake.prom").read_text()
    code, out, said = workspace.call("run", "--json")
    assert code == 0, "\n".join([*out[-5:], said[-3000:]])
    assert json.loads(out[-1])["files"] == 0


def test_a_lake_in_a_volume_is_an_error_of_the_configuration_in_one_line(workspace):
    code, out, said = workspace.call("run", lake="/Volumes/main/raw/lake")
    assert code == 2, said[-3000:]
    (line,) = [line for line in [*out, *said.splitlines()] if line.startswith("meterlake: ")]
    assert "is in a volume, which takes files but no tables: name a catalog instead" in line
    assert not (workspace.volumes / "main/raw/lake").exists()
