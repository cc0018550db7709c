"""The only writers of leads and of the checklist that they are qualified by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.context import act_on, current_context
from otc.tenancy.models import FOREVER, Person
from otc.tenancy.names import clean_lines, clean_name
from otc.tenancy.services import fold
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_named, contact_create
from pipeline.history.models import OpportunityVersion
from pipeline.leads.models import Lead, LeadCheck, LeadMark, LeadState, ReturnReason
from pipeline.leads.rules import LeadRefused, check_lead, name_of
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_delete

CAMPAIGN = "campaign"
# What an edit may change, as stored: what undoing compares and puts back.
STATE = (
    *("name", "name_folded", "company", "contact_name", "email", "phone", "source", "campaign", "fit_note"),
    *("owner_id", "external_id", "state", "return_reason", "return_note"),
)


@dataclass(frozen=True)
class Conversion:
    """What becomes of a lead: the deal's name, where it belongs, what it may be worth (minor units)."""

    name: str
    account_id: UUID | None = None
    account_name: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    close_date: date | None = None
    next_step: str = ""
    next_step_on: date | None = None


def lead_create(*, now: datetime, **fields: Any) -> Lead:
    """A new open lead, called by its company or person where it has no name of its own. Raises LeadRefused."""
    fields = clean_lines(fields)
    fields["name"] = clean_name(name_of(fields))
    check_lead(fields)
    _check_references(fields)
    lead = Lead(created_at=now, name_folded=fold(fields["name"]), **fields)
    act_on(lead.owner_id)
    lead.save(force_insert=True)
    return lead


def lead_edit(lead_id: UUID, *, changes: Mapping[str, Any]) -> UUID | None:
    """Change fields of an open lead. Returns the step that takes it back. Raises LeadRefused."""
    lead = _locked(lead_id)
    _check_open(lead)
    before = _state(lead)
    wanted = clean_lines(changes)
    check_lead(wanted)
    _check_references(wanted, but=lead_id)
    for column, value in wanted.items():
        setattr(lead, column, value)
    lead.name_folded = fold(lead.name)
    lead.save()
    return _offer("lead_edit", lead, before=before)


def lead_marks_set(lead_id: UUID, *, check_ids: Collection[UUID], now: datetime) -> None:
    """Just these questions of the checklist hold. Raises LeadRefused."""
    lead = _locked(lead_id)
    _check_open(lead)
    asked = set(LeadCheck.objects.filter(retired_at__isnull=True).values_list("id", flat=True))
    if set(check_ids) - asked:
        raise LeadRefused("checks", "That question is no longer on the checklist; load the page again")
    there = set(LeadMark.objects.filter(lead=lead).values_list("check_asked_id", flat=True))
    LeadMark.objects.filter(lead=lead, check_asked_id__in=(asked & there) - set(check_ids)).delete()
    LeadMark.objects.bulk_create(
        LeadMark(lead=lead, check_asked_id=one, marked_at=now, marked_by_id=current_context().person_id)
        for one in sorted(set(check_ids) - there)
    )


def lead_convert(lead_id: UUID, *, conversion: Conversion, now: datetime) -> tuple[Opportunity, UUID | None]:
    """Make an opportunity of it: account and contact are found or added, the deal says source and campaign.

    Returns the deal and the step that takes it back. Raises LeadRefused, and Invalid or Refused as account and deal do.
    """
    lead = _locked(lead_id)
    _check_open(lead)
    account = _account(lead, conversion)
    contact = _contact(lead, account)
    fields: dict[str, Any] = {
        "owner_id": lead.owner_id or current_context().person_id,
        "account_id": account.id if account else None,
        "source": lead.source,
        "amount_minor": conversion.amount_minor,
        "close_date": conversion.close_date,
        "next_step": conversion.next_step,
        "next_step_on": conversion.next_step_on,
    }
    if conversion.currency:
        fields["currency"] = conversion.currency
    if lead.campaign:
        fields["attributes"] = {CAMPAIGN: lead.campaign}
    deal = opportunity_create(name=conversion.name or lead.name, now=now, **fields).opportunity
    _decide(lead, LeadState.CONVERTED, now=now)
    lead.opportunity, lead.account, lead.contact = deal, account, contact
    lead.save()
    _on_record(lead, "lead.converted", f"Lead “{lead.name}” became the deal “{deal.name}”")
    version_id = OpportunityVersion.objects.values_list("id", flat=True).get(
        opportunity_id=deal.id, valid_to=FOREVER, known_to=FOREVER
    )
    payload = {"id": str(lead.id), "deal": str(deal.id), "version": str(version_id)}
    return deal, undo_offer("lead_convert", said=lead.name, payload=payload)


def lead_return(lead_id: UUID, *, reason: str, note: str, now: datetime) -> UUID | None:
    """Back to marketing, with a reason. Returns the step that takes it back. Raises LeadRefused."""
    lead = _locked(lead_id)
    _check_open(lead)
    if reason not in ReturnReason.values:
        raise LeadRefused("reason", "Say why: " + ", ".join(ReturnReason.labels))
    before = _state(lead)
    _decide(lead, LeadState.RETURNED, now=now)
    lead.return_reason, lead.return_note = reason, clean_lines({"note": note})["note"][:500]
    lead.save()
    _on_record(
        lead, "lead.returned", f"Lead “{lead.name}” returned: {lead.get_return_reason_display().lower()}"
    )
    return _offer("lead_return", lead, before=before)


def lead_reopen(lead_id: UUID) -> None:
    """A returned lead is worth another try. Raises LeadRefused."""
    lead = _locked(lead_id)
    if lead.state != LeadState.RETURNED:
        raise LeadRefused("state", "Only a lead that was returned can be opened again")
    _open_again(lead)
    _on_record(lead, "lead.reopened", f"Lead “{lead.name}” opened again")


