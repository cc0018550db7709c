"""Tell people of what happened to deals: given to them, big and changed, fallen in health, due."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.notices.kinds import ASSIGNED, AT_RISK, BIG_DEAL, CLOSE_DATE_PASSED, MILESTONE_DUE
from otc.notices.services import notice_send, notices_send
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from otc.ui import format as fmt
from pipeline.health.queries import paths, settled_milestones
from pipeline.history.changes import changes
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Milestone
from pipeline.telling.models import DealTold
from pipeline.telling.queries import chance_of, concerned, look_of, may_be_told, steps_since
from pipeline.telling.rules import Threshold, changed_much, has_fallen, is_big

# Before a deal is told of for the first time: what the job was asked for lies seconds back, at most this.
FIRST_LOOK = timedelta(minutes=10)
NAMED = 3


def deal_tell(opportunity_id: UUID, *, now: datetime) -> None:
    """Tell whom the deal's changes since the last time concern. One row per deal keeps up to when."""
    told = DealTold.objects.select_for_update().filter(opportunity_id=opportunity_id).first()
    before, steps = steps_since(opportunity_id, since=told.until if told else now - FIRST_LOOK)
    if not steps:
        return
    until = steps[-1].valid_from
    if told is None:
        DealTold(opportunity_id=opportunity_id, until=until).save(force_insert=True)
    else:
        DealTold.objects.filter(id=told.id).update(until=until)
    _tell_new_owner(before, steps, now=now)
    _tell_of_big(before, steps, now=now)


def _tell_new_owner(before: Any, steps: Sequence[Any], *, now: datetime) -> None:
    """Whoever owns it now and didn't before, unless they took it themselves."""
    latest, previous = steps[-1], before
    giver = None
    for step in steps:
        if previous is None or previous.owner_id != step.owner_id:
            giver = step
        previous = step
    had = before.owner_id if before is not None else None
    if giver is None or latest.owner_id in (None, had, giver.actor_id) or latest.deleted_at is not None:
        return
    if not may_be_told([latest.owner_id], latest.opportunity_id, now=now):
        return
    by = f"{giver.actor.name} gave you" if giver.actor else "You were given"
    notice_send(
        latest.owner_id,
        text=f"{by} {latest.name}{_amount(latest)}",
        path=f"deals/{latest.opportunity_id}/",
        kind=ASSIGNED,
        deal_id=latest.opportunity_id,
    )


def _tell_of_big(before: Any, steps: Sequence[Any], *, now: datetime) -> None:
    """Everybody concerned but who did it, where the deal is big before or after and changed much."""
    organization = Organization.objects.get(id=current_organization_id())
    threshold = Threshold(organization.big_deal_minor, organization.big_deal_percent)
    if threshold.amount_minor is None:
        return
    latest = steps[-1]
    after = look_of(latest, p_won=chance_of(latest))
    was = look_of(before) if before is not None else None
    was_big = was is not None and is_big(was, threshold=threshold)
    if not (was_big or is_big(after, threshold=threshold)) or (was and not changed_much(was, after)):
        return
    actors = {step.actor_id for step in steps}
    asked = [one for one in concerned(latest.opportunity_id, latest.owner_id, now=now) if {one} != actors]
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    notices_send(
        may_be_told(asked, latest.opportunity_id, now=now),
        text=f"Big deal {latest.name}{_amount(latest)}: {_told(before, latest, today=today)}",
        path=f"deals/{latest.opportunity_id}/" if latest.deleted_at is None else "",
        is_bad=latest.outcome in ("lost", "no_decision"),
        kind=BIG_DEAL,
        deal_id=latest.opportunity_id,
    )


def _told(before: Any, latest: Any, *, today: date) -> str:
    told = [change.sentence for change in changes(before, latest, today=today)]
    who = f" ({latest.actor.name})" if latest.actor else ""
    return "; ".join(told[:NAMED]).strip() + who


def _amount(state: Any) -> str:
    if state.amount_minor is None:
        return ""
    return f" ({fmt.money_full(state.amount_minor, currency=state.currency)} {state.currency})"


