"""The only writers of organizations, people and reporting lines."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.context import current_organization_id, use
from otc.tenancy.lines import chart_at, lock_lines
from otc.tenancy.models import FOREVER, Organization, Person, ReportingLine, Role, Visibility
from otc.tenancy.names import clean_lines, clean_name


class LastAdministrator(ValueError):
    """Without this person nobody who can sign in would administer the organization."""


class CyclicLine(ValueError):
    """A reporting line that would lead back to the person."""


def fold(text: str) -> str:
    """The form in which names are looked up and sorted: case folded, spaces single."""
    return " ".join(text.casefold().split())


def organization_create(
    *,
    slug: str,
    name: str,
    currency: str = "USD",
    timezone_name: str = "UTC",
    fiscal_year_start_month: int = 1,
    visibility: str = Visibility.TEAM,
    organization_id: UUID | None = None,
) -> Organization:
    """Make a tenant. Its id is chosen here because its fence wants the organization in context."""
    organization = Organization(
        id=organization_id or uuid4(),
        slug=slug,
        name=name,
        currency=currency,
        timezone=timezone_name,
        fiscal_year_start_month=fiscal_year_start_month,
        visibility=visibility,
    )
    with use(organization.id):
        organization.save(force_insert=True)
        facts = ("slug", "name", "currency", "timezone", "fiscal_year_start_month", "visibility")
        audit_append(
            "organization.created",
            subject_kind="organization",
            subject_id=organization.id,
            summary=f"Created {name}",
            detail={fact: getattr(organization, fact) for fact in facts},
        )
    return organization


def person_create(
    *,
    name: str,
    role: str = Role.REP,
    manager: Person | None = None,
    is_top: bool = False,
    since: datetime | None = None,
    **fields: object,
) -> Person:
    """Add a person; with `manager` or `is_top` also the reporting line from `since` on (default: now)."""
    name = clean_name(name)
    person = Person(name=name, name_folded=fold(name), role=role, **fields)
    person.save()
    audit_append(
        "person.created",
        subject_kind="person",
        subject_id=person.id,
        summary=f"Added {person.name} as {person.role}",
        detail={"role": person.role, "has_sign_in": person.user_id is not None},
    )
    if manager is not None or is_top:
        line_set(person, manager_id=manager.id if manager else None, since=since or timezone.now())
    return person


def line_set(person: Person, *, manager_id: UUID | None, since: datetime) -> ReportingLine:
    """Let `person` report to `manager_id` (None: a declared top) from `since` on, whatever was planned after it.

    Raises CyclicLine where that would lead back to the person, then or at a later change that is planned already.
    """
    lock_lines()
    lines = ReportingLine.objects.filter(person_id=person.id, valid_to__gt=since)
    current = lines.filter(valid_from__lte=since).first()
    if current is not None and current.valid_to == FOREVER and current.manager_id == manager_id:
        return current
    _check_cycles(person, manager_id, since=since)
    lines.filter(valid_from__gte=since).delete()
    lines.filter(valid_from__lt=since).update(valid_to=since)
    line = ReportingLine(person_id=person.id, manager_id=manager_id, valid_from=since)
    line.save()
    audit_append(
        "line.changed",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name} reports to {_name_of(manager_id)}",
        detail={"manager_id": manager_id, "before": current.manager_id if current else None, "since": since},
    )
    return line


def _check_cycles(person: Person, manager_id: UUID | None, *, since: datetime) -> None:
    """Refuse a manager who reports to the person on the chart of `since` or of any later planned day."""
    if manager_id is None:
        return
    later = ReportingLine.objects.filter(valid_from__gt=since).values_list("valid_from", flat=True)
    for instant in sorted({since, *later}):
        if manager_id in chart_at(instant).branch(person.id):
            raise CyclicLine(f"{person.name} can't report to somebody who reports to {person.name}")


def visibility_set(organization_id: UUID, *, visibility: str) -> str:
    """Choose who sees which deals in the organization in context; returns what was chosen before."""
    organization = Organization.objects.select_for_update().get(id=organization_id)
    before: str = organization.visibility
    if before != visibility:
        organization.visibility = visibility
        organization.save(update_fields=["visibility"])
        audit_append(
            "visibility.changed",
            subject_kind="organization",
            subject_id=organization.id,
            summary=f"Who sees which deals: {Visibility(visibility).label.lower()}",
            detail={"before": before, "after": visibility},
        )
    return before


def _name_of(manager_id: UUID | None) -> str:
    return (
        Person.objects.values_list("name", flat=True).get(id=manager_id) if manager_id else "nobody, as a top"
    )


def person_describe(person: Person, *, name: str, title: str, territory: str) -> None:
    """Change what a person is called and does. Raises ValueError where nothing of the name can be seen."""
    before = {"name": person.name, "title": person.title, "territory": person.territory}
    after = clean_lines({"name": name, "title": title, "territory": territory})
    if not after["name"]:
        raise ValueError("A name has at least one character that can be seen")
    if after == before:
        return
    for field, value in after.items():
        setattr(person, field, value)
    person.name_folded = fold(person.name)
    person.save(update_fields=[*after, "name_folded"])
    changed = [field for field in after if after[field] != before[field]]
    audit_append(
        "person.described",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name}: {', '.join(changed)} changed",
        detail={field: [before[field], after[field]] for field in changed},
    )


def person_role_set(person: Person, *, role: str) -> None:
    """Give a person another role. Raises LastAdministrator."""
    if person.role == role:
        return
    before, words = person.role, f"{person.get_role_display()} to {Role(role).label}"
    _keep_an_administrator(person)
    person.role = role
    person.save(update_fields=["role"])
    audit_append(
        "role.changed",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name} went from {words}",
        detail={"before": before, "after": role},
    )


def person_leave(person: Person, *, now: datetime, today: date) -> None:
    """End a person's access at once: pages and tokens are refused from the next request on.

    The middleware compares with the day in UTC, pages with the organization's: the earlier of both has begun in
    each. Raises LastAdministrator.
    """
    _keep_an_administrator(person)
    person.left_on = min(now.astimezone(UTC).date(), today)
    person.save(update_fields=["left_on"])
    _note_access(person, "person.deactivated", "no longer has access")


def person_return(person: Person) -> None:
    """Give a person who left their access back: sign-in, role and living tokens are as they were."""
    person.left_on = None
    person.save(update_fields=["left_on"])
    _note_access(person, "person.reactivated", "has access again")


def _note_access(person: Person, action: str, words: str) -> None:
    audit_append(action, subject_kind="person", subject_id=person.id, summary=f"{person.name} {words}")


def _keep_an_administrator(person: Person) -> None:
    """Under a lock, so that two administrators can't put each other out together."""
    lock_lines()
    if person.role != Role.ADMINISTRATOR or person.user_id is None:
        return
    others = Person.objects.filter(role=Role.ADMINISTRATOR, user__isnull=False, left_on__isnull=True)
    if not others.exclude(id=person.id).exists():
        raise LastAdministrator(
            f"{person.name} is the only administrator who signs in; appoint another first"
        )


def organization_policy_set(
    *, second_factor: str, session_idle_minutes: int | None, session_length_hours: int | None
) -> Organization:
    """What sign-ins must fulfil from the next request on, for the organization in context."""
    organization = Organization.objects.select_for_update().get(id=current_organization_id())
    after = {
        "second_factor": second_factor,
        "session_idle_minutes": session_idle_minutes,
        "session_length_hours": session_length_hours,
    }
    before = {name: getattr(organization, name) for name in after}
    if before == after:
        return organization
    for name, value in after.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(after))
    audit_append(
        "policy.changed",
        subject_kind="organization",
        subject_id=organization.id,
        summary="What sign-ins must fulfil was changed",
        detail={"before": before, "after": after},
    )
    return organization
