"""Recompute the audit's chain and say whether anything in it was changed, removed, inserted, reordered or rewritten."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from otc.audit.checkpoints import CheckpointRefused, known_hashes
from otc.audit.report import chain_report
from otc.jobs.queries import organization_ids
from otc.tenancy.context import use
from otc.tenancy.models import Organization


class Command(BaseCommand):
    help = "Verify the audit of one organization or of all; exits with 1 where a chain is not whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--org", metavar="SLUG", help="only this organization")
        parser.add_argument(
            "--checkpoint", type=Path, metavar="FILE", help="checkpoints kept elsewhere, one JSON line each"
        )
        parser.add_argument(
            "--key", default="", metavar="HEX", help="the public key that must have signed them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = options["checkpoint"].read_text().splitlines() if options["checkpoint"] else []
        checked = is_whole = 0
        for organization_id in organization_ids():
            with use(organization_id, repeatable_read=True):
                slug = Organization.objects.values_list("slug", flat=True).get(id=organization_id)
                if options["org"] in (None, slug):
                    checked += 1
                    is_whole += self.verify(organization_id, slug, lines, trusted=options["key"])
        if not checked:
            raise CommandError(f"there is no organization “{options['org']}”")
        if is_whole != checked:
            sys.exit(1)

    def verify(self, organization_id: UUID, slug: str, lines: list[str], *, trusted: str) -> bool:
        """Write what was found in one organization; whether its chain is whole."""
        try:
            known = known_hashes(lines, organization_id=organization_id, trusted=trusted)
        except CheckpointRefused as problem:
            raise CommandError(str(problem)) from None
        report = chain_report(known=known)
        against = f", against {len(known)} checkpoints kept elsewhere" if known else ""
        if report.is_whole:
            self.stdout.write(f"{slug}: whole up to #{report.sequence}{against}")
        else:
            self.stdout.write(f"{slug}: NOT WHOLE{against}")
        for finding in report.findings:
            self.stdout.write(f"  {finding.kind}: {finding.sentence}")
        return report.is_whole
