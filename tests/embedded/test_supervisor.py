"""`make run` for real: starts, restarts, kills, two clones, a taken port. Slow by nature, so few and long."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from otc.embedded import places, processes
from tests.embedded.clones import OURS, Run, copy_clone, lay_in_migrated
from tests.nightly import IS_NIGHTLY


def _until(claim: Callable[[], object], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        yield line.getsockname()[1]


@pytest.fixture
def runs() -> Iterator[Callable[[Path, int], Run]]:
    """Starts supervisors and leaves none behind."""
    started: list[Run] = []

    def start(clone: Path, port: int) -> Run:
        started.append(Run(clone, port).start())
        return started[-1]

    yield start
    for run in started:
        run.stop(signal.SIGTERM)
        processes.end_all(run.running().values())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone under a path far longer than a socket's may be; the first test fills it, and the second finds it full."""
    made = copy_clone(tmp_path_factory.mktemp("first") / ("long" * 30) / "clone")
    if not IS_NIGHTLY:
        lay_in_migrated(made)
    return made


def _owner(clone: Path) -> "closing":
    passwords = places.read_or_create_passwords(clone / ".var")
    folder = str(places.socket_path(clone))
    return closing(psycopg2.connect(host=folder, user="otc_owner", password=passwords.owner, dbname="otc"))


def _send_a_mail(clone: Path) -> None:
    """It is a file, and stands in the terminal."""
    send = [sys.executable, "manage.py", "sendtestemail", "ana@example.org"]
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    sent = subprocess.run(send, cwd=clone, env=environment, capture_output=True, text=True, check=True)
    assert sent.stdout.startswith("Mail to ana@example.org: ")
    (mail,) = (clone / ".var" / "mail").iterdir()
    assert "ana@example.org" in mail.read_text()


def test_a_killed_supervisor_leaves_nothing_that_stops_the_next_start(clone, runs, taken_port):
    first = runs(clone, taken_port)
    assert str(taken_port) not in first.address()
    assert f"Port {taken_port} is taken" in first.output
    assert first.answers()
    with _owner(clone) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    assert _until(lambda: "scheduler" in first.running())
    left = first.noted()

    first.stop(signal.SIGKILL)
    second = runs(clone, taken_port)
    second.address()
    assert not set(left.values()) & set(second.running().values())
    assert all(processes.command_of(pid) == "" for pid in left.values())
    with _owner(clone) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchall() == [(1,)]
    assert _until(lambda: "scheduler" in second.running())
    assert re.search(r"Ready at \S+  \(.*mails are files in \.var/mail\)\n$", second.output)
    _send_a_mail(clone)
    alive = second.running()
    assert second.stop() == 0
    assert not any(processes.start_mark(pid) for pid in alive.values())


def test_a_second_clone_runs_beside_and_a_second_start_is_refused(clone, runs, taken_port, tmp_path):
    other = copy_clone(tmp_path / "clone")
    if (clone / ".var").exists():  # somebody who copies a folder copies its data with it
        subprocess.run(["cp", "-a", clone / ".var", other], check=True)
    first = runs(clone, taken_port)
    beside = runs(other, taken_port)
    assert first.answers()
    assert beside.answers()
    assert first.address() != beside.address()
    again = runs(clone, taken_port)
    assert again.process.wait(30) == 1
    again.reader.join(5)
    assert f"running already: {first.address()}" in again.output

    assert _until(lambda: "worker" in first.running())
    killed = first.running()["worker"]
    os.kill(killed, signal.SIGKILL)
    assert _until(lambda: first.running().get("worker") not in (None, killed))

    reset = Run(other, taken_port, module="otc.embedded.reset").start()
    assert reset.process.wait(60) == 0
    assert beside.process.wait(30) == 0
    assert not (other / ".var").exists()
    assert not places.socket_path(other).exists()
    assert first.answers()
    assert re.search(r"process \d+", (clone / ".var" / "supervisor.lock").read_text())
