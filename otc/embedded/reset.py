"""`make reset`: stop what runs in this clone and delete its data, its passwords and its sockets."""

import fcntl
import os
import shutil
import sys
import time

from otc.embedded import places, processes

PATIENCE_SECONDS = 30.0


def _stop_supervisor() -> None:
    """End the clone's supervisor, which ends the rest, and return when its lock is free."""
    path = places.VAR / "supervisor.lock"
    if not path.exists():
        return
    with path.open("r+") as lock:
        deadline = time.monotonic() + PATIENCE_SECONDS
        asked = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
            if not asked and (
                supervisor := processes.remembered(path.with_name("processes.json")).get("supervisor")
            ):
                processes.ask(supervisor)
                asked = True
            time.sleep(0.1)


def main() -> int:
    """Start over: the next `make run` is a first one."""
    _stop_supervisor()
    for pid in processes.remembered(places.VAR / "processes.json").values():
        if pid != os.getpid():
            processes.end(pid)
    shutil.rmtree(places.VAR, ignore_errors=True)
    shutil.rmtree(places.socket_path(), ignore_errors=True)
    print("Data, passwords and sockets of this clone are gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
