"""What hangs on a record, and what of it moves when the record is merged into another?

Every reference of every table is found by itself, so that a table added later moves along; what is to stay behind is
named here with its reason, and tests/pipeline/test_merges.py looks at it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, models, transaction

from otc.tenancy.fields import TenantModel
from pipeline.accounts.models import Account, Contact
from pipeline.duplicates.models import RecordKind
from pipeline.opportunities.merging import deals_reaccount
from pipeline.opportunities.models import Opportunity

MODELS: Mapping[str, Any] = {
    RecordKind.ACCOUNT: Account,
    RecordKind.CONTACT: Contact,
    RecordKind.OPPORTUNITY: Opportunity,
}
STAYS: Mapping[str, str] = {
    "opportunityversion.account": "what was stays what it was",
    "opportunityversion.opportunity": "each deal keeps its own past",
    "split.opportunity": "divides that deal's own amount",
    "approvalrequest.opportunity": "was asked for that deal's own amount",
    "dealanswer.opportunity": "answered for that deal",
    "dealtold.opportunity": "computed",
    "health.opportunity": "computed",
    "risk.opportunity": "computed",
    "opportunityfieldvalue.opportunity": "read from the deal's own attributes",
}

# Two deals that are one sell once what both list.
ONLY_IF_NONE = frozenset({"dealline.opportunity"})
NOUNS: Mapping[str, str] = {
    "account.parent": "accounts below it",
    "account.merged_into": "earlier merges",
    "contact.merged_into": "earlier merges",
    "opportunity.account": "deals",
    "dealline.opportunity": "lines",
    "dealcomment.opportunity": "comments",
    "deallink.opportunity": "links",
    "closeplan.opportunity": "close plans",
    "closeplanlink.opportunity": "close plan links",
    "closeplanevent.opportunity": "ticks and comments in close plans",
    "lead.account": "leads",
    "lead.contact": "leads",
    "lead.opportunity": "leads",
    "buyingrole.contact": "buying roles",
    "buyingrole.opportunity": "buying roles",
    "contact.account": "people",
    "activity.contact": "activities",
    "activity.opportunity": "activities",
    "dealteammember.opportunity": "people on the team",
    "opportunitymilestone.opportunity": "milestones",
    "endedmark.opportunity": "milestones opened again",
}


@dataclass(frozen=True)
class Relation:
    """A foreign key to a kind of record; `key` is how a merge remembers what it moved."""

    model: Any
    field: str

    @property
    def key(self) -> str:
        return f"{self.model._meta.model_name}.{self.field}"

    @property
    def noun(self) -> str:
        """In words, for counts."""
        return NOUNS.get(self.key) or str(self.model._meta.verbose_name_plural)

    def rows(self) -> Any:
        return self.model._base_manager.all()


@cache
def relations(kind: str) -> tuple[Relation, ...]:
    """Every reference to records of the kind, those that stay left out."""
    return tuple(found for found in all_relations(kind) if found.key not in STAYS)


def all_relations(kind: str) -> Iterator[Relation]:
    for model in apps.get_models():
        if not issubclass(model, TenantModel):
            continue
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is MODELS[kind]:
                yield Relation(model, field.name)


def counts(kind: str, record_id: UUID) -> list[tuple[str, int]]:
    """How many rows of each noun would move, those with none left out. One query per relation."""
    found = [
        (relation.noun, relation.rows().filter(**{relation.field: record_id}).count())
        for relation in relations(kind)
    ]
    return [(noun, count) for noun, count in found if count]


def move(relation: Relation, *, from_id: UUID, to_id: UUID) -> list[UUID]:
    """Let rows refer to the other record. A row that the other has already stays. Returns the ids of those moved."""
    if relation.key in ONLY_IF_NONE and relation.rows().filter(**{relation.field: to_id}).exists():
        return []
    found = relation.rows().filter(**{relation.field: from_id}).exclude(id=to_id)
    row_ids = list(found.order_by("id").values_list("id", flat=True))
    if not row_ids:
        return []
    try:
        with transaction.atomic():
            _write(relation, row_ids, to_id)
    except IntegrityError:
        return [row_id for row_id in row_ids if _moves_alone(relation, row_id, to_id)]
    return row_ids


def _moves_alone(relation: Relation, row_id: UUID, to_id: UUID) -> bool:
    try:
        with transaction.atomic():
            _write(relation, [row_id], to_id)
    except IntegrityError:
        return False
    return True


def _write(relation: Relation, row_ids: list[UUID], to_id: UUID) -> None:
    if relation.model is Opportunity and relation.field == "account":
        deals_reaccount(row_ids, account_id=to_id)
        return
    relation.rows().filter(id__in=row_ids).update(**{f"{relation.field}_id": to_id})


def moved_since(kind: str, moved: Mapping[str, list[str]], *, to_id: UUID) -> list[str]:
    """What no longer is where a merge brought it, in words."""
    by_key = {relation.key: relation for relation in relations(kind)}
    gone = []
    for key, row_ids in moved.items():
        relation = by_key[key]
        there = relation.rows().filter(id__in=row_ids, **{relation.field: to_id}).count()
        if there != len(row_ids):
            gone.append(f"{len(row_ids) - there} of {len(row_ids)} {relation.noun}")
    return gone


def put_back(kind: str, moved: Mapping[str, list[str]], *, to_id: UUID) -> None:
    by_key = {relation.key: relation for relation in relations(kind)}
    for key, row_ids in moved.items():
        _write(by_key[key], [UUID(row_id) for row_id in row_ids], to_id)
