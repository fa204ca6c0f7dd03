"""A small Spark cluster on this machine: a standalone master, two workers and the thrift server that takes SQL.

``python -m data_access.spark.cluster`` starts it, prints the URL for ``refresh --spark`` and stops it on Ctrl-C. It is
meant for trying and testing: everything listens on the loopback address only, the parts of the cluster prove to each
other that they belong together, but whoever may log in on this machine may send SQL to it.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from data_access.errors import Problem

_HOST = "127.0.0.1"
_START_SECONDS = 180
_STOP_SECONDS = 20
_SETTINGS = """
spark.executor.cores            1
spark.driver.memory             2g
spark.driver.host               {host}
spark.driver.bindAddress        {host}
spark.ui.enabled                false
spark.authenticate              true
spark.authenticate.secret       {secret}
spark.local.dir                 {place}/spill
spark.sql.warehouse.dir         {place}/warehouse
spark.sql.shuffle.partitions    16
spark.driver.extraJavaOptions   -Djava.io.tmpdir={place}/java -Dderby.system.home={place}/java
spark.executor.extraJavaOptions -Djava.io.tmpdir={place}/java
spark.hadoop.javax.jdo.option.ConnectionURL       jdbc:derby:memory:catalogue;create=true
spark.hadoop.datanucleus.schema.autoCreateAll     true
spark.hadoop.hive.metastore.schema.verification   false
spark.hadoop.hive.exec.scratchdir                 {place}/scratch
"""


@dataclass
class Cluster:
    """A running cluster: the URL of its thrift server, and its processes."""

    url: str
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)


@contextmanager
def running(workers: int = 2, memory: str = "3g", port: int = 0) -> Iterator[Cluster]:
    """A cluster with workers of one core and ``memory`` each, gone afterwards; ``port``: of the thrift server.

    Problem when the extra ``spark`` or Java is missing, or a part does not start.
    """
    home = _spark_home()
    place = Path(tempfile.mkdtemp(prefix="spark-"))
    cluster = Cluster(f"spark://{_HOST}:{port or _free_port()}")
    try:
        _start(cluster, home, place, workers, memory)
        yield cluster
    finally:
        _stop(cluster)
        shutil.rmtree(place, ignore_errors=True)


def _spark_home() -> Path:
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise Problem("Spark is not installed: install requirements-spark.txt, or the extra beauty-mirror[spark]")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise Problem("Spark needs Java 17 or newer: install it (apt-get install openjdk-17-jre-headless)")
    return Path(found.origin).parent


def _start(cluster: Cluster, home: Path, place: Path, workers: int, memory: str) -> None:
    for name in ("spill", "warehouse", "java", "scratch", "work", "logs", "conf"):
        (place / name).mkdir()
    (place / "scratch").chmod(0o733)  # the thrift server insists; its parent is closed
    settings = place / "conf" / "spark-defaults.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        _SETTINGS.format(host=_HOST, place=place, secret=secrets.token_hex(16)) + f"spark.executor.memory {memory}\n",
        encoding="ascii",
    )
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(place / "conf"),
        "SPARK_LOCAL_IP": _HOST,
        "SPARK_PUBLIC_DNS": _HOST,
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_DAEMON_JAVA_OPTS": f"-Djava.io.tmpdir={place}/java",
    }

    def start(name: str, program: str, *arguments: str) -> None:
        with (place / "logs" / name).open("wb") as log:
            cluster.processes.append(
                subprocess.Popen(
                    [str(home / "bin" / program), *arguments],
                    cwd=place / "work",
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # a group with the executors it starts; Ctrl-C is ours
                )
            )

    master, thrift = _free_port(), cluster.url.rpartition(":")[2]
    deploy = "org.apache.spark.deploy"
    start("master", "spark-class", f"{deploy}.master.Master", *f"--host {_HOST} --port {master} --webui-port 0".split())
    _wait_for(master, cluster, place / "logs" / "master")
    for number in range(1, workers + 1):
        options = f"--host {_HOST} --webui-port 0 --cores 1 --memory {memory}".split()
        options += ["--work-dir", str(place / "work"), f"spark://{_HOST}:{master}"]
        start(f"worker-{number}", "spark-class", f"{deploy}.worker.Worker", *options)
    start(
        "thrift",
        "spark-submit",
        *f"--master spark://{_HOST}:{master} --conf spark.cores.max={workers}".split(),
        *["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"],
        *f"--hiveconf hive.server2.thrift.bind.host={_HOST} --hiveconf hive.server2.thrift.port={thrift}".split(),
    )
    _wait_for(int(thrift), cluster, place / "logs" / "thrift")


def _wait_for(port: int, cluster: Cluster, log: Path) -> None:
    last = time.monotonic() + _START_SECONDS
    while time.monotonic() < last:
        if any(process.poll() is not None for process in cluster.processes):
            break
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        time.sleep(0.2)
    said = log.read_text("utf-8", errors="replace").strip().splitlines()[-3:]
    raise Problem(f"the Spark {log.name} did not start: {' | '.join(said) or 'it said nothing'}")


def _stop(cluster: Cluster) -> None:
    """Ends every process of the cluster, the thrift server first."""
    for process in reversed(cluster.processes):
        process.terminate()
    last = time.monotonic() + _STOP_SECONDS
    for process in cluster.processes:
        try:
            process.wait(max(0.1, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for process in cluster.processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # executors that outlived their worker
        except ProcessLookupError:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=10_000, help="of the thrift server")
    parser.add_argument("--workers", type=int, default=2, help="each takes one core")
    parser.add_argument("--memory", default="3g", help="of each worker")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with running(options.workers, options.memory, options.port) as cluster:
            sys.stdout.write(f"{cluster.url}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return
    except Problem as problem:
        sys.exit(f"error: {problem}")


if __name__ == "__main__":
    main()
