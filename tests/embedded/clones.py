"""A copy of the working tree that runs beside it, as a second clone on the same machine would."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from otc.embedded import places, processes
from otc.embedded.servers import PostgresServer
from tests import template
from tests.cluster import cluster_folder

PARTS = ("otc", "pipeline", "forecasting", "postmortem", "templates", "static", "manage.py")
READY = re.compile(r"Ready at (http://\S+)")
# Of this run's own servers nothing may leak into a clone that has to find its own.
OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "DJANGO_SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
    "PORT",
)


def copy_clone(target: Path) -> Path:
    """Copy what running needs; the virtual environment is shared, as both would install the same.

    What is compiled comes along: each of a clone's processes would compile everything again.
    """
    target.mkdir(parents=True)
    for name in PARTS:
        source = places.CLONE / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy(source, target / name)
    return target


def lay_in_migrated(clone: Path) -> None:
    """The run's migrated database as the clone's own, where it was kept: migrating takes half a minute, and the run
    has just done it by the same function.
    """
    template.wait(cluster_folder())
    folder, sockets = clone / ".var", places.socket_path(clone)
    passwords = places.read_or_create_passwords(folder)
    places.private_folder(folder / "log")
    server = PostgresServer(folder / "postgres", sockets, passwords, folder / "log" / "postgres.log")
    server.start()
    server.wait()
    template.restore(template.dump_path(), sockets=sockets, superuser=passwords.superuser)
    server.stop()


@dataclass
class Run:
    """One supervisor of a clone, started as `make run` does, and what it said."""

    clone: Path
    port: int
    module: str = "otc.embedded.supervisor"
    said: list[str] = field(default_factory=list)

    def start(self) -> "Run":
        """Start without waiting."""
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment |= {"PYTHONPATH": str(self.clone), "OTC_DEMO": "0", "PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            cwd=self.clone,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    @property
    def output(self) -> str:
        """Everything said so far."""
        return "".join(self.said)

    def address(self, seconds: float = 300.0) -> str:
        """The printed address, waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := READY.search(self.output):
                return found.group(1)
            time.sleep(0.05)
        raise AssertionError(f"not ready:\n{self.output}")

    def answers(self) -> bool:
        """Whether the web says that it is alive."""
        with urllib.request.urlopen(f"{self.address()}healthz", timeout=10) as answer:
            return answer.read() == b"ok\n"

    def running(self) -> dict[str, int]:
        """The processes that the supervisor noted, name -> pid."""
        return processes.remembered(self.clone / ".var" / "processes.json")

    def noted(self) -> dict[str, int]:
        """The noted processes, dead or alive."""
        marks = json.loads((self.clone / ".var" / "processes.json").read_text())
        return {name: pid for name, (pid, _) in marks.items()}

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Signal the supervisor and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        code = self.process.wait(40)
        self.reader.join(5)
        return code
