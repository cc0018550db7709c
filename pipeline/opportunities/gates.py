"""What the process says to a change of a deal: the engine of pipeline/process/rules.py, asked about a real one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.fields.rules import stored
from otc.money.queries import corporate_currency, rate_on
from otc.money.rules import MoneyError, convert
from otc.tenancy.context import current_context
from otc.tenancy.models import FOREVER
from otc.ui import format as fmt
from pipeline.approvals.queries import approved_minor_of, approvers_of
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.holding import as_it_stands
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.process.models import Stage
from pipeline.process.queries import Rulebook, hold_process, place_of, process_rulebook, process_stages
from pipeline.process.rules import (
    BUILT_IN,
    OUTSIDE,
    DealFacts,
    Verdict,
    judge_amount,
    judge_arrival,
    judge_emptying,
    judge_move,
    judge_removal,
    judge_winning,
    mapped_stage,
)

EMPTY = (None, "")


@dataclass(frozen=True)
class Before:
    """What of a deal the gates compare with what it becomes. A new deal has nothing before."""

    stage_id: UUID | None = None
    process_id: UUID | None = None
    amount_minor: int | None = None
    currency: str = ""
    filled: frozenset[str] = frozenset()
    attributes: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Passage:
    """A move that may happen. `approved_by_moving`: whoever moves it is its approver, for this stage and amount."""

    stage_id: UUID | None = None
    amount_minor: int | None = None
    approved_by_moving: bool = False


FREE = Passage()


def before_of(deal: Opportunity) -> Before:
    """The deal as it stands, before it is changed."""
    return Before(
        deal.stage_id,
        deal.process_id,
        deal.amount_minor,
        deal.currency,
        _filled_columns(deal),
        dict(deal.attributes or {}),
    )


def check_change(deal: Opportunity, *, before: Before, approved_minor: int | None = None) -> Passage:
    """Refuse what the process refuses of the deal as it is about to be written. Imports are exempt.

    `approved_minor` is what the approval was given for that lets this change happen. Raises MoveRefused with
    everything that is missing, and Refused where a field that is asked for would be emptied.
    """
    if current_context().channel == "import" or deal.outcome is not None:
        return FREE
    moves = deal.stage_id != before.stage_id
    emptied = before.filled - _filled_columns(deal)
    gone = {
        name
        for name, value in (before.attributes or {}).items()
        if value not in EMPTY and (deal.attributes or {}).get(name) in EMPTY
    }
    grew = _grew(deal, before)
    if not moves and (deal.stage_id is None or not (emptied or gone or grew)):
        return FREE
    if moves:
        hold_process(deal.process_id)
    # What a deal that stays where it is may be worth hangs on no milestone.
    book = process_rulebook(deal.process_id, with_milestones=moves)
    if not moves:
        _check_emptying(deal, book, emptied=emptied, gone=gone)
        if not grew:
            return FREE
    facts = _facts(deal, book, approved_minor=approved_minor)
    verdict = _verdict(deal, book, before=before, facts=facts, grew=grew)
    field = "stage_id" if moves else "amount_minor"
    return _decide(deal, book, verdict, facts=facts, field=field)


def check_winning(deal: Opportunity) -> Passage:
    """Refuse a win that the process wants more of. Imports are exempt."""
    if current_context().channel == "import":
        return FREE
    book = process_rulebook(deal.process_id)
    if not book.rules.gates_winning:
        return FREE
    here = book.rules.stage(deal.stage_id)
    facts = _facts(deal, book, approved_minor=None)
    verdict = judge_winning(book.rules, leaving=here.position if here else OUTSIDE, facts=facts)
    return _decide(deal, book, verdict, facts=facts, field="outcome")


def change_verdict(deal: Opportunity, *, changes: Mapping[str, Any]) -> MoveRefused | None:
    """What keeps the deal as it stands from `changes` of stage_id, amount_minor and currency; None where nothing does.

    Raises Refused where nothing could be filled in or approved that would help.
    """
    before = before_of(deal)
    after = as_it_stands(deal)
    for column, value in changes.items():
        setattr(after, column, value)
    if after.stage_id != deal.stage_id:
        stage = Stage.objects.filter(id=after.stage_id).first()
        after.process_id = stage.process_id if stage else deal.process_id
    try:
        check_change(after, before=before)
    except MoveRefused as refused:
        return refused
    return None


def win_verdict(deal: Opportunity) -> MoveRefused | None:
    """What keeps the deal as it stands from being won; None where nothing does."""
    try:
        check_winning(as_it_stands(deal))
    except MoveRefused as refused:
        return refused
    return None


def check_stage_stands(stage_id: UUID | None) -> None:
    """Refuse a stage that its process no longer has."""
    stage = Stage.objects.filter(id=stage_id, retired_at__isnull=False).first() if stage_id else None
    if stage is not None:
        raise Refused("stage_id", f"The process no longer has the stage {stage.name}; choose another one")


def _check_emptying(deal: Opportunity, book: Rulebook, *, emptied: frozenset[str], gone: set[str]) -> None:
    here = book.rules.stage(deal.stage_id)
    if here is None:
        return
    names = emptied | {name for name, field in book.fields.items() if field.attribute in gone}
    asked = judge_emptying(book.rules, standing=here.position, emptied=names)
    if asked:
        label = book.labels.get(asked[0], asked[0])
        raise Refused(
            input_name(asked[0]), f"{label} is asked for in {here.name}; change it, but don’t empty it"
        )


def input_name(name: str) -> str:
    """What a required field is called where it is written: `amount` is amount_minor, `field.region` fields.region."""
    columns = {key: column for key, column, _ in BUILT_IN}
    return columns.get(name) or "fields." + name.partition(".")[2]


def _verdict(deal: Opportunity, book: Rulebook, *, before: Before, facts: DealFacts, grew: bool) -> Verdict:
    here, target = book.rules.stage(before.stage_id), book.rules.stage(deal.stage_id)
    if deal.stage_id is None:
        return judge_removal(book.rules, leaving=here.position if here else OUTSIDE)
    if target is None:
        check_stage_stands(deal.stage_id)
        return Verdict("")
    grown = judge_amount(book.rules, standing=target.position, facts=facts) if grew else Verdict("")
    if deal.stage_id == before.stage_id:
        return grown
    if here is not None:
        verdict = judge_move(book.rules, leaving=here.position, target=target, facts=facts)
    else:
        stood = (
            None
            if is_unwritten(deal)
            else stage_in_process(deal.id, here_id=before.stage_id, process_id=deal.process_id)
        )
        mapped = book.rules.stage(stood.id) if stood else None
        verdict = judge_arrival(book.rules, mapped=mapped, target=target, facts=facts)
    return replace(verdict, approval=verdict.approval or grown.approval)


def stage_in_process(opportunity_id: UUID, *, here_id: UUID | None, process_id: UUID | None) -> Stage | None:
    """Where a deal in the stage `here_id` stands in a process: where it last stood there, else what that maps to.

    So a switch to another process and back is no way around. None for a deal that never stood in any stage.
    """
    stages = {stage.id: stage for stage in process_stages(process_id)}
    known = OpportunityVersion.objects.filter(
        opportunity_id=opportunity_id, process_id=process_id, stage_id__in=list(stages), known_to=FOREVER
    )
    last = known.order_by("-valid_from").values_list("stage_id", flat=True).first()
    if last is not None:
        return stages[last]
    here = Stage.objects.filter(id=here_id).first() if here_id else None
    place = mapped_stage(place_of(here), stages=map(place_of, stages.values())) if here else None
    return stages[place.id] if place else None


def _decide(deal: Opportunity, book: Rulebook, verdict: Verdict, *, facts: DealFacts, field: str) -> Passage:
    """Let it pass, or raise MoveRefused. Whoever may approve of it approves by doing it."""
    if verdict.is_clear:
        return FREE
    asked, passage, asked_of, limit = verdict.approval, FREE, "", ""
    if asked is not None:
        approvers = approvers_of(deal.owner_id, now=timezone.now())
        is_covered = field == "amount_minor" and _is_approved(deal, facts)
        if is_covered or current_context().person_id in approvers.deciders:
            passage = FREE if is_covered else Passage(asked.stage_id, facts.amount_minor, True)
            verdict = verdict.without_approval
        else:
            corporate = corporate_currency()
            asked_of = approvers.name
            limit = f"{fmt.money_full(asked.above_minor, currency=corporate)} {corporate}"
    if not verdict.is_clear:
        raise MoveRefused(verdict, field=field, labels=book.labels, limit=limit, asked_of=asked_of)
    return passage


def _is_approved(deal: Opportunity, facts: DealFacts) -> bool:
    """Whether an approval that was granted covers what the deal is worth now."""
    approved = approved_minor_of(deal.id)
    return approved is not None and facts.amount_minor is not None and approved >= facts.amount_minor


def _facts(deal: Opportunity, book: Rulebook, *, approved_minor: int | None) -> DealFacts:
    filled = _filled_columns(deal) | {
        name for name, field in book.fields.items() if stored(field, deal.attributes) not in EMPTY
    }
    asks_amount = any(stage.approval_above_minor is not None for stage in book.rules.stages)
    has_marks = bool(book.rules.milestones) and not is_unwritten(deal)
    marks = OpportunityMilestone.objects.filter(opportunity_id=deal.id).values_list("milestone_id", flat=True)
    return DealFacts(
        filled=frozenset(filled),
        marked=frozenset(marks) if has_marks else frozenset(),
        amount_minor=corporate_amount(deal) if asks_amount else None,
        approved_minor=approved_minor,
    )


def is_unwritten(deal: Opportunity) -> bool:
    """Whether it is only about to be there: it stood nowhere yet, and nothing was ticked or asked about it."""
    return bool(deal._state.adding)


def _filled_columns(deal: Opportunity) -> frozenset[str]:
    return frozenset(name for name, column, _ in BUILT_IN if getattr(deal, column) not in EMPTY)


def _grew(deal: Opportunity, before: Before) -> bool:
    """Whether the deal may be worth more than before: more of its currency, or another currency."""
    if deal.amount_minor is None:
        return False
    if before.amount_minor is None or deal.currency != before.currency:
        return True
    return bool(deal.amount_minor > before.amount_minor)


def corporate_amount(deal: Opportunity) -> int | None:
    """The amount in corporate minor units; None without an amount or a rate."""
    corporate = corporate_currency()
    if deal.amount_minor is None or deal.currency == corporate:
        return deal.amount_minor
    day: date | None = deal.close_date
    rate = rate_on(deal.currency, day, own=corporate)
    if rate is None:
        return None
    try:
        return convert(
            deal.amount_minor, from_currency=deal.currency, to_currency=corporate, rate=Fraction(rate)
        )
    except MoneyError:
        return None
