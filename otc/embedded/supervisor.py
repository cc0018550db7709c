"""`make run`: one process that starts everything, keeps it running, and takes it down again.

PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), the preparation, then web, worker and
scheduler. What a supervisor killed by -9 left behind is ended by the kernel or by the next start.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from otc.embedded import places, processes
from otc.embedded.servers import PostgresServer, ServerFailed, ValkeyServer

PORTS_TO_TRY = 50
WEB_READY_SECONDS = 60.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A part that ends this often within the window is broken, not unlucky.
MOST_RESTARTS, RESTART_WINDOW_SECONDS = 5, 60.0


class CannotRun(RuntimeError):
    """Why the house can't be started, in words for the person at the terminal."""


class Stop(BaseException):
    """A signal asked for the end."""


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, flush=True)


@dataclass
class Part:
    """One long-running process: how to start it, and when it last had to be started again."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    restarts: list[float] = field(default_factory=list)

    def restart(self, *, now: float) -> None:
        """Start again; raises CannotRun when it keeps ending. `now` is monotonic seconds."""
        self.restarts = [moment for moment in self.restarts if now - moment < RESTART_WINDOW_SECONDS] + [now]
        if len(self.restarts) > MOST_RESTARTS:
            raise CannotRun(f"{self.name} ended {len(self.restarts)} times within a minute")
        say(f"{self.name} ended with code {self.process.returncode}; starting it again")
        self.process = self.start()


def take_lock(var: Path) -> IO[str]:
    """Be the only supervisor of this clone; the kernel gives the lock back however this process ends."""
    lock = (places.private_folder(var) / "supervisor.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CannotRun(f"This clone is running already: {lock.read().strip()}") from None
    return lock


def listen(host: str, wanted: int) -> socket.socket:
    """A listening socket on `wanted` or the next free port; says so when it moved.

    The supervisor binds and the web inherits, so no other process can take the port in between.
    """
    for port in range(wanted, wanted + PORTS_TO_TRY):
        line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind((host, port))
            line.listen(512)
        except OSError:
            line.close()
            continue
        if port != wanted:
            say(f"Port {wanted} is taken; using {port}")
        return line
    raise CannotRun(f"No free port from {wanted} to {wanted + PORTS_TO_TRY - 1}")


class Supervisor:
    """Owns every process of one clone from start to end."""

    def __init__(self, *, var: Path, sockets: Path, host: str, port: int) -> None:
        self.var, self.sockets, self.host, self.port = var, sockets, host, port
        self.logs = var / "log"
        self.postgres: PostgresServer | None = None
        self.valkey: ValkeyServer | None = None
        self.parts: list[Part] = []

    def run(self, *, parts: bool = True) -> None:
        """Start the servers and, with `parts`, the rest; watch; raise only after everything has stopped."""
        lock = take_lock(self.var)
        try:
            self._end_leftovers()
            self._start_servers()
            if parts:
                self._prepare()
                self._start_parts(lock)
            else:
                say(f"PostgreSQL and Valkey are up in {self.sockets}  (Ctrl-C stops them)")
            self._watch()
        finally:
            # A second Ctrl-C must not leave half of it running.
            for number in ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            self._stop()
            lock.close()

    def _end_leftovers(self) -> None:
        """End what a killed supervisor started and the kernel didn't end with it."""
        left = processes.remembered(self.var / "processes.json")
        processes.end_all(left.values())
        if left:
            say(f"Cleaned up after a killed run: {', '.join(left)}")

    def _start_servers(self) -> None:
        if "REDIS_URL" not in os.environ:
            self.valkey = ValkeyServer(self.var / "valkey", self.sockets, self.logs / "valkey.log")
            self.valkey.start()
        if "DATABASE_URL" not in os.environ:
            passwords = places.read_or_create_passwords(self.var)
            self.postgres = PostgresServer(
                self.var / "postgres", self.sockets, passwords, self.logs / "postgres.log"
            )
            self.postgres.start()
        self._remember()
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.wait()

    def _prepare(self) -> None:
        preparation = processes.start([sys.executable, "-m", "otc.embedded.prepare"], folder=places.CLONE)
        try:
            code = preparation.wait()
        finally:
            processes.end(preparation.pid)
        if code != 0:
            raise CannotRun(f"preparing the database failed (code {code})")

    def _start_parts(self, lock: IO[str]) -> None:
        """The web first, alone, because somebody waits for it; then worker and scheduler."""
        line = listen(self.host, self.port)
        os.set_inheritable(line.fileno(), True)
        # What a newcomer must read stays on the screen: whoever wants each request and job in it says so.
        os.environ.setdefault("OTC_LOG_LEVEL", "WARNING")
        port = line.getsockname()[1]
        address = f"http://{'localhost' if self.host in {'127.0.0.1', '0.0.0.0'} else self.host}:{port}/"
        os.environ.setdefault("OTC_ADDRESS", address)
        lock.truncate(0)
        lock.write(f"{address} (process {os.getpid()})")
        lock.flush()
        self._add("web", self._web_command(line.fileno()), descriptors=(line.fileno(),))
        self._wait_for_web(port)
        mail = places.MAIL.relative_to(places.CLONE)
        say(f"Ready at {address}  (Ctrl-C stops everything; mails are files in {mail})")
        self._add(
            "worker", self._celery("worker", "--concurrency", "2", "--without-gossip", "--without-mingle")
        )
        self._add(
            "scheduler", self._celery("beat", "--schedule", str(self.var / "beat-schedule"), "--pidfile=")
        )

    def _web_command(self, descriptor: int) -> list[str]:
        return [
            *(sys.executable, "-m", "gunicorn", "otc.wsgi", "--bind", f"fd://{descriptor}", "--preload"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--timeout", "60"),
            *("--graceful-timeout", "5", "--log-level", "warning"),
        ]

    def _celery(self, *words: str) -> list[str]:
        # As root Celery warns on every start; a container's root is told once, by its owner.
        python = [sys.executable, "-W", "ignore:You're running the worker"]
        return [*python, "-m", "celery", "--quiet", "-A", "otc", *words, "--loglevel", "warning"]

    def _add(self, name: str, command: Sequence[str], *, descriptors: Sequence[int] = ()) -> None:
        def start() -> subprocess.Popen[bytes]:
            return processes.start(command, descriptors=descriptors, folder=places.CLONE)

        self.parts.append(Part(name, start, start()))
        self._remember()

    def _wait_for_web(self, port: int) -> None:
        deadline = time.monotonic() + WEB_READY_SECONDS
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline and self.parts[0].process.poll() is None:
            try:
                opener.open(f"http://{host}:{port}/healthz", timeout=5).close()
            except urllib.error.HTTPError:
                return  # It answers; that it refuses our name for it is a matter of settings.
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return
        raise CannotRun("the web did not start; the reason is above")

    def _watch(self) -> None:
        """Start again what ended; sleeps until a signal raises Stop."""
        while True:
            time.sleep(0.5)
            for part in self.parts:
                if part.process.poll() is not None:
                    part.restart(now=time.monotonic())
                    self._remember()
            for server in (self.valkey, self.postgres):
                if server is not None and server.process is not None and server.process.poll() is not None:
                    say(f"{type(server).__name__} ended; starting it again")
                    server.start()
                    server.wait()
                    self._remember()

    def _stop(self) -> None:
        """Everybody is asked first and waited for after; the servers last, as the others still write."""
        processes.end_all(part.process.pid for part in self.parts)
        for part in self.parts:
            part.process.wait()
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        (self.var / "processes.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.sockets.rmdir()

    def _remember(self) -> None:
        running = {"supervisor": os.getpid()} | {part.name: part.process.pid for part in self.parts}
        for server in (self.valkey, self.postgres):
            if server is not None and server.process is not None:
                running[type(server).__name__] = server.process.pid
        processes.remember(self.var / "processes.json", running)


def _raise_stop(number: int, frame: FrameType | None) -> None:
    raise Stop


def main() -> int:
    """Run until Ctrl-C; the exit code is 0 unless something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--host", default=os.environ.get("OTC_BIND", "127.0.0.1"), help="address to listen on"
    )
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT", "8000")), help="first port to try"
    )
    parser.add_argument("--servers-only", action="store_true", help="no web, worker or scheduler")
    arguments = parser.parse_args()
    for number in ENDING_SIGNALS:
        signal.signal(number, _raise_stop)
    supervisor = Supervisor(
        var=places.VAR, sockets=places.socket_path(), host=arguments.host, port=arguments.port
    )
    try:
        supervisor.run(parts=not arguments.servers_only)
    except Stop:
        say("Stopped")
    except (CannotRun, ServerFailed, places.UnsafeFolder) as reason:
        say(str(reason))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
