"""What would a change of a process touch? Open deals by stage, and what they would then miss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform

from otc.fields.queries import field_book
from otc.fields.rules import PREFIX
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
    """`moves_to` names where the stage's open deals go; empty where they stay."""

    id: str
    name: str
    count: int
    moves_to: str
    missing: tuple[Missing, ...]


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


def process_impact(
    process_id: UUID, *, before: Document, after: Document, moves: Mapping[str, str]
) -> Impact:
    """`moves` says by id where the open deals of each removed stage go. Two queries, three with custom fields."""
    asked_before, asked_after = things_asked(before), things_asked(after)
    things = sorted({thing for asked in asked_after.values() for thing in asked})
    counts = _counts(process_id, things)
    labels = _labels(after)
    names = {stage["id"]: stage["name"] for stage in after["stages"] if stage["id"]}
    gone = {stage["id"] for stage in removed_stages(before, after)}
    found = []
    for stage in before["stages"]:
        goes_to = moves.get(stage["id"], "") if stage["id"] in gone else stage["id"]
        row = counts.get(stage["id"], {})
        new = asked_after.get(goes_to, set()) - asked_before.get(stage["id"], set())
        missing = [Missing(labels[thing], row.get(thing, 0)) for thing in sorted(new) if row.get(thing)]
        moves_to = names.get(goes_to, "?") if stage["id"] in gone else ""
        count = row.get("count", 0)
        if count or moves_to:
            found.append(StageImpact(stage["id"], stage["name"], count, moves_to, tuple(missing)))
    return Impact(sum(row["count"] for row in counts.values()), tuple(found))


def _counts(process_id: UUID, things: list[str]) -> dict[str, dict[str, int]]:
    """Per stage how many open deals it holds, and how many of them miss each thing."""
    deals = Opportunity.objects.filter(
        process_id=process_id, outcome__isnull=True, deleted_at__isnull=True, stage__isnull=False
    )
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