def checklist_set(items: list[tuple[UUID | None, str, int]], *, now: datetime) -> None:
    """The checklist in its order: (id of a question that is there, text, points). What is left out is retired.

    Raises LeadRefused.
    """
    there = {
        check.id: check for check in LeadCheck.objects.select_for_update().filter(retired_at__isnull=True)
    }
    before = [[check.text, check.points] for check in there.values()]
    for position, (check_id, text, points) in enumerate(items):
        text = clean_name(text)
        if not text:
            raise LeadRefused("text", "A question needs words")
        if not 1 <= points <= 100:
            raise LeadRefused("points", f"“{text}” counts 1 to 100 points")
        check = there.pop(check_id, None) if check_id else None
        check = check or LeadCheck()
        check.text, check.points, check.position = text[:200], points, position
        check.save()
    LeadCheck.objects.filter(id__in=list(there)).update(retired_at=now)
    after = [[text, points] for _, text, points in items]
    if after != before:
        summary = f"Checklist of leads: {len(items)} questions"
        audit_append("lead_checklist.changed", summary=summary, detail={"before": before, "after": after})


@undoes("lead_edit", action="edit_lead")
@undoes("lead_return", action="edit_lead")
def put_lead_back(payload: Mapping[str, Any]) -> str:
    lead = Lead.objects.select_for_update().filter(id=payload["id"]).first()
    if lead is None or _state(lead) != payload["after"]:
        raise CantUndo("Somebody changed this lead since; change by hand what you want back")
    for column, value in payload["before"].items():
        setattr(lead, column, value)
    if lead.state == LeadState.OPEN:
        lead.decided_at = lead.decided_by_id = None
    lead.save()
    return f"{lead.name} is as it was before"


@undoes("lead_convert", action="edit_lead")
def put_conversion_back(payload: Mapping[str, Any]) -> str:
    """The deal goes to the trash; account and contact stay, others may know them by now."""
    lead = Lead.objects.select_for_update().filter(id=payload["id"]).first()
    if lead is None or str(lead.opportunity_id) != payload["deal"]:
        raise CantUndo("Somebody changed this lead since")
    present = OpportunityVersion.objects.filter(
        id=payload["version"], valid_to=FOREVER, known_to=FOREVER
    ).exists()
    if not present:
        raise CantUndo("Somebody changed the deal since; close or delete it by hand")
    opportunity_delete(UUID(payload["deal"]), now=timezone.now())
    lead.opportunity = None
    _open_again(lead)
    _on_record(lead, "lead.conversion_undone", f"“{lead.name}” is a lead again; its deal is in the trash")
    return f"{lead.name} is a lead again; its deal is in the trash"


def _open_again(lead: Lead) -> None:
    lead.state, lead.return_reason, lead.return_note = LeadState.OPEN, "", ""
    lead.decided_at = lead.decided_by_id = None
    lead.save()


def _decide(lead: Lead, state: LeadState, *, now: datetime) -> None:
    lead.state, lead.decided_at, lead.decided_by_id = state, now, current_context().person_id


def _account(lead: Lead, conversion: Conversion) -> Account | None:
    if conversion.account_id is not None:
        found: Account | None = Account.objects.filter(id=conversion.account_id).first()
        if found is None:
            raise LeadRefused("account", "There is no such account")
        return found
    name = conversion.account_name.strip() or lead.company.strip()
    return account_named(name) if name else None


def _contact(lead: Lead, account: Account | None) -> Contact | None:
    """The person at the account by address, else by name; added where there is none."""
    if account is None or not (lead.contact_name or lead.email):
        return None
    there = Contact.objects.filter(account=account).order_by("id")
    found: Contact | None = None
    if lead.email:
        found = there.filter(email__iexact=lead.email).first()
    if found is None and lead.contact_name:
        found = there.filter(name_folded=fold(lead.contact_name)).first()
    if found is not None:
        return found
    name = lead.contact_name or lead.email
    return contact_create(account.id, name=name, email=lead.email, phone=lead.phone)


def _locked(lead_id: UUID) -> Lead:
    lead: Lead = Lead.objects.select_for_update().get(id=lead_id)
    act_on(lead.owner_id)
    return lead


def _check_open(lead: Lead) -> None:
    if lead.state != LeadState.OPEN:
        raise LeadRefused("state", f"This lead is {lead.get_state_display().lower()}; open it again first")


def _check_references(changes: dict[str, Any], *, but: UUID | None = None) -> None:
    owner_id = changes.get("owner_id")
    if owner_id is not None and not Person.objects.filter(id=owner_id).exists():
        raise LeadRefused("owner", "There is no such person")
    if "external_id" not in changes:
        return
    changes["external_id"] = external_id = changes["external_id"] or None
    if external_id and Lead.objects.filter(external_id=external_id).exclude(id=but).exists():
        raise LeadRefused("external_id", f"“{external_id}” is taken; edit that one instead")


def _offer(kind: str, lead: Lead, *, before: dict[str, Any]) -> UUID | None:
    after = _state(lead)
    if before == after:
        return None
    return undo_offer(kind, said=lead.name, payload={"id": str(lead.id), "before": before, "after": after})


def _state(lead: Lead) -> dict[str, Any]:
    values = {column: getattr(lead, column) for column in STATE}
    return {column: str(value) if isinstance(value, UUID) else value for column, value in values.items()}


def _on_record(lead: Lead, action: str, summary: str) -> None:
    detail = {"source": lead.source, "campaign": lead.campaign, "deal": lead.opportunity_id}
    audit_append(action, subject_kind="lead", subject_id=lead.id, summary=summary, detail=detail)