def health_fell_tell(scores: Mapping[UUID, tuple[int, int]]) -> None:
    """Tell the owners of deals whose score fell: {deal: (before, after)}. One notice per owner, however many fell."""
    fell = [deal_id for deal_id, (before, after) in scores.items() if has_fallen(before, after)]
    if not fell:
        return
    found = Opportunity.objects.filter(id__in=fell, owner__isnull=False, owner__left_on__isnull=True)
    for owner_id, deals in _by_owner(
        found.only("id", "name", "owner_id").order_by("name_folded", "id")
    ).items():
        if len(deals) == 1:
            before, after = scores[deals[0].id]
            text = f"{deals[0].name} fell in health from {before} to {after}"
        else:
            text = f"{len(deals)} deals of yours fell in health: {_names(deals)}"
        _send_of(owner_id, deals, text=text, kind=AT_RISK, path="today/", is_bad=True)


def deals_due_tell(opportunity_ids: Sequence[UUID], *, today: date, now: datetime) -> None:
    """Of these open deals, tell the owners whose close date was yesterday, and whose milestones are due today."""
    found = Opportunity.objects.filter(
        id__in=opportunity_ids, owner__isnull=False, owner__left_on__isnull=True
    )
    deals = list(found.order_by("name_folded", "id"))
    passed = [deal for deal in deals if deal.close_date == today - timedelta(days=1)]
    for owner_id, theirs in _by_owner(passed).items():
        what = theirs[0].name if len(theirs) == 1 else f"{len(theirs)} deals of yours: {_names(theirs)}"
        text = f"The close date has passed of {what}"
        _send_of(owner_id, theirs, text=text, kind=CLOSE_DATE_PASSED, path="today/", is_bad=True)
    due = _milestones_due(deals, today=today, now=now)
    for owner_id, theirs in _by_owner(deal for deal in deals if deal.id in due).items():
        names = [f"{name} ({deal.name})" for deal in theirs for name in due[deal.id]]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        text = f"Due today: {', '.join(names[:NAMED])}{more}"
        _send_of(owner_id, theirs, text=text, kind=MILESTONE_DUE, path="today/")


def _milestones_due(deals: Sequence[Opportunity], *, today: date, now: datetime) -> dict[UUID, list[str]]:
    """The names of what waits in each deal's stage and is due today. Four queries."""
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id()))
    milestones: dict[UUID | None, list[Milestone]] = {}
    for one in Milestone.objects.filter(retired_at__isnull=True).order_by("position", "id"):
        milestones.setdefault(one.stage_id, []).append(one)
    staged = [deal for deal in deals if deal.stage_id in milestones]
    ids = [deal.id for deal in staged]
    walked, settled = paths(ids, now=now), settled_milestones(ids)
    due: dict[UUID, list[str]] = {}
    for deal in staged:
        path = walked.get(deal.id)
        since = (path.stage_since if path else None) or deal.created_at
        entered = since.astimezone(zone).date()
        names = [
            one.name
            for one in milestones.get(deal.stage_id, ())
            if entered + timedelta(days=one.due_days) == today and one.id not in settled.get(deal.id, ())
        ]
        if names:
            due[deal.id] = names
    return due


def _by_owner(deals: Iterable[Opportunity]) -> dict[UUID, list[Opportunity]]:
    found: dict[UUID, list[Opportunity]] = {}
    for deal in deals:
        if deal.owner_id is not None:
            found.setdefault(deal.owner_id, []).append(deal)
    return found


def _names(deals: Sequence[Opportunity]) -> str:
    named = ", ".join(deal.name for deal in deals[:NAMED])
    return f"{named} and {len(deals) - NAMED} more" if len(deals) > NAMED else named


def _send_of(
    owner_id: UUID, deals: Sequence[Opportunity], *, text: str, kind: str, path: str, is_bad: bool = False
) -> None:
    """One deal opens itself, several open the page that lists them."""
    one = deals[0] if len(deals) == 1 else None
    notice_send(
        owner_id,
        text=text,
        path=f"deals/{one.id}/" if one else path,
        is_bad=is_bad,
        kind=kind,
        deal_id=one.id if one else None,
    )
