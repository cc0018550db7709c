"""The only writers of close plans: what is chosen, links made and revoked, ticks and comments from either side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from otc.audit.services import audit_append
from otc.notices.kinds import CLOSE_PLAN
from otc.notices.services import notice_send
from otc.tenancy.context import current_context
from otc.tenancy.models import Person
from otc.tenancy.names import clean_name
from otc.tenancy.services import fold
from otc.undo.registry import CantUndo, undoes
from pipeline.accounts.models import Contact
from pipeline.activities.services import CLOSE_PLAN as ACTIVITY
from pipeline.activities.services import activity_log
from pipeline.closeplan.links import hash_of, new_token
from pipeline.closeplan.models import ClosePlan, ClosePlanEvent, ClosePlanLink, PlanAct
from pipeline.closeplan.queries import FoundLink, plan_of
from pipeline.closeplan.report import shown_milestones
from pipeline.closeplan.rules import (
    MOST_CHARACTERS,
    PlanRefused,
    check_life,
    clean_comment,
)
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.models import Milestone, Side

REVOKED = "close_plan_link_revoked"
MOST_LINKS = 50
# What one link may write in its life: far more than people do, far less than a machine.
MOST_EVENTS_OF_LINK = 500


class LinkOver(RuntimeError):
    """The link was revoked or ended while its page stood open, or its deal is gone."""


@dataclass(frozen=True)
class IssuedLink:
    """A link with its token, which is nowhere else and can't be had again."""

    link: ClosePlanLink
    token: str


def plan_set(
    opportunity_id: UUID, *, title: str, person_ids: Sequence[UUID], milestone_ids: Sequence[UUID]
) -> ClosePlan:
    """Choose what the buyer is shown. Raises PlanRefused for a missing title, strangers and other milestones."""
    deal = deal_held(opportunity_id)
    title = clean_name(title)[:200]
    if not title:
        raise PlanRefused("title", "The plan needs a title that the buyer reads")
    known = set(Person.objects.filter(id__in=person_ids, left_on__isnull=True).values_list("id", flat=True))
    if known != set(person_ids):
        raise PlanRefused("people", "Choose people who are here")
    ours = Milestone.objects.filter(
        id__in=milestone_ids, side=Side.SELLER, stage__process_id=deal.process_id, retired_at__isnull=True
    )
    if set(ours.values_list("id", flat=True)) != set(milestone_ids):
        raise PlanRefused("milestones", "Choose milestones of this deal’s process that are ours")
    plan = plan_of(deal.id) or ClosePlan(opportunity=deal)
    plan.title = title
    plan.person_ids = [str(person_id) for person_id in dict.fromkeys(person_ids)]
    plan.milestone_ids = [str(milestone_id) for milestone_id in dict.fromkeys(milestone_ids)]
    plan.save()
    _note("close_plan.changed", deal, f"What the buyer sees of {deal.name} was chosen")
    return plan


def link_make(opportunity_id: UUID, *, recipient: str, expires_at: datetime, now: datetime) -> IssuedLink:
    """A new link for one recipient. Raises PlanRefused."""
    deal = deal_held(opportunity_id)
    recipient = clean_name(recipient)
    if not recipient or len(recipient) > 200:
        raise PlanRefused("recipient", "Say in at most 200 letters who gets the link: ticks bear that name")
    check_life(expires_at, now=now)
    if not deal.is_open:
        raise PlanRefused("recipient", "This deal is closed; reopen it before you share its plan")
    standing = ClosePlanLink.objects.filter(opportunity=deal, revoked_at__isnull=True, expires_at__gt=now)
    if standing.count() >= MOST_LINKS:
        raise PlanRefused("recipient", f"{MOST_LINKS} links are open already; revoke one first")
    token = new_token()
    link = ClosePlanLink(
        opportunity=deal,
        recipient=recipient,
        token_hash=hash_of(token),
        made_by_id=current_context().person_id,
        made_at=now,
        expires_at=expires_at,
    )
    link.save(force_insert=True)
    detail = {"link_id": link.id, "recipient": recipient, "expires_at": expires_at}
    _note("close_plan_link.made", deal, f"The close plan of {deal.name} was shared with {recipient}", detail)
    return IssuedLink(link, token)


