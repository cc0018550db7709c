"""`manage.py backup FILE`: the whole database into one file, with a manifest that counts every table."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from psycopg2 import OperationalError

from otc.backup.manifest import UnusableBackup
from otc.backup.services import BackupFailed, backup_write


class Command(BaseCommand):
    help = "Write the whole database into FILE, and beside it FILE.json with the rows of every table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to; never overwritten")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.BACKUP_DATABASE is None:
            raise CommandError("DATABASE_BACKUP_URL names no role that may read everything")
        file: Path = options["file"].absolute()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            manifest = backup_write(file, database=settings.BACKUP_DATABASE)
        except (BackupFailed, UnusableBackup, OperationalError) as problem:
            raise CommandError(str(problem).strip()) from None
        size = file.stat().st_size / 1_000_000
        total = sum(manifest.rows.values())
        self.stdout.write(f"{file}: {total:,} rows of {len(manifest.rows)} tables in {size:,.1f} MB")
