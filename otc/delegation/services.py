"""The only writers of delegations."""

from datetime import date, datetime
from uuid import UUID

from otc.audit.services import audit_append
from otc.delegation.models import Delegation
from otc.delegation.rules import Absence, DelegationRefused, check_absence
from otc.tenancy.context import current_context
from otc.tenancy.lines import lock_lines
from otc.tenancy.models import Person
from otc.tenancy.permissions import STANDS_IN


def delegate_name(
    manager_id: UUID, *, delegate_id: UUID, first_on: date, last_on: date, today: date
) -> Delegation:
    """Let `delegate_id` stand in for the manager on these days. Raises DelegationRefused."""
    lock_lines()
    manager, delegate = _present(manager_id, field="manager"), _present(delegate_id, field="delegate")
    _check(manager, delegate, first_on=first_on, last_on=last_on, today=today)
    delegation = Delegation(
        manager=manager,
        delegate=delegate,
        first_on=first_on,
        last_on=last_on,
        named_by_id=current_context().person_id,
    )
    delegation.save()
    _record("delegation.named", delegation, "stands in for")
    return delegation


def delegation_end(delegation: Delegation, *, now: datetime) -> None:
    """Take it back at once; one that was taken back before keeps its first end."""
    if delegation.ended_at is not None:
        return
    delegation.ended_at, delegation.ended_by_id = now, current_context().person_id
    delegation.save(update_fields=["ended_at", "ended_by"])
    _record("delegation.ended", delegation, "no longer stands in for")


def delegation_restore(delegation: Delegation, *, today: date) -> None:
    """Undo of taking it back. Raises DelegationRefused where something stands against it by now."""
    lock_lines()
    if delegation.ended_at is None:
        return
    _check(
        delegation.manager,
        delegation.delegate,
        first_on=delegation.first_on,
        last_on=delegation.last_on,
        today=today,
    )
    delegation.ended_at = delegation.ended_by = None
    delegation.save(update_fields=["ended_at", "ended_by"])
    _record("delegation.restored", delegation, "stands in again for")


def _present(person_id: UUID, *, field: str) -> Person:
    """Somebody who is here and signs in to edit: only they have something to hand over or to take."""
    person: Person | None = Person.objects.filter(id=person_id).first()
    if person is None:
        raise DelegationRefused(field, "There is no such person")
    if person.left_on is not None:
        raise DelegationRefused(field, f"{person.name} has left; choose somebody who is here")
    if person.role not in STANDS_IN:
        role = person.get_role_display().lower()
        raise DelegationRefused(field, f"{person.name} is {role} and edits nothing; choose somebody who does")
    return person


def _check(manager: Person, delegate: Person, *, first_on: date, last_on: date, today: date) -> None:
    standing = Delegation.objects.filter(ended_at__isnull=True, last_on__gte=today)
    others = standing.values_list("manager_id", "delegate_id", "first_on", "last_on")
    check_absence(
        Absence(manager.id, delegate.id, first_on, last_on),
        manager=manager.name,
        delegate=delegate.name,
        others=[Absence(*other) for other in others],
        today=today,
    )


def _record(action: str, delegation: Delegation, words: str) -> None:
    audit_append(
        action,
        subject_kind="delegation",
        subject_id=delegation.id,
        summary=f"{delegation.delegate.name} {words} {delegation.manager.name}",
        detail={
            "manager_id": delegation.manager_id,
            "delegate_id": delegation.delegate_id,
            "first_on": delegation.first_on,
            "last_on": delegation.last_on,
        },
    )