def link_revoke(link: ClosePlanLink, *, now: datetime) -> bool:
    """End a link at once; False for one that was revoked already."""
    deal = deal_held(link.opportunity_id)
    standing = ClosePlanLink.objects.filter(id=link.id, revoked_at__isnull=True)
    if not standing.update(revoked_at=now):
        return False
    detail = {"link_id": link.id, "recipient": link.recipient}
    _note("close_plan_link.revoked", deal, f"The close plan’s link for {link.recipient} was revoked", detail)
    return True


@undoes(REVOKED, action="share_close_plan")
def put_link_back(payload: Mapping[str, Any]) -> str:
    """The same link opens again. Raises CantUndo once the deal is gone."""
    link = ClosePlanLink.objects.filter(id=UUID(payload["link"])).first()
    if link is None or not Opportunity.objects.filter(id=link.opportunity_id, deleted_at=None).exists():
        raise CantUndo("The deal is gone, and its links with it")
    deal = deal_held(link.opportunity_id)
    ClosePlanLink.objects.filter(id=link.id).update(revoked_at=None)
    detail = {"link_id": link.id, "recipient": link.recipient}
    _note("close_plan_link.restored", deal, f"The close plan’s link for {link.recipient} opens again", detail)
    return f"The link for {link.recipient} opens again"


def link_opened(link_id: UUID, *, now: datetime) -> None:
    """Remember when the page was last looked at."""
    ClosePlanLink.objects.filter(id=link_id).update(last_opened_at=now)


def buyer_tick(found: FoundLink, *, milestone_id: UUID, is_met: bool, now: datetime) -> bool:
    """The recipient ticks a step of theirs, or takes the tick back; False where it stood so already.

    Raises LinkOver, and PlanRefused for a step that is not theirs.
    """
    deal, link = _open_link(found, now=now)
    milestone = next((one for one in shown_milestones(None, deal) if one.id == milestone_id), None)
    if milestone is None or milestone.side != Side.BUYER:
        raise PlanRefused("milestone", "This step is no longer in the plan; load the page again")
    mark = OpportunityMilestone.objects.filter(opportunity=deal, milestone=milestone).first()
    if mark is not None and mark.waived_at is not None:
        raise PlanRefused("milestone", "This step is not needed any more")
    if (mark is not None) == is_met:
        return False
    if mark is not None and not mark.ticked_by:
        # Taking our mark away would take its evidence along.
        raise PlanRefused("milestone", "This step was marked as done by us; say in a comment what is missing")
    act = PlanAct.MET if is_met else PlanAct.OPEN
    milestone_mark(deal.id, milestone_id=milestone.id, state=act.value, now=now, ticked_by=link.recipient)
    _event(deal, act, now=now, link=link, milestone=milestone)
    did = f"{'ticked' if is_met else 'took back the tick of'} “{milestone.name}”"
    _active(deal, f"{link.recipient} {did}", now=now, recipient=link.recipient)
    _tell(deal, link, f"{link.recipient} {did} via close plan")
    return True


def buyer_comment(found: FoundLink, *, text: str, milestone_id: UUID | None, now: datetime) -> ClosePlanEvent:
    """The recipient says something, about a step that they see or the whole. Raises LinkOver and PlanRefused."""
    said = clean_comment(text)
    deal, link = _open_link(found, now=now)
    milestone = _shown(deal, milestone_id)
    event = _event(deal, PlanAct.COMMENT, now=now, link=link, milestone=milestone, text=said)
    _active(deal, f"{link.recipient}: {' '.join(said.split())}", now=now, recipient=link.recipient)
    _tell(deal, link, f"{link.recipient} via close plan: {' '.join(said.split())}")
    return event


def seller_comment(
    opportunity_id: UUID, *, text: str, milestone_id: UUID | None, now: datetime
) -> ClosePlanEvent:
    """One of our people says something that every recipient reads. Raises PlanRefused."""
    said = clean_comment(text)
    deal = deal_held(opportunity_id)
    milestone = _shown(deal, milestone_id)
    _active(deal, " ".join(said.split()), now=now)
    return _event(deal, PlanAct.COMMENT, now=now, milestone=milestone, text=said)


