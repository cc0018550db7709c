"""The migrated database that every worker's is copied from: made by a process of its own, while tests are collected.

Migrating takes 16 seconds of processor time and comes out the same until a migration changes: the next run restores
what this one dumped into the user's cache.
"""

import hashlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from otc.embedded import prepare
from otc.embedded.places import read_or_create_passwords
from otc.embedded.servers import PORT, POSTGRES_BIN

NAME = "otc"
PATIENCE_SECONDS = 300
SETTLED = "migrated"
CLONE = Path(__file__).resolve().parents[1]
# What a migrated database depends on, beside the tests' settings.
SOURCES = ("*/migrations/*.py", "otc/tenancy/*.py", "otc/embedded/roles.sql", "requirements.txt")
DUMPS_KEPT = 6


def begin(folder: Path, environment: dict[str, str]) -> Callable[[], None]:
    """Start migrating; `environment` names the template, `folder` gets the word that it is done. What comes back
    ends it, for a run that didn't need it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.template", str(folder)],
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
    )

    def end() -> None:
        process.terminate()
        process.wait()

    return end


def wait(folder: Path) -> None:
    """Until the template stands. Raises RuntimeError with what stopped it."""
    settled = folder / SETTLED
    for _ in range(PATIENCE_SECONDS * 20):
        if settled.exists():
            break
        time.sleep(0.05)
    else:
        raise RuntimeError(f"the template was not migrated within {PATIENCE_SECONDS} seconds")
    if complaint := settled.read_text():
        raise RuntimeError(f"the template could not be migrated\n{complaint}")


def migrate() -> None:
    """Every migration, as a first start does it."""
    import django

    django.setup()
    prepare.migrate()


def dump_path() -> Path:
    """Where a database migrated by just these migrations lies."""
    content = hashlib.sha256(POSTGRES_BIN.as_posix().rpartition("site-packages")[2].encode())
    for path in sorted(path for pattern in SOURCES for path in CLONE.glob(pattern)):
        content.update(path.relative_to(CLONE).as_posix().encode() + path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "otc-tests" / f"{content.hexdigest()[:32]}.dump"


def restore(dump: Path, *, sockets: Path | None = None, superuser: str = "") -> bool:
    """Whether the dump is there and came back whole: in this run's cluster, or in that of these sockets and its
    superuser's password.
    """
    words = ("--single-transaction", "--exit-on-error", f"--dbname={NAME}", str(dump))
    return dump.exists() and not _postgres("pg_restore", *words, sockets=sockets, superuser=superuser)


def keep(dump: Path) -> None:
    """For the runs to come; where it can't be kept they migrate, too."""
    try:
        dump.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = dump.with_suffix(f".{os.getpid()}")
        if _postgres("pg_dump", "--format=custom", f"--file={draft}", NAME):
            draft.unlink(missing_ok=True)
            return
        draft.rename(dump)
        kept = sorted(dump.parent.glob("*.dump"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-DUMPS_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _postgres(program: str, *words: str, sockets: Path | None = None, superuser: str = "") -> int:
    """Run one of PostgreSQL's own as superuser; its exit code."""
    folder = Path(os.environ["OTC_TEST_CLUSTER"])
    address = ("-h", str(sockets or folder), "-p", str(PORT), "-U", "postgres")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGPASSWORD"] = superuser or read_or_create_passwords(folder).superuser
    return subprocess.run(
        [POSTGRES_BIN / program, *address, *words], env=environment, stderr=subprocess.DEVNULL
    ).returncode


def settle() -> None:
    """The template stands: restored, else migrated and kept."""
    dump = dump_path()
    if restore(dump):
        return
    migrate()
    keep(dump)


def main(folder: Path) -> None:
    complaint = ""
    try:
        settle()
    except Exception:
        complaint = traceback.format_exc()
    # Whole at once: somebody waits for it.
    (folder / "migrating").write_text(complaint)
    (folder / "migrating").rename(folder / SETTLED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
