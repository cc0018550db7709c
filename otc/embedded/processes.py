"""Starting, recognizing and ending processes so that none is left behind and no stranger is ended.

A process id alone says nothing, because ids are used again; an id with its start time names one process.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


def start_mark(pid: int) -> str | None:
    """A text that no other process with this id ever bears; None when no such process is alive.

    On Linux the boot's id and the start in clock ticks since boot (`/proc/<pid>/stat`, field 22), elsewhere
    what `ps` prints as the start.
    """
    if sys.platform == "linux":
        try:
            # The second field, the command in brackets, may hold blanks and brackets itself.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = answer.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def command_of(pid: int) -> str:
    """The command line of a process, blank-separated; empty when it is gone."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def remember(path: Path, processes: Mapping[str, int]) -> None:
    """Write name -> (pid, start mark) to `path` in one step, for the start that may have to clean up."""
    marks = {name: [pid, start_mark(pid)] for name, pid in processes.items()}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(marks))
    draft.replace(path)


def remembered(path: Path) -> dict[str, int]:
    """The processes of `path` that are still alive and still the same, name -> pid."""
    try:
        marks = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {name: pid for name, (pid, mark) in marks.items() if mark and start_mark(pid) == mark}


def ask(pid: int, *, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask a process to stop, without waiting."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, by)


def end_all(
    pids: Iterable[int], *, first: signal.Signals = signal.SIGTERM, patience_seconds: float = 8.0
) -> None:
    """Ask every process once to stop, kill those that don't in time; returns when all are gone."""
    marks = {pid: mark for pid in pids if (mark := start_mark(pid))}
    for pid in marks:
        ask(pid, by=first)
    if not (stubborn := _still_there(marks, seconds=patience_seconds)):
        return
    for pid in stubborn:
        _kill_group(pid)
    _still_there(stubborn, seconds=5.0)


def end(pid: int, *, first: signal.Signals = signal.SIGTERM, patience_seconds: float = 8.0) -> None:
    """`end_all` for one process."""
    end_all([pid], first=first, patience_seconds=patience_seconds)


def _still_there(marks: Mapping[int, str], *, seconds: float) -> dict[int, str]:
    """Those of pid -> start mark that are alive after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        left = {pid: mark for pid, mark in marks.items() if start_mark(pid) == mark}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def _kill_group(pid: int) -> None:
    """Kill a process and, where it leads a group, its children with it."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child runs before exec, so that the kernel signals it when its parent dies (Linux only)."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        # A terminal's Ctrl-C goes to the whole foreground group; children are stopped by the supervisor.
        os.setpgid(0, 0)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, number)

    return prepare


def start(
    command: Sequence[str | Path],
    *,
    log: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    dies_by: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a group of its own that gets `dies_by` when this process dies, even by kill -9."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT if log is not None else None,
        env=dict(environment) if environment is not None else None,
        cwd=folder,
        pass_fds=descriptors,
        preexec_fn=_die_with_parent(dies_by),
    )


def as_unprivileged(
    command: Sequence[str | Path], *, user_id: int, group_id: int, dies_by: signal.Signals
) -> list[str]:
    """The command as another user, for a root that must run a program that refuses root.

    The user keeps one capability, to pass folders closed to others: a clone under a 0700 home stays closed
    and the server can reach its data there all the same.
    """
    if shutil.which("setpriv") is None:
        raise RuntimeError(
            "PostgreSQL refuses to run as root; install util-linux (setpriv) or use another user"
        )
    capability = "+dac_override"
    return [
        "setpriv",
        # access() forgets capabilities without this bit, and initdb asks it whether postgres can be run.
        "--securebits=+no_setuid_fixup",
        f"--reuid={user_id}",
        f"--regid={group_id}",
        "--clear-groups",
        f"--inh-caps={capability}",
        f"--ambient-caps={capability}",
        # Changing the user clears the parent-death signal; setpriv sets it again.
        f"--pdeathsig={dies_by.name.removeprefix('SIG')}",
        "--",
        *map(str, command),
    ]
