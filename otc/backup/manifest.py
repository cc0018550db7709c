"""What a backup holds, said beside it: the rows of every table, the migrations, the file's digest. No Django import."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = 1


class UnusableBackup(ValueError):
    """The file and its manifest are not a whole backup of ours; the message says what is wrong."""


@dataclass(frozen=True)
class Manifest:
    """`rows` counts each table at the one moment that the file shows; `sha256` is the file's, in hex."""

    made_at: str
    postgres_version: int
    rows: Mapping[str, int]
    migrations: tuple[str, ...]
    sha256: str
    format: int = FORMAT


def manifest_path(file: Path) -> Path:
    """Beside the backup: `otc.dump` has `otc.dump.json`."""
    return file.with_name(file.name + ".json")


def digest_of(file: Path) -> str:
    """SHA-256 of the file in hex, read in pieces."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_manifest(manifest: Manifest, *, file: Path) -> None:
    manifest_path(file).write_text(json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(file: Path) -> Manifest:
    """The manifest of a backup whose file is whole; raises UnusableBackup."""
    path = manifest_path(file)
    if not file.is_file() or not path.is_file():
        raise UnusableBackup(f"a backup is two files: {file.name} and {path.name}; one of them is missing")
    try:
        content = json.loads(path.read_text())
        manifest = Manifest(**content | {"migrations": tuple(content["migrations"])})
    except (ValueError, TypeError, KeyError) as problem:
        raise UnusableBackup(f"{path.name} is not a manifest: {problem}") from None
    if manifest.format != FORMAT:
        raise UnusableBackup(f"{path.name} has format {manifest.format}; this version reads {FORMAT}")
    if digest_of(file) != manifest.sha256:
        raise UnusableBackup(f"{file.name} is not the file that {path.name} describes: its digest differs")
    return manifest


def differing_tables(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Sentences for every table whose count differs.

    >>> differing_tables({"otc_person": 3}, {"otc_person": 2})
    ['otc_person: 2 rows instead of 3']
    """
    tables = sorted({*expected, *found})
    return [
        f"{table}: {found.get(table, 'no table')} rows instead of {expected.get(table, 'no table')}"
        for table in tables
        if expected.get(table) != found.get(table)
    ]