def tick_undo(event_id: UUID, *, opportunity_id: UUID, now: datetime) -> ClosePlanEvent:
    """Put a step back as it was before a recipient's tick. Raises PlanRefused where it has changed since."""
    deal = deal_held(opportunity_id)
    event = ClosePlanEvent.objects.select_related("milestone", "link").get(id=event_id, opportunity=deal)
    latest = ClosePlanEvent.objects.filter(
        opportunity=deal, milestone_id=event.milestone_id, act__in=[PlanAct.MET, PlanAct.OPEN]
    ).order_by("-at", "-id")
    mark = OpportunityMilestone.objects.filter(opportunity=deal, milestone_id=event.milestone_id).first()
    stands = mark is not None and mark.met_at is not None if event.act == PlanAct.MET else mark is None
    if event.act == PlanAct.COMMENT or latest[0].id != event.id or not stands:
        raise PlanRefused("event", "This step has changed since; mark it on the deal’s page instead")
    act = PlanAct.OPEN if event.act == PlanAct.MET else PlanAct.MET
    milestone_mark(deal.id, milestone_id=event.milestone_id, state=act.value, now=now)
    return _event(deal, act, now=now, milestone=event.milestone, undoes=event)


def _open_link(found: FoundLink, *, now: datetime) -> tuple[Opportunity, ClosePlanLink]:
    """The deal and the link, locked, so that nothing is written after a revocation. Raises LinkOver, PlanRefused."""
    deal = Opportunity.objects.select_for_update().filter(id=found.opportunity_id, deleted_at=None).first()
    link = ClosePlanLink.objects.select_for_update().filter(
        id=found.id, revoked_at__isnull=True, expires_at__gt=now
    )
    standing = link.first()
    if deal is None or standing is None:
        raise LinkOver
    if deal.outcome is not None:
        raise PlanRefused("milestone", "This plan is closed: nothing can be changed any more")
    if ClosePlanEvent.objects.filter(link=standing).count() >= MOST_EVENTS_OF_LINK:
        raise PlanRefused("text", "That is a great deal for one link; ask for a new one")
    return deal, standing


def _shown(deal: Opportunity, milestone_id: UUID | None) -> Milestone | None:
    """The step that a comment is about, if the buyer sees it."""
    if milestone_id is None:
        return None
    shown = shown_milestones(plan_of(deal.id), deal)
    found = next((one for one in shown if one.id == milestone_id), None)
    if found is None:
        raise PlanRefused("about", "This step is not in the plan; choose another or the whole plan")
    return found


def _event(
    deal: Opportunity,
    act: PlanAct,
    *,
    now: datetime,
    link: ClosePlanLink | None = None,
    milestone: Milestone | None = None,
    text: str = "",
    undoes: ClosePlanEvent | None = None,
) -> ClosePlanEvent:
    event = ClosePlanEvent(
        opportunity=deal,
        link=link,
        person_id=current_context().person_id,
        milestone=milestone,
        act=act,
        text=text[:MOST_CHARACTERS],
        undoes=undoes,
        at=now,
    )
    event.save(force_insert=True)
    return event


def _active(deal: Opportunity, subject: str, *, now: datetime, recipient: str = "") -> None:
    """What either side does in the plan is an activity: a deal whose buyer ticks is not silent.

    The recipient counts as the one contact of the account who is called so, if there is one.
    """
    contact_id = None
    if recipient and deal.account_id:
        named = Contact.objects.filter(account_id=deal.account_id, name_folded=fold(recipient))
        found = list(named.values_list("id", flat=True)[:2])
        contact_id = found[0] if len(found) == 1 else None
    activity_log(
        deal.id,
        kind=ACTIVITY,
        at=now,
        now=now,
        subject=subject,
        direction="in" if recipient else "out",
        contact_id=contact_id,
    )


def _tell(deal: Opportunity, link: ClosePlanLink, said: str) -> None:
    """The deal's owner, or whoever shared the plan where it has none."""
    person_id = deal.owner_id or link.made_by_id
    path = f"deals/{deal.id}/close-plan/"
    notice_send(person_id, text=f"{deal.name}: {said}", path=path, kind=CLOSE_PLAN, deal_id=deal.id)


def _note(action: str, deal: Opportunity, summary: str, detail: Mapping[str, Any] | None = None) -> None:
    audit_append(
        action, subject_kind="opportunity", subject_id=deal.id, summary=summary, detail=dict(detail or {})
    )
