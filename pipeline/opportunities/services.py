"""The only writers of deals: create, edit, close, reopen, delete, restore, undo."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from otc.fields.queries import field_book
from otc.fields.rules import NotAccepted
from otc.fields.writing import attributes_with, untyped_with
from otc.jobs.services import enqueue
from otc.money.queries import corporate_currency, rate_on
from otc.money.rules import decimals_of
from otc.tenancy.context import act_on, current_context
from otc.tenancy.models import FOREVER, Organization, Person
from otc.tenancy.names import clean_lines
from otc.tenancy.services import fold
from pipeline.accounts.models import Account
from pipeline.approvals.services import approval_record, approvals_overtaken
from pipeline.history.models import STATE_COLUMNS, OpportunityVersion
from pipeline.opportunities.following import check_lines_stand
from pipeline.opportunities.gates import (
    Before,
    Passage,
    before_of,
    check_change,
    check_stage_stands,
    check_winning,
    stage_in_process,
)
from pipeline.opportunities.holding import Held, hold
from pipeline.opportunities.models import Competitor, Opportunity, Product
from pipeline.opportunities.rules import (
    Refused,
    category_after_stage,
    check_closing,
    check_editable,
    check_keeps_next_step,
    check_next_step,
    closed_category,
)
from pipeline.opportunities.signals import opportunity_closed
from pipeline.process.models import CloseReason, Process, Stage
from pipeline.process.queries import process_stages, stage_after_retirement

REFERENCES = {
    "account_id": Account,
    "owner_id": Person,
    "stage_id": Stage,
    "competitor_id": Competitor,
    "product_id": Product,
    "reason_id": CloseReason,
}
HEALTH_JOB = "deal_health"
# Imports may lack a next step or take it away: they bring what another system says.
WRITTEN_BY_HAND = frozenset({"ui", "api"})
# A deal's corporate amount follows from these.
CONVERTED = ("amount_minor", "currency", "close_date")


@dataclass(frozen=True)
class Written:
    """A deal after a write, and the version that stood before it (None for a new deal): what undo goes back to."""

    opportunity: Opportunity
    before: UUID | None


def opportunity_create(*, name: str, now: datetime, external_id: str | None = None, **fields: Any) -> Written:
    """A new open deal in the default process's first stage unless `stage_id` says otherwise.

    A known `external_id` is refused, so an integration that asks twice makes one deal. Over the API a deal comes with
    its next step and that step's day; pages ask for both on their forms, and imports may lack them.
    """
    if external_id and Opportunity.objects.filter(external_id=external_id).exists():
        raise Refused("external_id", f"There is a deal with the external id {external_id} already")
    changes = clean_lines({"name": name, **fields})
    check_editable(changes, is_open=True)
    process = _process_asked(changes)
    stages = process_stages(process.id) if process else []
    deal = Opportunity(
        id=uuid4(),
        external_id=external_id or None,
        created_at=now,
        process=process,
        currency=corporate_currency(),
        source="",
    )
    if "stage_id" not in changes and stages:
        changes["stage_id"] = stages[0].id
    _check_stage_of(changes, process)
    _apply(deal, changes, is_new=True)
    if current_context().channel == "api":
        check_next_step(deal.next_step, deal.next_step_on, today=_created_on(deal))
    _check_rate(deal)
    act_on(deal.owner_id)
    passage = check_change(deal, before=Before())
    deal.save(force_insert=True)
    _record_approval(deal, passage, from_stage_id=None)
    enqueue(HEALTH_JOB, subject=deal.id)
    return Written(deal, None)


def opportunity_edit(
    opportunity_id: UUID,
    *,
    changes: Mapping[str, Any],
    check: Callable[[Opportunity], None] | None = None,
    approved_minor: int | None = None,
    lines_total_minor: int | None = None,
    held: Held | None = None,
) -> Written:
    """Change fields of EDITABLE. Raises Refused, naming field and reason, and then nothing is written.

    `check` looks at the locked deal first, and what it raises stops the write. What the deal's process keeps from
    happening raises MoveRefused; `approved_minor` is what a manager has approved of this change for, in corporate
    minor units. `lines_total_minor` is what the deal's lines come to: the one amount that may be written while it
    follows them. `held` is the deal where the caller holds it already.
    """
    held = held or hold(opportunity_id)
    deal = held.deal
    if check is not None:
        check(deal)
    before = before_of(deal)
    changes = clean_lines(changes)
    check_editable(changes, is_open=deal.outcome is None)
    if current_context().channel in WRITTEN_BY_HAND:
        check_keeps_next_step(
            changes,
            next_step=deal.next_step,
            next_step_on=deal.next_step_on,
            is_open=deal.outcome is None,
        )
    changes = _with_mapped_stage(deal, changes)
    _check_decimals(deal, changes)
    check_lines_stand(deal, changes, lines_total_minor=lines_total_minor)
    _apply(deal, changes)
    if set(CONVERTED) & set(changes):
        _check_rate(deal)
    passage = check_change(deal, before=before, approved_minor=approved_minor)
    written = _save(held)
    _passed(deal, passage, from_stage_id=before.stage_id)
    return written


def opportunity_close(
    opportunity_id: UUID,
    *,
    outcome: str,
    reason_id: UUID | None,
    now: datetime,
    today: date,
    close_date: date | None = None,
    competitor_id: UUID | None = None,
) -> Written:
    """End a deal as won, lost or no decision.

    The close date becomes `today` unless another is given, from the day the deal was created on.
    """
    held = hold(opportunity_id)
    deal = held.deal
    if deal.outcome is not None:
        raise Refused("outcome", "This deal is already closed; reopen it first")
    check_closing(
        outcome=outcome,
        has_reason=reason_id is not None,
        close_date=close_date,
        today=today,
        created_on=_created_on(deal),
    )
    _check_references({"reason_id": reason_id, "competitor_id": competitor_id})
    _check_in_use(reason_id)
    passage = check_winning(deal) if outcome == "won" else Passage()
    deal.outcome, deal.reason_id, deal.closed_at = outcome, reason_id, now
    deal.close_date = close_date or today
    deal.category = closed_category(outcome)
    if competitor_id is not None:
        deal.competitor_id = competitor_id
    _check_rate(deal)
    written = _save(held)
    _passed(deal, passage, from_stage_id=None)
    opportunity_closed.send(sender=Opportunity, opportunity_id=deal.id, outcome=outcome)
    return written


def opportunity_reopen(opportunity_id: UUID) -> Written:
    """Open a closed deal again, in the category that its stage proposes and with the close date it was open with.

    Else the day of the closing would stand as a new forecast. A close date changed since the closing stays. A deal
    whose stage is gone by now goes where the stage's open deals went.
    """
    held = hold(opportunity_id)
    deal = held.deal
    if deal.outcome is None:
        raise Refused("outcome", "This deal is open")
    deal.close_date = _close_date_reopened(deal)
    deal.outcome = deal.closed_at = deal.reason_id = None
    deal.stage = stage_after_retirement(deal.stage)
    deal.category = deal.stage.category if deal.stage else None
    deal.category_set_by_person = False
    _check_rate(deal)
    return _save(held)


def opportunity_delete(opportunity_id: UUID, *, now: datetime) -> Written:
    """Take a deal out of every list; its versions stay, and undo brings it back."""
    held = hold(opportunity_id)
    deal = held.deal
    deal.deleted_at = now
    return _save(held)


def opportunity_restore(opportunity_id: UUID) -> Written:
    """Bring a deleted deal back as it was, also one that lost its rate meanwhile: it shows as unconvertible, as it
    would if it had never been deleted. Raises Refused when it isn't deleted.
    """
    held = hold(opportunity_id)
    deal = held.deal
    if deal.deleted_at is None:
        raise Refused("deleted", f"{deal.name} is not in the trash any more")
    deal.deleted_at = None
    if deal.outcome is None:
        deal.stage = stage_after_retirement(deal.stage)
    return _save(held)


def opportunity_undo(opportunity_id: UUID, *, to_version: UUID) -> Written:
    """Put back the state of `to_version`, which must be the one just before the present one.

    Raises Refused when somebody has changed the deal since, and where an amount, currency or day comes back that no
    known rate converts.
    """
    held = hold(opportunity_id)
    deal = held.deal
    latest = list(
        OpportunityVersion.objects.filter(opportunity_id=opportunity_id, known_to=FOREVER).order_by(
            "-valid_from"
        )[:2]
    )
    if len(latest) < 2 or latest[1].id != to_version:
        raise Refused("undo", "Somebody changed this deal since; look at its timeline before you go back")
    check_lines_stand(deal, {name: getattr(latest[1], name) for name in CONVERTED})
    is_converted_anew = any(getattr(deal, name) != getattr(latest[1], name) for name in CONVERTED)
    for column in STATE_COLUMNS:
        setattr(deal, column, getattr(latest[1], column))
    if deal.is_open:
        check_stage_stands(deal.stage_id)
    deal.name_folded = fold(deal.name)
    if is_converted_anew:
        _check_rate(deal)
    return _save(held)


def _close_date_reopened(deal: Opportunity) -> date | None:
    """The close date before the last closing, if the closing set the present one; the present one otherwise."""
    known = OpportunityVersion.objects.filter(opportunity_id=deal.id, known_to=FOREVER)
    opened = known.filter(outcome=None).order_by("-valid_from").first()
    if opened is None:
        return deal.close_date
    closing = known.filter(valid_from__gte=opened.valid_to).order_by("valid_from").first()
    is_closings = closing is not None and closing.close_date == deal.close_date
    return opened.close_date if is_closings else deal.close_date


def _created_on(deal: Opportunity) -> date:
    """The day of its creation in the organization's time zone."""
    zone: str = Organization.objects.values_list("timezone", flat=True).get(
        id=current_context().organization_id
    )
    return deal.created_at.astimezone(ZoneInfo(zone)).date()


