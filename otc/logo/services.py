"""The only writer of logos: set, taken away, and back again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.logo.models import Logo
from otc.logo.queries import logo_now
from otc.logo.rules import draw_logo
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import Organization
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer

KIND = "logo"
KEPT = 5


def logo_set(data: bytes, *, name: str = "The file", now: datetime) -> tuple[Logo, UUID | None]:
    """Show this picture from now on. Returns it and the step of its Undo. Raises LogoRefused: then nothing changed."""
    drawn = draw_logo(data, name=name)
    before = _held()
    made = Logo(
        image=drawn.image,
        content_type=drawn.content_type,
        width=drawn.width,
        height=drawn.height,
        set_by_id=current_context().person_id,
        set_at=now,
    )
    _show(made, instead_of=before, now=now)
    _forget_old()
    audit_append(
        "logo.set",
        subject_kind="logo",
        subject_id=made.id,
        summary=f"Logo of {made.width} × {made.height} pixels set",
    )
    return made, undo_offer(KIND, said="The logo", payload=_payload(made, before))


def logo_remove(*, now: datetime) -> UUID | None:
    """Show none. Returns the step of its Undo; None where there was none."""
    before = _held()
    if before is None:
        return None
    _show(None, instead_of=before, now=now)
    audit_append("logo.removed", subject_kind="logo", subject_id=before.id, summary="Logo removed")
    return undo_offer(KIND, said="The logo", payload=_payload(None, before))


@undoes(KIND, action="manage_logo")
def put_logo_back(payload: Mapping[str, Any]) -> str:
    present, now = _held(), timezone.now()
    if (str(present.id) if present else None) != payload["made"]:
        raise CantUndo("Somebody changed the logo since; set the one that you want")
    before = Logo.objects.filter(id=payload["before"]).first() if payload["before"] else None
    if payload["before"] and before is None:
        raise CantUndo("That logo is no longer kept; set it again")
    _show(before, instead_of=present, now=now)
    audit_append(
        "logo.set" if before else "logo.removed",
        subject_kind="logo",
        subject_id=before.id if before else None,
        summary="Logo put back as it was before",
    )
    return "The logo is as it was before"


def _held() -> Logo | None:
    """The logo that is shown, while nobody else changes it."""
    Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())
    return logo_now()


def _show(logo: Logo | None, *, instead_of: Logo | None, now: datetime) -> None:
    if instead_of is not None:
        Logo.objects.filter(id=instead_of.id).update(retired_at=now)
    if logo is None:
        return
    if logo._state.adding:
        logo.save(force_insert=True)
    else:
        Logo.objects.filter(id=logo.id).update(retired_at=None)


def _forget_old() -> None:
    old = Logo.objects.filter(retired_at__isnull=False).order_by("-retired_at", "-id")
    Logo.objects.filter(id__in=list(old.values_list("id", flat=True)[KEPT:])).delete()


def _payload(made: Logo | None, before: Logo | None) -> dict[str, str | None]:
    return {"made": str(made.id) if made else None, "before": str(before.id) if before else None}
