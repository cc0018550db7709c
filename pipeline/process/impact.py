"""What would a change of a process touch? Open deals by stage, and what they would then miss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from otc.fields.queries import field_book
from otc.fields.rules import PREFIX
from otc.money.queries import corporate_currency, corporate_minor_sql, positional
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.document import Document, removed_stages, things_asked
from pipeline.process.rules import BUILT_IN


@dataclass(frozen=True)
class Missing:
    """How many deals of a stage would miss something that is not asked of them now."""

    label: str
    count: int


@dataclass(frozen=True)
class StageImpact:
    """`moves_to` names where the stage's open deals go; empty where they stay. `approvals`: how many of them would need
    the manager's approval to enter a later stage, and don't now, by that stage; `waiting`: requests for approval to
    enter this stage that lose their ground, because it goes or no longer asks for one. `keeps_category`: the stage
    proposes another category, which its open deals don't take: no column of the forecast moves.
    """

    id: str
    name: str
    count: int
    moves_to: str
    missing: tuple[Missing, ...]
    approvals: tuple[Missing, ...] = ()
    waiting: int = 0
    keeps_category: bool = False


@dataclass(frozen=True)
class Impact:
    """The stages of a process before the change that hold open deals, or lose their place."""

    open_deals: int
    stages: tuple[StageImpact, ...]

    @property
    def moved(self) -> int:
        return sum(stage.count for stage in self.stages if stage.moves_to)

    @property
    def missing(self) -> int:
        return sum(one.count for stage in self.stages for one in stage.missing)

    @property
    def approvals(self) -> int:
        return sum(one.count for stage in self.stages for one in stage.approvals)

    @property
    def waiting(self) -> int:
        return sum(stage.waiting for stage in self.stages)


def process_impact(
    process_id: UUID, *, before: Document, after: Document, moves: Mapping[str, str]
) -> Impact:
    """`moves` says by id where the open deals of each removed stage go. A few queries, whatever the deals."""
    asked_before, asked_after = things_asked(before), things_asked(after)
    things = sorted({thing for asked in asked_after.values() for thing in asked})
    counts = _counts(process_id, things)
    labels = _labels(after)
    names = {stage["id"]: stage["name"] for stage in after["stages"] if stage["id"]}
    newly, waiting = _newly_approved(process_id, before, after), _waiting(before, after)
    gone = {stage["id"] for stage in removed_stages(before, after)}
    proposes = {stage["id"]: stage["category"] for stage in after["stages"]}
    found = []
    for stage in before["stages"]:
        goes_to = moves.get(stage["id"], "") if stage["id"] in gone else stage["id"]
        row = counts.get(stage["id"], {})
        new = asked_after.get(goes_to, set()) - asked_before.get(stage["id"], set())
        missing = [Missing(labels[thing], row.get(thing, 0)) for thing in sorted(new) if row.get(thing)]
        moves_to = names.get(goes_to, "?") if stage["id"] in gone else ""
        count = row.get("count", 0)
        approvals = tuple(
            Missing(label, above[stage["id"]])
            for label, place, above in newly
            if above.get(stage["id"]) and place > _place_of(after, goes_to)
        )
        waits = waiting.get(stage["id"], 0)
        keeps = proposes.get(stage["id"], stage["category"]) != stage["category"]
        if count or moves_to or waits:
            place = (stage["id"], stage["name"], count, moves_to, tuple(missing))
            found.append(StageImpact(*place, approvals, waits, keeps_category=keeps))
    return Impact(sum(row["count"] for row in counts.values()), tuple(found))


def _place_of(document: Document, stage_id: str) -> int:
    return next((place for place, stage in enumerate(document["stages"]) if stage["id"] == stage_id), -1)


def _newly_approved(
    process_id: UUID, before: Document, after: Document
) -> list[tuple[str, int, dict[str, int]]]:
    """Of each stage whose limit comes or falls: its name, its place, and by stage how many open deals are worth more
    than the new limit and no more than the old one. One query for each such stage.
    """
    limits = {stage["id"]: stage["approval_above_minor"] for stage in before["stages"]}
    found = []
    for place, stage in enumerate(after["stages"]):
        limit, old = stage["approval_above_minor"], limits.get(stage["id"])
        if limit is None or (old is not None and old <= limit):
            continue
        worth = Q(worth__gt=limit) if old is None else Q(worth__gt=limit, worth__lte=old)
        deals = _open_deals(process_id).alias(worth=_worth()).filter(worth)
        rows = deals.values_list("stage_id").annotate(Count("id"))
        found.append((stage["name"], place, {str(stage_id): count for stage_id, count in rows}))
    return found


def _worth() -> RawSQL:
    """The corporate amount of a deal, at the rates known now."""
    values = {"known": timezone.now(), "corporate": corporate_currency()}
    sql, names = positional(corporate_minor_sql(Opportunity._meta.db_table))
    return RawSQL(sql, [values[name] for name in names], output_field=BigIntegerField())


def _waiting(before: Document, after: Document) -> dict[str, int]:
    """By stage how many requests to enter it wait that the change takes the ground from. One query."""
    limits = {stage["id"]: stage["approval_above_minor"] for stage in after["stages"]}
    free = [stage["id"] for stage in before["stages"] if limits.get(stage["id"]) is None]
    requests = ApprovalRequest.objects.filter(state=ApprovalState.ASKED, stage_id__in=free)
    return {
        str(stage_id): count for stage_id, count in requests.values_list("stage_id").annotate(Count("id"))
    }


def _open_deals(process_id: UUID) -> Any:
    return Opportunity.objects.filter(
        process_id=process_id, outcome__isnull=True, deleted_at__isnull=True, stage__isnull=False
    )


def _counts(process_id: UUID, things: list[str]) -> dict[str, dict[str, int]]:
    """Per stage how many open deals it holds, and how many of them miss each thing."""
    deals = _open_deals(process_id)
    aliases, conditions = _conditions(things)
    columns = {f"t{number}": Count("id", filter=condition) for number, condition in enumerate(conditions)}
    rows = deals.alias(**aliases).values("stage_id").annotate(count=Count("id"), **columns)
    return {
        str(row["stage_id"]): {
            "count": row["count"],
            **{thing: row[f"t{number}"] for number, thing in enumerate(things)},
        }
        for row in rows
    }


def _conditions(things: list[str]) -> tuple[dict[str, Any], list[Q]]:
    """For each thing the condition that a deal misses it, and what the conditions are made of."""
    columns = {name: column for name, column, _ in BUILT_IN}
    custom = {}
    if any(thing.startswith(f"field:{PREFIX}") for thing in things):
        custom = {field.name: field for field in field_book("deal").active}
    aliases: dict[str, Any] = {}
    conditions = []
    for number, thing in enumerate(things):
        kind, _, name = thing.partition(":")
        if kind == "field" and name in columns:
            conditions.append(_is_empty(columns[name]))
        elif kind == "field" and name in custom:
            aliases[f"a{number}"] = KeyTextTransform(custom[name].attribute, "attributes")
            conditions.append(_is_empty(f"a{number}") | Q(**{f"a{number}": ""}))
        elif kind == "milestone" and _is_uuid(name):
            marks = OpportunityMilestone.objects.filter(opportunity_id=OuterRef("id"), milestone_id=name)
            aliases[f"a{number}"] = Exists(marks)
            conditions.append(Q(**{f"a{number}": False}))
        else:
            # A milestone that isn't there yet is missing from every deal; a field that is gone from none.
            conditions.append(Q(pk__isnull=kind == "field"))
    return aliases, conditions


def _is_empty(column: str) -> Q:
    texts = ("next_step", "source", "kind")
    return Q(**{column: ""}) if column in texts else Q(**{f"{column}__isnull": True})


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _labels(document: Document) -> dict[str, str]:
    found = {f"field:{name}": label for name, _, label in BUILT_IN}
    found |= {f"field:{field.name}": field.label for field in field_book("deal").fields}
    for stage in document["stages"]:
        for one in stage["milestones"]:
            found[f"milestone:{one['id'] or one['name']}"] = f"{one['name']} ({stage['name']})"
    return found
