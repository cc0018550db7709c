"""Import one CSV file: people, accounts, contacts, products, opportunities, history or activities."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from otc.imports.mapping import NO_MAPPING, ColumnMapping, MappingError, parse_mapping, read_mapping
from otc.imports.presets import presets_for
from otc.imports.reader import ImportFileError, open_csv
from otc.imports.report import refused_rows, report_lines
from otc.imports.services import run_import
from otc.tenancy.context import through_doorway, use
from otc.tenancy.models import Organization
from pipeline.history.services import renew_statistics
from pipeline.imports.guessing import fields_found
from pipeline.imports.registry import KINDS, PRESETS


class Command(BaseCommand):
    help = "Import a CSV file. docs/imports.md lists the native columns and the form of a mapping."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--kind", choices=list(KINDS), help="needed without --preset")
        parser.add_argument(
            "--preset",
            action="store_true",
            help="find kind and mapping by the header of another system's export",
        )
        parser.add_argument("--mapping", type=Path, metavar="FILE.json", help="rename columns, map values")
        parser.add_argument("--dry-run", action="store_true", help="report everything, change nothing")
        parser.add_argument(
            "--create-missing", action="store_true", help="create what rows name and nobody knows"
        )
        parser.add_argument("--strict", action="store_true", help="apply nothing when a row is refused")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_of(options["org"])
        try:
            kind, mapping = self.kind_and_mapping(options, organization)
            report = run_import(
                organization,
                kind=KINDS[kind],
                path=options["file"],
                mapping=mapping,
                is_dry_run=options["dry_run"],
                creates_missing=options["create_missing"],
                is_strict=options["strict"],
            )
        except (ImportFileError, MappingError) as error:
            raise CommandError(str(error)) from None
        if not options["dry_run"]:
            with use(organization.id):
                renew_statistics()
        for line in report_lines(report):
            self.stdout.write(line)
        for row in refused_rows(organization, run_id=report.run_id):
            self.stdout.write(f"line {row.line}: {row.column or 'row'}: {row.reason}")
        if options["strict"] and report.refused_count:
            sys.exit(1)

    def kind_and_mapping(
        self, options: dict[str, Any], organization: Organization
    ) -> tuple[str, ColumnMapping]:
        """What the options say, or the preset that the file's header fits."""
        if not options["preset"]:
            if options["kind"] is None:
                raise CommandError("--kind is needed, or --preset for another system's export")
            return options["kind"], read_mapping(options["mapping"]) if options["mapping"] else NO_MAPPING
        if options["mapping"]:
            raise CommandError("--preset brings its own mapping: leave --mapping out")
        with open_csv(options["file"]) as source:
            fitting = presets_for(PRESETS, header=source.header)
            header = source.header
        preset = next((found for found in fitting if options["kind"] in (None, found.kind)), None)
        if preset is None:
            raise CommandError(
                "no preset fits this header: name --kind, and a --mapping where columns differ"
            )
        self.stdout.write(preset.label)
        with use(organization.id):
            mapping = fields_found(preset.mapping(header), header, kind=preset.kind)
        return preset.kind, parse_mapping(mapping)


def organization_of(slug: str) -> Organization:
    """The organization with this slug, through the doorway of jobs (reading only)."""
    with transaction.atomic():
        found = through_doorway("doorway", "jobs", "SELECT id FROM otc_organization WHERE slug = %s", [slug])
    if not found:
        raise CommandError(f"there is no organization “{slug}”")
    with use(found[0][0]):
        organization: Organization = Organization.objects.get(id=found[0][0])
    return organization
