"""The house in the storm: PostgreSQL and Valkey of its own, web, worker and scheduler, each killable."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import redis

from otc.embedded import processes
from otc.embedded.places import CLONE, read_or_create_passwords
from otc.embedded.servers import PORT, PostgresServer, ValkeyServer
from tests.cluster import CARELESS
from tests.storm.counting import LONG_STEPS

# A crash must not lose what was committed; only power cuts, which don't happen here, need fsync.
PARAMETERS = CARELESS | {"synchronous_commit": "on", "max_connections": "40", "shared_buffers": "32MB"}
COMMANDS = {
    "web": (
        "gunicorn",
        "tests.storm.web",
        "--preload",
        "--workers",
        "2",
        "--worker-class",
        "gthread",
        "--threads",
        "2",
    ),
    "worker": (
        "celery",
        "-A",
        "tests.storm.worker",
        "worker",
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
    ),
    "scheduler": ("celery", "-A", "tests.storm.worker", "beat", "--pidfile="),
}
AT_WORK = """
SELECT 1 FROM pg_stat_activity
WHERE state <> 'idle' AND query LIKE 'UPDATE pipeline_opportunity SET amount_minor%' LIMIT 1
"""
Leases = dict[str, str]  # a job's id -> the token of whoever holds it
RUNNING = "SELECT id::text, lease_token::text FROM otc_job WHERE kind = 'count_long' AND state = 'running'"
# In their first half, so that a successor has something left to do; those of an open step are locked.
HELD = f"{RUNNING} AND done_count < {LONG_STEPS // 2} FOR UPDATE SKIP LOCKED"


class WebSocket(http.client.HTTPConnection):
    """HTTP over the web's unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class StormyHouse:
    """Every part of a deployment with data of its own; `parts` are those that are killed and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passwords = read_or_create_passwords(folder)
        self.log = (folder / "parts.log").open("ab")
        self.postgres = PostgresServer(
            folder / "data", folder, self.passwords, folder / "postgres.log", PARAMETERS
        )
        self.valkey = ValkeyServer(folder / "valkey", folder, folder / "valkey.log")
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.frozen: subprocess.Popen[bytes] | None = None
        self.takeovers = 0

    def start_servers(self) -> None:
        self.valkey.start()
        self.postgres.start()
        self.valkey.wait()
        self.postgres.wait()

    def database(self, role: str) -> dict[str, Any]:
        """Django's dict for a role: owner, app or backup."""
        password = getattr(self.passwords, role)
        place = {"NAME": "otc", "HOST": str(self.folder), "PORT": str(PORT), "OPTIONS": {}}
        return place | {"USER": f"otc_{role}", "PASSWORD": password}

    def environment(self) -> dict[str, str]:
        role = self.database("app")
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"postgres://otc_app:{role['PASSWORD']}@/otc?host={self.folder}&port={PORT}",
            "DATABASE_OWNER_URL": f"postgres://nobody@/otc?host={self.folder}&port={PORT}",
            "REDIS_URL": self.valkey.url,
            "OTC_LOG_LEVEL": "WARNING",
        }

    def start(self, part: str) -> None:
        extra: dict[str, Sequence[str]] = {
            "web": ("--bind", f"unix:{self.folder / 'web.sock'}", "--log-level", "error"),
            "worker": ("--loglevel", "error"),
            "scheduler": ("--schedule", str(self.folder / "beat"), "--loglevel", "error"),
        }
        module, *words = COMMANDS[part]
        command = [sys.executable, "-W", "ignore", "-m", module, *words, *extra[part]]
        self.parts[part] = processes.start(
            command, log=self.log, environment=self.environment(), folder=CLONE
        )

    def kill(self, part: str) -> None:
        """kill -9 for the process and its children: no goodbye, no acknowledgement."""
        kill_group(self.parts.pop(part))

    def expire_leases(self) -> None:
        """What a minute without a word from their holders would do; a step that runs keeps its row."""
        self.rows(
            "UPDATE otc_job SET lease_until = now() - interval '1 second' WHERE id IN "
            "(SELECT id FROM otc_job WHERE state = 'running' FOR UPDATE SKIP LOCKED)"
        )

    def ask(self, organization_id: UUID, deal_ids: Sequence[UUID], *, how: str) -> bool:
        """One request; False when the web didn't answer it, whatever it may have done."""
        body = {"organization": str(organization_id), "deals": [str(deal) for deal in deal_ids], "how": how}
        connection = WebSocket(self.folder / "web.sock")
        try:
            connection.request("POST", "/storm", json.dumps(body), {"Content-Type": "application/json"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the superuser reads, past every fence."""
        connection = self.postgres.connect("otc")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def strike(self, blow: str) -> None:
        """One fault by its name, and the part back at once, as a supervisor would have it."""
        self.bury_frozen()
        BLOWS[blow](self)

    def bury_frozen(self) -> None:
        if self.frozen is not None:
            kill_group(self.frozen)
            self.frozen = None

    def close(self) -> None:
        self.bury_frozen()
        for part in list(self.parts):
            self.kill(part)
        self.valkey.stop()
        self.postgres.stop()
        self.log.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kill(part: str) -> Callable[[StormyHouse], None]:
    def blow(house: StormyHouse) -> None:
        if part == "worker":
            # In the middle of an effect: killed between two it would prove nothing.
            wait_until(lambda: bool(house.rows(AT_WORK)), seconds=3, every=0.01)
        house.kill(part)
        if part == "worker":
            house.expire_leases()
        house.start(part)

    return blow


def _flush(house: StormyHouse) -> None:
    redis.Redis(unix_socket_path=str(house.valkey.socket)).flushall()


def _crash_database(house: StormyHouse) -> None:
    """Immediate shutdown: every connection breaks, what wasn't committed is gone, recovery follows."""
    process = house.postgres.process
    assert process is not None
    process.send_signal(signal.SIGQUIT)
    process.wait()
    house.postgres.start()
    house.postgres.wait()
    house.expire_leases()


def _freeze(house: StormyHouse) -> None:
    """The worker stops dead between two steps of long work; when another has taken over, it comes back to life and
    goes on as if nothing had been, until the next blow kills it.
    """
    house.frozen = house.parts.pop("worker")
    held = _stopped_at_long_work(house, house.frozen)
    house.start("worker")
    house.expire_leases()
    house.takeovers += wait_until(partial(_has_successor, house, held), seconds=60, every=0.05)
    os.killpg(house.frozen.pid, signal.SIGCONT)


def _stopped_at_long_work(house: StormyHouse, worker: subprocess.Popen[bytes]) -> Leases:
    """Stop it while it has long work in its hands and no step's transaction open; what it holds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if house.rows(HELD):
            os.killpg(worker.pid, signal.SIGSTOP)
            time.sleep(0.3)  # the database may still be busy with what it was sent, and lock the row for it
            if held := dict(house.rows(HELD)):
                return held
            os.killpg(worker.pid, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("no long work was there to be frozen")


def _has_successor(house: StormyHouse, held: Leases) -> bool:
    """Whether somebody else is at work on some of it."""
    return any(held.get(job, token) != token for job, token in house.rows(RUNNING))


BLOWS: dict[str, Callable[[StormyHouse], None]] = {
    "worker": _kill("worker"),
    "web": _kill("web"),
    "scheduler": _kill("scheduler"),
    "freeze": _freeze,
    "flush": _flush,
    "database": _crash_database,
}


def blows(seed: int, *, number: int) -> list[str]:
    """Faults in random order, each kind at least once and workers twice as often."""
    draw = random.Random(seed)
    found = [*BLOWS, *draw.choices([*BLOWS, "worker"], k=max(number - len(BLOWS), 0))]
    draw.shuffle(found)
    return found


def wait_until(is_so: Callable[[], bool], *, seconds: float, every: float = 0.2) -> bool:
    """Whether it came to be so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(every)
    return is_so()
