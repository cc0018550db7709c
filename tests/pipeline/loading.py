"""The fixture `load` and what tests of imports read back."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from otc.imports.mapping import parse_mapping
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from pipeline.imports.registry import KINDS
from pipeline.opportunities.models import Opportunity
from tests.conftest import House

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
Load = Callable[..., ImportReport]


@pytest.fixture
def load(inside: House, tmp_path: Path) -> Load:
    """load(kind, text, mapping={...}, creates_missing=True): import a text as a file into the house."""

    def import_text(kind: str, text: str, *, mapping: Any = None, **options: Any) -> ImportReport:
        path = tmp_path / f"{kind}.csv"
        path.write_text(text)
        return run_import(
            inside.organization,
            kind=KINDS[kind],
            path=path,
            mapping=parse_mapping(mapping or {}),
            now=options.pop("now", NOW),
            **options,
        )

    return import_text


def refusals(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.line, row.column, row.reason) for row in report.refused]


def deal(external_id: str = "D1") -> Opportunity:
    found: Opportunity = Opportunity.objects.get(external_id=external_id)
    return found