def _process_asked(changes: dict[str, Any]) -> Process | None:
    """The process that a new deal is to go through, by default the default one; taken out of the changes."""
    asked = changes.pop("process_id", None)
    if asked is None:
        return Process.objects.filter(is_default=True).first()
    found = Process.objects.filter(id=asked).first()
    if found is None:
        raise Refused("process_id", "There is no such process")
    return found


def _check_stage_of(changes: Mapping[str, Any], process: Process | None) -> None:
    """A new deal's stage may be of any process where none is named."""
    if process is None or process.is_default or changes.get("stage_id") is None:
        return
    if not Stage.objects.filter(id=changes["stage_id"], process=process).exists():
        raise Refused("stage_id", f"That is no stage of {process.name}; leave it out or choose one")


def _with_mapped_stage(deal: Opportunity, changes: dict[str, Any]) -> dict[str, Any]:
    """Another process without a stage means the stage that the deal's present one maps to."""
    if "process_id" not in changes:
        return changes
    others = {name: value for name, value in changes.items() if name != "process_id"}
    process = Process.objects.filter(id=changes["process_id"]).first()
    if process is None:
        raise Refused("process_id", "There is no such process")
    if "stage_id" in others:
        if not Stage.objects.filter(id=others["stage_id"], process=process).exists():
            raise Refused("stage_id", f"That is no stage of {process.name}; leave it out to have it mapped")
        return others
    if process.id == deal.process_id:
        return others
    stage = stage_in_process(deal.id, here_id=deal.stage_id, process_id=process.id)
    mapped = stage or next(iter(process_stages(process.id)), None)
    if mapped is None:
        raise Refused("process_id", f"{process.name} has no stages")
    return others | {"stage_id": mapped.id}


