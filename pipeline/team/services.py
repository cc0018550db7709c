"""The only writers of deal teams and splits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from otc.audit.services import audit_append
from otc.tenancy.context import current_context
from otc.tenancy.models import FOREVER, Person
from otc.tenancy.permissions import may
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.models import Opportunity
from pipeline.team.models import DealTeamMember, Split
from pipeline.team.rules import Share, TeamRefused, check_shares, checked_part

CONSTRAINT = "split_sums_to_whole"


def team_member_add(opportunity_id: UUID, *, person_id: UUID, part: str, now: datetime) -> DealTeamMember:
    """Put a person on the deal's team; who is on it already gets the new part from now on. Raises TeamRefused."""
    deal = deal_held(opportunity_id)
    part = checked_part(part)
    person = _present(person_id, field="person")
    if person.id == deal.owner_id:
        raise TeamRefused("person", f"{person.name} owns this deal; the team is whoever helps")
    present = DealTeamMember.objects.filter(
        opportunity_id=deal.id, person_id=person.id, valid_to=FOREVER
    ).first()
    if present is not None and present.part == part:
        return _named(present)
    before = present.part if present is not None else None
    if present is not None:
        _end(present, now=now)
    member = DealTeamMember(
        opportunity_id=deal.id,
        person=person,
        part=part,
        added_by_id=current_context().person_id,
        valid_from=now,
    )
    member.save()
    action = "team_member.added" if before is None else "team_member.changed"
    _note_member(action, deal, member, f"is on the team of {deal.name} as {part}", before=before)
    return member


def team_member_remove(opportunity_id: UUID, member_id: UUID, *, now: datetime) -> DealTeamMember:
    """Take somebody off the team; who is off already stays so. Raises DoesNotExist for a member of another deal."""
    deal = deal_held(opportunity_id)
    member = _member(opportunity_id, member_id)
    if member.valid_to == FOREVER:
        _end(member, now=now)
        _note_member("team_member.removed", deal, member, f"is no longer on the team of {deal.name}")
    return member


def team_member_restore(opportunity_id: UUID, member_id: UUID) -> DealTeamMember:
    """Undo of a removal: on the team as if never off. Raises TeamRefused when they were put on it again since."""
    deal = deal_held(opportunity_id)
    member = _member(opportunity_id, member_id)
    if member.valid_to == FOREVER:
        return member
    again = DealTeamMember.objects.filter(
        opportunity_id=opportunity_id, person_id=member.person_id, valid_to=FOREVER
    )
    if again.exists():
        raise TeamRefused("person", f"{member.person.name} is on the team already")
    member.valid_to, member.removed_by = FOREVER, None
    member.save(update_fields=["valid_to", "removed_by"])
    _note_member("team_member.restored", deal, member, f"is on the team of {deal.name} again")
    return member


def splits_set(opportunity_id: UUID, *, shares: Sequence[Share], now: datetime) -> None:
    """Let the deal be split like this from now on; no shares: it is its owner's again. Raises TeamRefused.

    Whoever keeps kind and share keeps the row.
    """
    deal = deal_held(opportunity_id)
    check_shares(shares)
    for share in shares:
        _present(share.person_id, field="splits")
    wanted = {(share.person_id, share.kind, share.share_bp) for share in shares}
    present = list(Split.objects.filter(opportunity_id=deal.id, valid_to=FOREVER))
    before = {(split.person_id, split.kind, split.share_bp) for split in present}
    if before == wanted:
        return
    kept = set()
    for split in present:
        key = (split.person_id, split.kind, split.share_bp)
        if key in wanted:
            kept.add(key)
        else:
            split.valid_to = now
            split.save(update_fields=["valid_to"])
    Split.objects.bulk_create(
        Split(
            opportunity_id=deal.id,
            person_id=person_id,
            kind=kind,
            share_bp=share_bp,
            set_by_id=current_context().person_id,
            valid_from=now,
        )
        for person_id, kind, share_bp in sorted(wanted - kept)
    )
    # Checked here, where it can still be answered, and not only at commit.
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {CONSTRAINT} IMMEDIATE; SET CONSTRAINTS {CONSTRAINT} DEFERRED")
    _note_splits(deal, before=before, after=wanted)


def _present(person_id: UUID, *, field: str) -> Person:
    """A person who signs in and hasn't left: an integration is on no team."""
    person: Person | None = Person.objects.filter(id=person_id).first()
    if person is None:
        raise TeamRefused(field, "There is no such person")
    if person.left_on is not None:
        raise TeamRefused(field, f"{person.name} has left; choose somebody who is here")
    if not may(person.role, "use_pages"):
        raise TeamRefused(field, f"{person.name} is no person but an integration")
    return person


def _member(opportunity_id: UUID, member_id: UUID) -> DealTeamMember:
    found = DealTeamMember.objects.select_related("person")
    member: DealTeamMember = found.get(id=member_id, opportunity_id=opportunity_id)
    return member


def _named(member: DealTeamMember) -> DealTeamMember:
    return _member(member.opportunity_id, member.id)


def _end(member: DealTeamMember, *, now: datetime) -> None:
    member.valid_to = max(now, member.valid_from)
    member.removed_by_id = current_context().person_id
    member.save(update_fields=["valid_to", "removed_by"])


def _note_member(
    action: str, deal: Opportunity, member: DealTeamMember, words: str, *, before: str | None = None
) -> None:
    detail = {"person_id": member.person_id, "person": member.person.name, "part": member.part}
    if before is not None:
        detail["before"] = before
    summary = f"{member.person.name} {words}"
    audit_append(action, subject_kind="deal", subject_id=deal.id, summary=summary, detail=detail)


def _note_splits(
    deal: Opportunity, *, before: set[tuple[UUID, str, int]], after: set[tuple[UUID, str, int]]
) -> None:
    """Who had which share, and who has which now."""
    ids = {person_id for person_id, _, _ in before | after}
    names = dict(Person.objects.filter(id__in=ids).values_list("id", "name"))

    def told(shares: set[tuple[UUID, str, int]]) -> list[str]:
        named = sorted((kind, -share_bp, names[person_id]) for person_id, kind, share_bp in shares)
        return [f"{name}: {-negative / 100:g} % {kind}" for kind, negative, name in named]

    how = f"is split between {len(after):,}" if after else "is its owner's alone"
    audit_append(
        "split.changed",
        subject_kind="deal",
        subject_id=deal.id,
        summary=f"{deal.name} {how}",
        detail={"before": told(before), "after": told(after)},
    )
