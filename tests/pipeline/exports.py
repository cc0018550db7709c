"""How tests bring another system's export in: by the preset that its header fits."""

from datetime import datetime
from pathlib import Path

from otc.imports.mapping import parse_mapping
from otc.imports.presets import Preset, presets_for
from otc.imports.reader import open_csv
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from otc.tenancy.models import Organization
from pipeline.imports.registry import KINDS, PRESETS
from tests.pipeline.loading import NOW


def fitting(path: Path) -> tuple[Preset, tuple[str, ...]]:
    with open_csv(path) as source:
        return presets_for(PRESETS, header=source.header)[0], source.header


def bring(organization: Organization, path: Path, *, now: datetime = NOW) -> ImportReport:
    preset, header = fitting(path)
    mapping = parse_mapping(preset.mapping(header))
    return run_import(organization, kind=KINDS[preset.kind], path=path, mapping=mapping, now=now)
