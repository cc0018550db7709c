"""`manage.py restore FILE [--replace]`: a backup comes back whole or not at all, and every table is counted."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from psycopg2 import OperationalError

from otc.backup.manifest import UnusableBackup
from otc.backup.services import BackupFailed, NotEmpty, backup_restore


class Command(BaseCommand):
    help = "Bring a backup back. Stop web, worker and scheduler first; afterwards run migrate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="even if the database holds rows: they go")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = settings.DATABASES.get("owner")
        if owner is None or settings.BACKUP_DATABASE is None:
            raise CommandError("restoring needs DATABASE_OWNER_URL (writes) and DATABASE_BACKUP_URL (counts)")
        connections.close_all()
        try:
            manifest = backup_restore(
                options["file"].absolute(),
                owner=owner,
                reader=settings.BACKUP_DATABASE,
                replace=options["replace"],
            )
        except NotEmpty as problem:
            raise CommandError(f"{problem}. With --replace they are replaced by the backup's.") from None
        except (BackupFailed, UnusableBackup, OperationalError) as problem:
            raise CommandError(str(problem).strip()) from None
        total = sum(manifest.rows.values())
        self.stdout.write(f"{total:,} rows of {len(manifest.rows)} tables are back, as of {manifest.made_at}")
