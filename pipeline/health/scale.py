"""What failed checks cost in this organization: the scale that stands, the one of a past day, and its changes."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from otc.audit.services import audit_append
from otc.jobs.services import enqueue
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import FOREVER, Organization
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.health.models import HealthScale
from pipeline.health.rules import BANDS, BITS, CHECKS, PUBLISHED, Scale

KIND = "health_scale"
MOST_PENALTY = 100

# Each open deal's score on another scale, from the bits of its failed checks: what isn't made now can't be foreseen.
BAND_OF = "CASE {} END".format(
    " ".join(f"WHEN {{score}} >= {band.least} THEN '{band.key}'" for band in BANDS)
)
PREVIEW = """
SELECT before, after, count(*) FROM (
  SELECT {before} AS before, {after} AS after FROM (
    SELECT score, greatest(0, 100 - ({penalties})) AS wanted FROM pipeline_health
    WHERE organization_id = %(organization)s) AS s) AS b
GROUP BY before, after
"""


def scale_at(at: datetime) -> Scale:
    """The scale that stood at `at`; before any was set, the published one. One query."""
    row = HealthScale.objects.filter(valid_from__lte=at, valid_to__gt=at).first()
    return PUBLISHED if row is None else Scale(row.penalties, frozenset(row.off))


def bands_moved(scale: Scale) -> dict[tuple[str, str], int]:
    """How many open deals would go from which band to which, by the checks that were found to fail. One query.

    A check that is switched on by the change was not made, so nobody knows yet whom it would fail.
    """
    costs = [f"(checks >> {BITS[check.key].bit_length() - 1} & 1) * {cost}" for check, cost in scale.made]
    sql = PREVIEW.format(
        before=BAND_OF.format(score="score"),
        after=BAND_OF.format(score="wanted"),
        penalties=" + ".join(costs) or "0",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": str(current_organization_id())})
        return {(before, after): count for before, after, count in cursor.fetchall()}


def scale_set(*, penalties: Mapping[str, int], off: Collection[str]) -> UUID | None:
    """Set what failed checks cost and which checks aren't made, from now on. Returns the step that Undo takes back.

    Every open deal is brought up to date by a job that is asked for at once. What is so already changes nothing.
    """
    before = _standing()
    published = {check.key: check.penalty for check in CHECKS}
    wanted = Scale(
        {key: cost for key, cost in penalties.items() if published.get(key, cost) != cost}, frozenset(off)
    )
    if wanted == before[1]:
        return None
    row = _write(wanted)
    detail = {"before": _as_json(before[1]), "after": _as_json(wanted)}
    audit_append(
        "health_scale.changed",
        subject_kind="organization",
        subject_id=current_organization_id(),
        summary=_said(before[1], wanted),
        detail=detail,
    )
    payload = {"scale": str(row.id), **_as_json(before[1])}
    return undo_offer(KIND, said="The checks weigh what they did before", payload=payload)


@undoes(KIND, action="manage_health")
def put_scale_back(payload: Mapping[str, Any]) -> str:
    """The scale of before, unless somebody has set another since."""
    row, scale = _standing()
    if row is None or str(row.id) != payload["scale"]:
        raise CantUndo("Somebody has set the checks since; look at them in the settings")
    wanted = Scale(payload["penalties"], frozenset(payload["off"]))
    _write(wanted)
    audit_append(
        "health_scale.changed",
        subject_kind="organization",
        subject_id=current_organization_id(),
        summary=f"{_said(scale, wanted)} (undone)",
        detail={"before": _as_json(scale), "after": _as_json(wanted)},
    )
    return "The checks weigh what they did before; every deal is brought up to date now"


def _standing() -> tuple[HealthScale | None, Scale]:
    """The row that stands, held so that two administrators come one after the other, and what it says."""
    Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())
    row = HealthScale.objects.filter(valid_to=FOREVER).first()
    return row, PUBLISHED if row is None else Scale(row.penalties, frozenset(row.off))


def _write(scale: Scale) -> HealthScale:
    now = timezone.now()
    HealthScale.objects.filter(valid_to=FOREVER).update(valid_to=now)
    row = HealthScale(
        penalties=dict(scale.penalties),
        off=sorted(scale.off),
        set_by_id=current_context().person_id,
        valid_from=now,
    )
    row.save(force_insert=True)
    enqueue("health_daily", key="scale")
    return row


def _as_json(scale: Scale) -> dict[str, Any]:
    return {"penalties": dict(scale.penalties), "off": sorted(scale.off)}


def _said(before: Scale, after: Scale) -> str:
    """Which checks weigh what now: "Silent costs 20 instead of 15; Stalled in stage is off"."""
    parts = []
    for check in CHECKS:
        was, now = before.penalty(check), after.penalty(check)
        if check.key in after.off - before.off:
            parts.append(f"{check.title} is off")
        elif check.key in before.off - after.off:
            parts.append(f"{check.title} is on and costs {now}")
        elif was != now:
            parts.append(f"{check.title} costs {now} instead of {was}")
    return "; ".join(parts)
