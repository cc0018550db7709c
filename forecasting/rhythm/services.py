"""The only writer of the rhythm."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from django.utils import timezone

from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.plan import plan
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import Beat
from otc.audit.services import audit_append
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from otc.undo.registry import CantUndo, undoes

UNDO = "rhythm"


def rhythm_set(organization: Organization, beat: Beat, *, now: datetime) -> Beat:
    """Let this rhythm hold from now on; what it still asks for today is planned at once. Returns the one before."""
    before = beat_now()
    if before == beat:
        return before
    Rhythm.objects.update_or_create(organization_id=organization.id, defaults=asdict(beat))
    changed = [
        field.name for field in fields(Beat) if getattr(before, field.name) != getattr(beat, field.name)
    ]
    audit_append(
        "rhythm.changed",
        subject_kind="organization",
        subject_id=organization.id,
        summary="When calls are due, periods locked and forecasts mailed was changed",
        detail={
            "before": {name: getattr(before, name) for name in changed},
            "after": {name: getattr(beat, name) for name in changed},
        },
    )
    plan(organization, now=now)
    return before


@undoes(UNDO, action="manage_rhythm")
def put_rhythm_back(payload: Mapping[str, Any]) -> str:
    """Unless somebody has changed it again."""
    if asdict(beat_now()) != payload["after"]:
        raise CantUndo("The rhythm was changed again since")
    organization = Organization.objects.get(id=current_organization_id())
    rhythm_set(organization, Beat(**payload["before"]), now=timezone.now())
    return "The rhythm is as it was"
