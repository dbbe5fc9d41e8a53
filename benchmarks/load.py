"""Twenty clients ask the read API for meters' months, for a minute, while a run commits the next day. Linux only.

    python benchmarks/load.py --size M --seconds 60              # each asks again as soon as it is answered
    python benchmarks/load.py --size M --seconds 60 --pause 0.5  # ... half a second later
    python benchmarks/load.py --size M --pause 0.5 --rewrite 8   # no run: one commit that writes eight days again
    python benchmarks/load.py --size M --workers 2

Begins with a lake after the first run (created if missing) and a warm server. Prints requests, statuses and latencies;
afterwards compares the sums of some meters' answers with Spark SQL's; exit 1 on a difference or a 5xx.
"""

import argparse
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from measure import one_repeat, prepared

HERE = Path(__file__).resolve().parent
MONTH_DAYS, CHECKED, WARM_SECONDS, RUN_AFTER_SECONDS = 31, 20, 300, 5


class Client(threading.Thread):
    """Requests the month of one meter after another, over one connection."""

    def __init__(  # noqa: PLR0913, PLR0917
        self, port: int, meters: list[str], span: str, until: float, pause: float, seed: int
    ) -> None:
        super().__init__()
        self.port, self.span, self.until, self.pause = port, span, until, pause
        self.meters = random.Random(seed).sample(meters, len(meters))  # noqa: S311 - which meter, not a secret
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        """Request until the time is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        time.sleep(random.random() * self.pause)  # noqa: S311 - so that clients do not run in step
        for meter in self.meters * 1000:
            if time.monotonic() > self.until:
                break
            started = time.perf_counter()
            connection.request("GET", f"/meters/{meter}/readings?{self.span}", headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - started)
            self.statuses[answer.status] += 1
            time.sleep(self.pause)
        connection.close()


def ask(port: int, address: str) -> dict[str, Any]:
    """One answer as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", address)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.HTTPStatus.OK:
        sys.exit(f"{address}: {answer.status} {body[:300]!r}")
    found: dict[str, Any] = json.loads(body)
    return found