def _apply(deal: Opportunity, changes: Mapping[str, Any], *, is_new: bool = False) -> None:
    _check_references(changes)
    for column, value in changes.items():
        if column not in ("fields", "attributes"):
            setattr(deal, column, value)
    if is_new or {"fields", "attributes"} & set(changes):
        _apply_fields(deal, changes, is_new=is_new)
    deal.name_folded = fold(deal.name)
    if "category" in changes:
        deal.category_set_by_person = True
    elif "stage_id" in changes:
        stage = Stage.objects.filter(id=deal.stage_id).first()
        deal.process_id = stage.process_id if stage else deal.process_id
        deal.category, deal.category_set_by_person = category_after_stage(
            present=deal.category,
            set_by_person=deal.category_set_by_person,
            proposed=stage.category if stage else None,
        )


def _apply_fields(deal: Opportunity, changes: Mapping[str, Any], *, is_new: bool) -> None:
    """Custom fields under `fields` by key; `attributes` replaces what stands under no field."""
    book = field_book("deal")
    try:
        if "attributes" in changes:
            deal.attributes = untyped_with(deal.attributes, changes["attributes"], book=book)
        deal.attributes = attributes_with(
            deal.attributes,
            changes.get("fields") or {},
            object="deal",
            created_on=_created_on(deal),
            is_new=is_new,
            book=book,
        )
    except NotAccepted as problem:
        field = problem.key if problem.key == "attributes" else f"fields.{problem.key}"
        raise Refused(field, problem.reason) from problem


