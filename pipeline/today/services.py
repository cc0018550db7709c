"""The only writer of answers: each does what it says to the deal through the deal's own services, and can be undone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.tenancy.context import act_on, current_context
from otc.ui import format as fmt
from otc.undo.registry import undoes
from otc.undo.services import undo_offer
from pipeline.activities.services import activity_forget, activity_log
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.next_step import next_step_finish
from pipeline.opportunities.rules import Refused, check_next_step, one_line
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.opportunities.undo import put_version_back
from pipeline.process.models import CloseReason
from pipeline.today.models import DealAnswer
from pipeline.today.queries import reasons_now
from pipeline.today.rules import (
    AMOUNT,
    CALL,
    LOSE,
    MAIL,
    NEXT_STEP,
    ON_TRACK,
    PUSH,
    SNOOZE,
    NotNow,
    check_on_track,
    check_push,
    holds_until,
)

UNDO = "today_answer"
# What one must be allowed to give each answer; the table of roles decides.
ACTIONS = {CALL: "log_activity", MAIL: "log_activity", LOSE: "close_deal"}
LOGGED = {CALL: "Call logged", MAIL: "Mail logged"}
ENDINGS = {"lost": "Lost", "no_decision": "No decision"}


def action_of(kind: str) -> str:
    """The action of the role table that an answer needs."""
    return ACTIONS.get(kind, "edit_deal")


@dataclass(frozen=True)
class Answer:
    """What somebody answers. `day` is the close date, the next step's day or the snooze's; `amount_minor` is in the
    deal's currency; `text` the next step or what a contact was about; `is_done` logs the present step as done.
    """

    kind: str
    day: date | None = None
    amount_minor: int | None = None
    text: str = ""
    is_done: bool = False
    outcome: str = "lost"
    reason_id: UUID | None = None
    competitor_id: UUID | None = None


@dataclass(frozen=True)
class Moment:
    """The one clock of a request, and the organization's day then."""

    now: datetime
    today: date


@dataclass(frozen=True)
class Done:
    """What an answer did, in words, and what puts it back: the version before it, the contact that it logged."""

    said: str
    version_id: UUID | None = None
    activity_id: UUID | None = None


def deal_answer(deal_id: UUID, answer: Answer, *, now: datetime, today: date) -> DealAnswer:
    """Do what the answer says and settle the reasons that stand; raises Refused, and then nothing is written."""
    moment = Moment(now, today)
    try:
        with transaction.atomic():
            deal = Opportunity.objects.select_for_update().get(id=deal_id)
            act_on(deal.owner_id)
            if deal.outcome is not None or deal.deleted_at is not None:
                raise Refused("kind", f"{deal.name} is closed; reopen it first")
            return _answer(deal, answer, moment)
    except NotNow as refusal:
        raise Refused(refusal.field, refusal.reason) from refusal


def _answer(deal: Opportunity, answer: Answer, moment: Moment) -> DealAnswer:
    reasons = reasons_now(deal, today=moment.today)
    until = holds_until(answer.kind, today=moment.today, day=answer.day)
    if answer.kind == ON_TRACK:
        check_on_track(reasons)
    done = DOES[answer.kind](deal, answer, moment)
    person_id = current_context().person_id
    assert person_id is not None, "answers are given by somebody"
    given = DealAnswer(
        opportunity=deal,
        person_id=person_id,
        kind=answer.kind,
        said=done.said[:300],
        reasons=list(reasons),
        # After what the answer itself wrote, which must not count as a change since.
        at=timezone.now(),
        on=moment.today,
        holds_until=until,
    )
    given.save(force_insert=True)
    payload = {
        "answer": str(given.id),
        "deal": str(deal.id),
        "version": str(done.version_id or ""),
        "activity": str(done.activity_id or ""),
    }
    given.step = undo_offer(UNDO, said=f"{deal.name}: {done.said}", payload=payload)
    given.save(update_fields=["step"])
    return given


def _edit(deal: Opportunity, changes: Mapping[str, Any]) -> UUID | None:
    """Write what differs and return the version before; None where it stands so already: then there is none."""
    if all(getattr(deal, column) == value for column, value in changes.items()):
        return None
    return opportunity_edit(deal.id, changes=changes).before


def _on_track(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    return Done(f"On track for {fmt.day(deal.close_date, today=moment.today)}")


def _push(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    day = check_push(answer.day, close_date=deal.close_date, today=moment.today)
    before = _edit(deal, {"close_date": day})
    return Done(f"Closes {fmt.day_with_weekday(day, today=moment.today)}", before)


def _amount(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    if not answer.amount_minor:
        raise Refused("amount", "Say what it is worth, like 120k")
    before = _edit(deal, {"amount_minor": answer.amount_minor})
    amount = fmt.money_full(answer.amount_minor, currency=deal.currency)
    return Done(f"Amount {amount} {deal.currency}", before)


def _next_step(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    text = one_line(answer.text, field="next_step")
    said = f"Next step: {text[:200]}"
    if answer.day is not None:
        said += f", {fmt.day_with_weekday(answer.day, today=moment.today)}"
    if answer.is_done:
        done = next_step_finish(
            deal.id, next_step=text, next_step_on=answer.day, now=moment.now, today=moment.today
        )
        return Done(said, done.written.before, done.activity_id)
    check_next_step(text, answer.day, today=moment.today)
    return Done(said, _edit(deal, {"next_step": text, "next_step_on": answer.day}))


def _log(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    logged = activity_log(deal.id, kind=answer.kind, at=moment.now, now=moment.now, subject=answer.text)
    return Done(LOGGED[answer.kind], activity_id=logged.id)


def _lose(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    if answer.outcome not in ENDINGS:
        raise Refused("outcome", "Here a deal is lost or ends without a decision; win it on its own page")
    written = opportunity_close(
        deal.id,
        outcome=answer.outcome,
        reason_id=answer.reason_id,
        competitor_id=answer.competitor_id,
        now=moment.now,
        today=moment.today,
    )
    reason = CloseReason.objects.values_list("name", flat=True).get(id=answer.reason_id)
    return Done(f"{ENDINGS[answer.outcome]}: {reason.lower()}", written.before)


def _snooze(deal: Opportunity, answer: Answer, moment: Moment) -> Done:
    assert answer.day is not None, "checked by holds_until"
    return Done(f"Snoozed until {fmt.day_with_weekday(answer.day, today=moment.today)}")


DOES: Mapping[str, Callable[[Opportunity, Answer, Moment], Done]] = {
    ON_TRACK: _on_track,
    PUSH: _push,
    AMOUNT: _amount,
    NEXT_STEP: _next_step,
    CALL: _log,
    MAIL: _log,
    LOSE: _lose,
    SNOOZE: _snooze,
}


@undoes(UNDO, action="edit_deal")
def put_answer_back(payload: Mapping[str, Any]) -> str:
    """The deal as it was and in the queue again. Raises CantUndo where somebody changed it since."""
    deal_id = UUID(payload["deal"])
    if payload["version"]:
        put_version_back(deal_id, UUID(payload["version"]))
    if payload["activity"]:
        activity_forget(UUID(payload["activity"]), opportunity_id=deal_id)
    DealAnswer.objects.filter(id=UUID(payload["answer"])).delete()
    name = Opportunity.objects.values_list("name", flat=True).get(id=deal_id)
    return f"{name} is back as it was"
