"""Where one clone keeps its data, its sockets and its passwords. Standard library only."""

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
VAR = CLONE / ".var"
# Mail goes here until a server is configured.
MAIL = VAR / "mail"


class UnsafeFolder(RuntimeError):
    """A folder that must be private belongs to somebody else or is open to others."""


@dataclass(frozen=True)
class Passwords:
    """The generated secrets of one clone, kept in `.var/secrets.json` (mode 0600)."""

    superuser: str
    owner: str
    app: str
    backup: str
    django_secret_key: str


def clone_digest(clone: Path = CLONE) -> str:
    """Ten hex digits that tell this clone's path from every other clone's on the machine."""
    return hashlib.sha256(str(clone).encode()).hexdigest()[:10]


def private_folder(path: Path) -> Path:
    """Create `path` with mode 0700 or check that it is ours and closed; raises UnsafeFolder otherwise."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeFolder(f"{path} is not a folder of this user; remove it and start again")
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def socket_path(clone: Path = CLONE) -> Path:
    """The folder of the clone's unix sockets, without creating it.

    Outside the clone, because a socket's path may have 103 bytes at most; in /tmp whatever TMPDIR says,
    so that two shells of one user agree.
    """
    root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    return root / f"otc-{os.geteuid()}-{clone_digest(clone)}"


def read_or_create_passwords(var: Path = VAR) -> Passwords:
    """The clone's passwords, generated at first use; safe when two processes ask at once.

    One that a newer version needs and the file lacks is added; those that it has stay.
    """
    path = private_folder(var) / "secrets.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    missing = {field.name for field in fields(Passwords)} - known.keys()
    if missing:
        with (var / "secrets.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = json.loads(path.read_text()) if path.exists() else {}
            fresh = {name: secrets.token_urlsafe(40) for name in missing - known.keys()}
            known = known | fresh
            _write_private(path, json.dumps(known, indent=1))
    return Passwords(**{field.name: known[field.name] for field in fields(Passwords)})


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner only."""
    draft = path.with_name(f"{path.stem}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