def _check_rate(deal: Opportunity) -> None:
    """Refuse an amount that no known rate turns into the corporate currency."""
    corporate = corporate_currency()
    if deal.amount_minor is None or deal.currency == corporate:
        return
    if rate_on(deal.currency, deal.close_date, own=corporate) is None:
        day = f" on {deal.close_date.isoformat()}" if deal.close_date else ""
        raise Refused("currency", f"No rate of {deal.currency} to {corporate} is known{day}; add one first")


def _check_decimals(deal: Opportunity, changes: Mapping[str, Any]) -> None:
    """Another currency with other decimals would turn 100.00 USD into 10,000 JPY: the amount has to be given."""
    currency = changes.get("currency", deal.currency)
    if currency == deal.currency or deal.amount_minor is None or "amount_minor" in changes:
        return
    if decimals_of(currency) != decimals_of(deal.currency):
        raise Refused(
            "currency",
            f"{currency} has other decimals than {deal.currency}; give the amount in {currency} too",
        )


def _check_in_use(reason_id: UUID | None) -> None:
    retired = CloseReason.objects.filter(id=reason_id, retired_at__isnull=False).first()
    if retired is not None:
        raise Refused("reason", f"The reason {retired.name} is no longer used; choose another one")


def _check_references(changes: Mapping[str, Any]) -> None:
    """Refuse an id of nothing in this organization, before the database's key would."""
    for column, model in REFERENCES.items():
        value = changes.get(column)
        if value is not None and not model.objects.filter(id=value).exists():
            raise Refused(column.removesuffix("_id"), f"There is no such {column.removesuffix('_id')}")


def _passed(deal: Opportunity, passage: Passage, *, from_stage_id: UUID | None) -> None:
    """After a change went through: who approved of it by doing it is on record, and what was asked before is over."""
    _record_approval(deal, passage, from_stage_id=from_stage_id)
    if from_stage_id != deal.stage_id or deal.outcome is not None:
        approvals_overtaken(deal.id)


def _record_approval(deal: Opportunity, passage: Passage, *, from_stage_id: UUID | None) -> None:
    if passage.approved_by_moving and passage.stage_id is not None and passage.amount_minor is not None:
        approval_record(
            deal, stage_id=passage.stage_id, from_stage_id=from_stage_id, amount_minor=passage.amount_minor
        )


def _save(held: Held) -> Written:
    held.deal.save(force_update=True, update_fields=held.changed)
    enqueue(HEALTH_JOB, subject=held.deal.id)
    return Written(held.deal, held.version_id)