def resident_mb(pid: int) -> float:
    """Resident memory of the server and its workers in 10^6 bytes; pages that they share count for each."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in processes(pid))
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def processes(pid: int) -> list[int]:
    """The server's process and its workers."""
    return [pid, *(int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def cpu_seconds(pid: int) -> float:
    """CPU seconds of the server and its workers so far."""
    used = 0
    for each in processes(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def warm(server: subprocess.Popen[str]) -> None:
    """Wait until the server has read what it keeps in memory, and is idle."""
    before = -1.0
    for _ in range(WARM_SECONDS):
        now = cpu_seconds(server.pid)
        if now - before < 0.2:  # noqa: PLR2004 - of a core; looking once a second costs less
            return
        before = now
        time.sleep(2)


def main() -> None:
    """Read the arguments, serve, request, run, compare, print, save."""
    parser = argparse.ArgumentParser(description="The read API under load, with a run committing meanwhile.")
    parser.add_argument("--size", choices=["S", "M", "L"], default="M")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0, help="seconds between an answer and the next request")
    parser.add_argument("--nice", type=int, default=0, help="how far the run steps back for the server (nice)")
    parser.add_argument("--no-run", action="store_true", help="nothing commits meanwhile")
    parser.add_argument("--rewrite", type=int, default=0, metavar="DAYS", help="no run: these newest days again")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    args = parser.parse_args()
    data, expected = prepared((HERE / "data" / args.size).resolve(), args.size)
    config = ["--config", str(data / "meterlake.toml")]
    if not (args.no_run or args.rewrite) or not (data / "lake").exists():
        one_repeat(data, [sys.executable, "main.py", "run", *config], expected, ["first run"])
    with subprocess.Popen(
        [sys.executable, "main.py", "serve", "--port", "0", "--workers", str(args.workers), *config],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            figures = measure(server, args, data, config)
        finally:
            server.send_signal(signal.SIGTERM)
    print("\n".join(f"{name:<24} {value}" for name, value in figures.items()))
    results = HERE / "results" / f"load-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**vars(args), **figures}, indent=1))
    if figures["5xx"] or figures["meters that differ"]:
        sys.exit(1)


def measure(server: subprocess.Popen[str], args: argparse.Namespace, data: Path, config: list[str]) -> dict[str, Any]:
    """Request and run at the same time; returns the figures."""
    assert server.stdout is not None  # noqa: S101 - it is piped
    port = int(server.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
    meters, address = [], "/meters?limit=10000"
    while address:
        page = ask(port, address)
        meters += page["data"]
        address = page["next"]
    last = date.fromisoformat(max(each["last_date"] for each in meters)) + timedelta(days=2)
    span = f"from={last - timedelta(days=MONTH_DAYS)}&to={last}&limit=10000"
    warm(server)
    cpu = cpu_seconds(server.pid)
    until = time.monotonic() + args.seconds
    names = [each["meter_id"] for each in meters]
    clients = [Client(port, names, span, until, args.pause, seed) for seed in range(args.clients)]
    for client in clients:
        client.start()
    runs = 0.0
    if args.rewrite:
        time.sleep(RUN_AFTER_SECONDS)
        runs = rewritten(data / "lake" / "silver" / "readings", args.rewrite)
    elif not args.no_run:
        time.sleep(RUN_AFTER_SECONDS)
        for file in sorted((data / "next_day").iterdir()):
            (data / "landing" / "electricity" / file.name).hardlink_to(file)
        started = time.monotonic()
        command = ["nice", "-n", str(args.nice), sys.executable, "main.py", "run", *config]
        subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        runs = time.monotonic() - started
    for client in clients:
        client.join()
    used = cpu_seconds(server.pid) - cpu
    seconds = sorted(each for client in clients for each in client.seconds)
    statuses = sum((client.statuses for client in clients), Counter[int]())
    hundredths = statistics.quantiles(seconds, n=100)
    return {
        "requests": len(seconds),
        "requests a second": round(len(seconds) / args.seconds, 1),
        "p50 ms": round(hundredths[49] * 1000, 1),
        "p99 ms": round(hundredths[98] * 1000, 1),
        "above 300 ms": sum(each > 0.3 for each in seconds),  # noqa: PLR2004 - the aim
        "slowest ms": round(seconds[-1] * 1000, 1),
        "server CPU ms a request": round(used / len(seconds) * 1000, 2),
        "server MB": round(resident_mb(server.pid)),
        "seconds of the run or commit": round(runs, 1),
        "5xx": sum(count for status, count in statuses.items() if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR),
        "statuses": dict(statuses),
        "meters that differ": differing(port, names[:: max(1, len(names) // CHECKED)], span, config),
    }


def rewritten(silver: Path, days: int) -> float:
    """Write the newest days again in one commit, as a run with corrections does; returns the seconds of the process."""
    program = """
import sys
from datetime import date
from deltalake import DeltaTable, write_deltalake
table = DeltaTable(sys.argv[1])
days = sorted({part["local_date"] for part in table.partitions()})[-int(sys.argv[2]):]
rows = table.to_pyarrow_table(filters=[("local_date", "in", [date.fromisoformat(day) for day in days])])
write_deltalake(table, rows, mode="overwrite", predicate=f"local_date >= '{days[0]}'")
"""
    command = [sys.executable, "-c", program, str(silver), str(days)]
    started = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - started


def differing(port: int, meters: list[str], span: str, config: list[str]) -> int:
    """How many meters' answers differ from Spark SQL's: count and sum of the readings, to the last digit."""
    listed = ", ".join(f"'{meter}'" for meter in meters)
    sql = f"SELECT meter_id, count(*) AS n, sum(consumption) AS kwh FROM silver.readings WHERE meter_id IN ({listed}) GROUP BY meter_id"  # noqa: S608, E501 - of our own making
    answer = subprocess.run(
        [sys.executable, "main.py", "sql", sql, "--json", *config],
        cwd=HERE.parent, check=True, capture_output=True, text=True,
    )  # fmt: skip
    spark = {row["meter_id"]: (row["n"], Decimal(row["kwh"])) for row in json.loads(answer.stdout)}
    wrong = 0
    for meter in meters:
        rows = ask(port, f"/meters/{meter}/readings?{span}")["data"]
        wrong += spark.get(meter) != (len(rows), sum(Decimal(row["consumption"]) for row in rows))
    return wrong


if __name__ == "__main__":
    main()
