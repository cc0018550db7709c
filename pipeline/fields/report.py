"""How an object's fields are used: the definitions with how many records have a value."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from otc.fields.models import CustomField
from otc.tenancy.context import current_organization_id

TABLES = {"deal": "pipeline_opportunity", "account": "pipeline_account", "contact": "pipeline_contact"}
DEALS_THERE = " AND r.deleted_at IS NULL"


@dataclass(frozen=True)
class FieldUse:
    """A definition, and how many records hold a value in it."""

    row: CustomField
    count: int
    place: int

    @property
    def options_text(self) -> str:
        labels = [option.label for option in self.row.definition.open_options]
        return ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")


@dataclass(frozen=True)
class FieldsReport:
    active: tuple[FieldUse, ...]
    retired: tuple[FieldUse, ...]


def fields_report(object: str) -> FieldsReport:
    """An object's fields in their order. Two queries."""
    rows = list(CustomField.objects.filter(object=object).order_by("position", "id"))
    counts = value_counts(object)
    uses = [FieldUse(row, counts.get(row.id, 0), place) for place, row in enumerate(rows, start=1)]
    return FieldsReport(
        tuple(use for use in uses if use.row.is_active), tuple(use for use in uses if not use.row.is_active)
    )


def value_counts(object: str) -> dict[UUID, int]:
    """How many records hold something under each field's attribute."""
    there = DEALS_THERE if object == "deal" else ""
    sql = f"""
SELECT f.id, count(*) FROM otc_customfield f JOIN {TABLES[object]} r
  ON r.organization_id = f.organization_id AND r.attributes ? f.attribute{there}
WHERE f.organization_id = %(organization)s AND f.object = %(object)s GROUP BY f.id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": str(current_organization_id()), "object": object})
        return dict(cursor.fetchall())
