"""A house with something in every room: `count` rows of each tenant table, for the guards."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from forecasting.adjustments.models import AdjustmentStep
from forecasting.alerts.models import AlertDelivery, AlertFired, AlertHook, AlertRule
from forecasting.calls.models import Call, CallReminder
from forecasting.inspection.models import LastVisit
from forecasting.judgements.models import DealJudgement
from forecasting.locks.models import Lock, LockedRow, Unlock
from forecasting.mail.models import ForecastMail
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.pay.models import PayPlan
from forecasting.quotas.models import EVER, Quota, QuotaRamp, QuotaSeason
from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.rules import Beat
from forecasting.trends.models import StageWeek, WeeklySample, WeeklySum
from forecasting.types.models import ForecastType, ForecastTypeFilter
from otc.audit.models import AuditCheckpoint, AuditRefusal
from otc.audit.services import audit_append
from otc.calendar.models import FiscalCalendar, columns_of
from otc.calendar.shapes import MonthShape
from otc.delegation.models import Delegation
from otc.fields.rules import KINDS, Option
from otc.fields.services import field_create
from otc.identity.invitations.services import invitation_send
from otc.identity.services import token_issue
from otc.imports.models import ImportedSource, ImportRow, ImportRun, SavedMapping
from otc.logo.models import Logo
from otc.money.models import Rate
from otc.notices.kinds import Ways
from otc.notices.services import mail_choice_set, notice_choices_set, notice_send
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import fold, person_create
from otc.undo.models import UndoStep
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, contact_create
from pipeline.activities.services import activity_log
from pipeline.approvals.models import ApprovalRequest
from pipeline.buying.services import buying_role_add
from pipeline.closeplan.services import link_make, plan_set, seller_comment
from pipeline.comments.services import comment_add
from pipeline.deal_views.models import DealView
from pipeline.digest.models import Digest
from pipeline.duplicates.models import DuplicatePair
from pipeline.duplicates.services import records_merge
from pipeline.exports.models import DealExport
from pipeline.fit.rules import Criterion
from pipeline.fit.services import scorecard_set
from pipeline.health.models import Health, HealthChange, HealthDay, HealthScale, HealthThreshold
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.leads.models import LeadCheck
from pipeline.leads.services import lead_create, lead_marks_set
from pipeline.lines.rules import Terms
from pipeline.lines.services import line_add
from pipeline.links.services import link_add
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Competitor, Opportunity, Product
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_create,
    opportunity_edit,
)
from pipeline.plans.services import Plan, Touch, account_plan_set
from pipeline.process.models import CloseReason, Milestone
from pipeline.risk.models import Risk, RiskTurn, StageRate
from pipeline.team.rules import Share
from pipeline.team.services import splits_set, team_member_add
from pipeline.telling.models import DealTold
from pipeline.today.services import Answer, deal_answer
from tests.conftest import BEGINNING, House


@dataclass(frozen=True)
class Round:
    """Whom and when one round of furnishing is for."""

    number: int
    owner: Person
    now: datetime

    @property
    def name(self) -> str:
        return f"No {self.number}"


NOTHING_SUMMED = {
    field.name: 0 for field in WeeklySum._meta.fields if field.name.endswith(("_minor", "_count"))
}


def furnish(house: House, *, owner: Person, count: int = 1, start: int = 0) -> None:
    """Add `count` rows to every table of the house, deals owned by `owner`; `start` keeps later names apart."""
    with use(house.organization.id, person_id=owner.id, channel="ui"):
        for number in range(start, start + count):
            moment = Round(number, owner, timezone.now())
            _people(moment)
            _fields(moment)
            deal = _deal(moment)
            _around(deal, moment)
            _judged(deal, moment)
            _computed(deal, moment)
            _imported(deal, moment)
            _audited(moment)
            _told(moment)


def _people(moment: Round) -> None:
    report = person_create(name=f"Person {moment.number}", manager=moment.owner, since=BEGINNING)
    first_on = date(2100, 1, 1) + timedelta(days=moment.number)
    Delegation(manager=moment.owner, delegate=report, first_on=first_on, last_on=first_on).save()
    day = date(2000, 1, 1) + timedelta(days=moment.number)
    Rate(currency="USD", valid_from=day, known_from=BEGINNING, rate="0.92").save()
    FiscalCalendar(from_year=2040 + moment.number, **columns_of(MonthShape(1))).save()
    UndoStep(person=moment.owner, kind="test", said=moment.name).save()
    is_shown = not Logo.objects.filter(retired_at__isnull=True).exists()
    size = {"content_type": "image/png", "width": 64, "height": 24}
    Logo(
        image=b"\x89PNG",
        set_by=moment.owner,
        set_at=moment.now,
        retired_at=None if is_shown else moment.now,
        **size,
    ).save()
    Quota(person=moment.owner, period=f"{2100 + moment.number}", amount_minor=1_000_00).save()
    ramp = {"starts_on": date(2026, 1, 1), "shares": [50], "said_at": moment.now}
    QuotaRamp(person=moment.owner, **ramp | {"said_at": EVER + timedelta(days=moment.number)}).save()
    QuotaSeason(kind="quarter", weights=[1, 1, 1, 2], said_at=moment.now).save()
    at = moment.now
    Call(person=moment.owner, period="2101", amount_minor=1_00, currency="EUR", submitted_at=at).save()
    _adjusted(moment)
    _paid(moment, day)
    _locked(moment, day)
    WeeklySample(first=day, end=day + timedelta(7), at=moment.now, **NOTHING_SUMMED).save()
    StageWeek(first=day, end=day + timedelta(7), at=moment.now, until=moment.now).save()
    WeeklySum(first=day, end=day + timedelta(7), at=moment.now, owner=moment.owner, **NOTHING_SUMMED).save()
    LastVisit(person=moment.owner, page=f"page {moment.number}", at=moment.now).save()
    guest = person_create(name=f"Guest {moment.number}", manager=moment.owner, since=BEGINNING)
    invitation_send(guest, email="guest@example.org", now=moment.now, today=moment.now.date())
    ends = moment.now + timedelta(days=9)
    token_issue(
        moment.owner.id, name=moment.name, scopes=frozenset({"read"}), expires_at=ends, now=moment.now
    )


def _adjusted(moment: Round) -> None:
    """A forecast type with its filter, in which somebody adjusted their own number."""
    type_ = ForecastType(name=moment.name, slug=f"type-{moment.number}", position=moment.number)
    type_.save()
    conditions = {"kind": ["Renewal"]}
    ForecastTypeFilter(type=type_, conditions=conditions, known_from=moment.now, set_by=moment.owner).save()
    AdjustmentStep(
        period="2101",
        type=type_,
        column="commit",
        person=moment.owner,
        author=moment.owner,
        is_own=True,
        kind="delta",
        amount_minor=1_00,
        currency="EUR",
        reason="A hunch",
        base_minor=0,
        made_at=moment.now,
    ).save()


def _paid(moment: Round, day: date) -> None:
    """A plan that pays the owner, and one for everybody of a role."""
    said = {"cycle": "quarter", "tiers": [[0, 500], [10_000, 800]], "reason": "The year’s plan"}
    for whom in ({"person": moment.owner}, {"role": "rep"}):
        PayPlan(**whom, starts_on=day, made_by=moment.owner, made_at=moment.now, **said).save()


def _judged(deal: Opportunity, moment: Round) -> None:
    """A manager keeps a deal out of their call."""
    author = person_create(name=f"Judge {moment.number}", manager=moment.owner, since=BEGINNING)
    DealJudgement(
        period="2101",
        column="commit",
        person=moment.owner,
        opportunity=deal,
        author=author,
        verdict="out",
        currency="EUR",
        reason="Legal is slow",
        made_at=moment.now,
    ).save()


def _locked(moment: Round, day: date) -> None:
    """A period locked and opened again, whose calls somebody was reminded of."""
    at = moment.now
    days = {
        "first": day,
        "end": day + timedelta(1),
        "label": moment.name,
        "period": f"{2100 + moment.number}",
    }
    lock = Lock(locked_at=at, currency="EUR", **days)
    lock.save()
    Unlock(lock=lock, unlocked_at=at, unlocked_by=moment.owner, reason="A late order").save()
    row = {"name": moment.owner.name, "depth": 0, "is_unassigned": False, "deal_count": 1, "amounts": {}}
    LockedRow(lock=lock, kind="person", place=0, person=moment.owner, **row).save()
    CallReminder(person=moment.owner, kind="before", day=day, reminded_at=at).save()
    ForecastMail(person=moment.owner, day=day, claimed_at=at).save()
    if not Rhythm.objects.exists():
        Rhythm(**asdict(Beat())).save()


def _deal(moment: Round) -> Opportunity:
    """An open deal of this quarter with everything it can refer to, pushed once; beside it a lost one."""
    account = account_create(
        name=f"Account {moment.number}", external_id=f"A{moment.number}", industry="Rail"
    )
    contact_create(account.id, name=f"Contact {moment.number}", email="c@example.org")
    name = f"Product {moment.number}"
    product = Product(name=name, name_folded=fold(name), external_id=name, currency="EUR", list_price_minor=1)
    product.save()
    rival = Competitor(name=f"Rival {moment.number}", name_folded=f"rival {moment.number}")
    rival.save()
    fields: dict[str, Any] = {
        "owner_id": moment.owner.id,
        "account_id": account.id,
        "product_id": product.id,
        "competitor_id": rival.id,
        "amount_minor": 100_00 + moment.number,
        "close_date": moment.now.date(),
        "next_step": "Call",
        "next_step_on": moment.now.date(),
    }
    deal = opportunity_create(name=f"Deal {moment.number}", now=moment.now, **fields).opportunity
    opportunity_edit(deal.id, changes={"close_date": moment.now.date() + timedelta(days=1)})
    kind = KINDS[-1 - moment.number % len(KINDS)]
    value = _value(kind, moment)
    opportunity_edit(deal.id, changes={"fields": {f"field_{moment.number}": value}})
    lost = opportunity_create(name=f"Lost {moment.number}", now=moment.now, **fields).opportunity
    reason = CloseReason.objects.get(name="Price")
    opportunity_close(
        lost.id,
        outcome="lost",
        reason_id=reason.id,
        now=moment.now,
        today=moment.now.date() - timedelta(days=1),
    )
    return deal


def _fields(moment: Round) -> None:
    """A custom field of each kind of record, one kind after the other, first those that ask for people."""
    for object in ("deal", "account", "contact"):
        kind = KINDS[-1 - moment.number % len(KINDS)]
        options = [Option("emea", "EMEA")] if kind == "choice" else []
        currency = "EUR" if kind == "money" else ""
        field_create(
            object=object, label=f"Field {moment.number}", kind=kind, options=options, currency=currency
        )


def _value(kind: str, moment: Round) -> Any:
    """Something that a furnished field of this kind may hold."""
    return {
        "text": "north",
        "number": 12,
        "money": {"amount_minor": 100, "currency": "EUR"},
        "date": "2026-01-01",
        "choice": "emea",
        "person": str(moment.owner.id),
    }[kind]


def _around(deal: Opportunity, moment: Round) -> None:
    helper = person_create(name=f"Helper {moment.number}")
    team_member_add(deal.id, person_id=helper.id, part="Sales engineer", now=moment.now)
    splits_set(deal.id, shares=[Share(moment.owner.id, "revenue", 10_000)], now=moment.now)
    milestone = Milestone.objects.order_by("stage__position", "position")[0]
    for state in ("met", "open", "met"):
        milestone_mark(deal.id, milestone_id=milestone.id, state=state, now=moment.now)
    ApprovalRequest(
        opportunity=deal,
        stage=deal.stage,
        asked_by=moment.owner,
        asked_of=moment.owner,
        amount_minor=1_00,
        currency="EUR",
        asked_at=moment.now,
    ).save()
    line_add(deal.id, product_id=deal.product_id, terms=Terms(1000, 100), now=moment.now)
    comment_add(
        deal.id, text=f"@{moment.owner.name} see {moment.name}", audience=[moment.owner], now=moment.now
    )
    link_add(deal.id, name=moment.name, url=f"https://example.org/{moment.number}", now=moment.now)
    criteria = [Criterion(moment.name, "account.industry", "one_of", 5, ("Rail",))]
    scorecard_set(criteria=criteria, fair_percent=40, good_percent=70, now=moment.now)
    contact = Contact.objects.filter(account_id=deal.account_id)[0]
    buying_role_add(deal.id, contact_id=contact.id, role="champion", now=moment.now)
    activity_log(deal.id, kind="call", at=moment.now, now=moment.now, subject=moment.name)
    plan_set(deal.id, title="Together", person_ids=[moment.owner.id], milestone_ids=[])
    ends = moment.now + timedelta(days=9)
    link_make(deal.id, recipient="Lena Vogt", expires_at=ends, now=moment.now)
    seller_comment(deal.id, text="Welcome", milestone_id=None, now=moment.now)
    deal_answer(deal.id, Answer("on_track"), now=moment.now, today=moment.now.date())


def _computed(deal: Opportunity, moment: Round) -> None:
    at = {"computed_at": moment.now}
    DealTold(opportunity=deal, until=moment.now).save()
    Health(opportunity=deal, score=80, failed=[], computed_on=moment.now.date(), **at).save()
    HealthChange(opportunity=deal, at=moment.now, before=90, after=80, failing=["Silent"]).save()
    ended = {"valid_from": moment.now, "valid_to": moment.now}
    HealthScale(penalties={"silent": 20}, set_by=moment.owner, **ended).save()
    HealthThreshold(stage=deal.stage, won_deals=20, stalled_days=30, **ended).save()
    day = moment.now.date() - timedelta(days=moment.number)
    HealthDay(day=day, owner=moment.owner, band="healthy", deal_count=1, amount_minor=100).save()
    Risk(opportunity=deal, p_won=0.5, p_lost=0.3, p_slip=0.2, model="test", **at).save()
    RiskTurn(opportunity=deal, at=moment.now, slips=True, wins=False).save()
    StageRate(stage=deal.stage, band=f"b{moment.number}", **at).save()


def _imported(deal: Opportunity, moment: Round) -> None:
    run = ImportRun(kind="accounts", file_name="a.csv", person=moment.owner)
    run.save()
    ImportRow(run=run, line=1, external_id=moment.name, fingerprint="f", cells={}).save()
    ImportedSource(kind="accounts", external_id=moment.name, fingerprint="f").save()
    SavedMapping(kind="accounts", signature=moment.name, person=moment.owner, used_at=moment.now).save()
    state = {column: getattr(deal, column) for column in STATE_COLUMNS}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    HistoryRow(run=run.id, opportunity_id=deal.id, at=at, provenance="imported", **state).save()


def _audited(moment: Round) -> None:
    audit_append("person.furnished", subject_kind="person", subject_id=moment.owner.id, summary=moment.name)
    chain_now()
    made_up = {"hash": "0" * 64, "findings": ["made up"], "public_key": "", "signature": ""}
    AuditCheckpoint(sequence=1, made_at=moment.now, **made_up).save()
    what = f"GET page {moment.number}"
    AuditRefusal(person_id=moment.owner.id, minute=moment.now, what=what).save()


def chain_now() -> None:
    """Give the entries of this transaction their place in the chain, as its commit would."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS audit_chained IMMEDIATE; SET CONSTRAINTS audit_chained DEFERRED")


def _planned(moment: Round) -> None:
    contact = Contact.objects.order_by("-id").first()
    assert contact is not None
    touch = Touch("Call", moment.now.date(), owner_id=moment.owner.id)
    account_plan_set(contact.account_id, Plan("Grow", [(contact.id, "decides")], [touch]), now=moment.now)


def _lead(moment: Round) -> None:
    check = LeadCheck(text=f"Question {moment.number}")
    check.save()
    lead = lead_create(
        name=f"Lead {moment.number}", owner_id=moment.owner.id, now=moment.now, source=moment.name
    )
    lead_marks_set(lead.id, check_ids=[check.id], now=moment.now)


def _doubled(moment: Round) -> None:
    other = account_create(name=f"Double {moment.number}")
    first, second = sorted((Account.objects.order_by("id").values_list("id", flat=True)[0], other.id))
    score = {"score": 80, "reasons": ["same name"], "found_at": moment.now}
    DuplicatePair(kind="account", first_id=first, second_id=second, **score).save()
    kept, gone = (account_create(name=f"Merged {moment.number} {end}") for end in "ab")
    records_merge("account", kept_id=kept.id, gone_id=gone.id, chosen={}, now=moment.now)


def _alerted(moment: Round) -> None:
    at = moment.now
    hook = AlertHook(name=moment.name, url="https://example.org/", owner=moment.owner, created_at=at)
    hook.save()
    rule = AlertRule(
        name=moment.name,
        kind="lost",
        owner=moment.owner,
        person_ids=[str(moment.owner.id)],
        hook=hook,
        made_by=moment.owner,
        created_at=at,
        since=at,
        until=at,
    )
    rule.save()
    deal = Opportunity.objects.filter(name=f"Deal {moment.number}")[0]
    fired = AlertFired(rule=rule, key="once", subject=deal.id, opportunity=deal, at=at, fired_at=at)
    fired.text = f"{deal.name} was lost"
    fired.save()
    AlertDelivery(hook=hook, fired=fired, content={}, created_at=at).save()


def _told(moment: Round) -> None:
    _alerted(moment)
    talked_on = date(2000, 1, 1) + timedelta(days=moment.number)
    by = {"person": moment.owner, "written_by": moment.owner, "written_at": moment.now}
    OneToOne(held_on=talked_on, notes=moment.name, **by).save()
    agreed = {"person": moment.owner, "owner": moment.owner, "agreed_by": moment.owner}
    AgreedAction(text=moment.name, due_on=talked_on, agreed_at=moment.now, **agreed).save()
    DealExport(person=moment.owner, format="csv").save()
    _doubled(moment)
    _lead(moment)
    at = moment.now
    Digest(
        person=moment.owner, day=date(2000, 1, 1) + timedelta(days=moment.number), since=at, until=at
    ).save()
    _planned(moment)
    DealView(person=moment.owner, name=moment.name, query="group=stage").save()
    notice_send(moment.owner.id, text=f"Notice {moment.number}")
    person = Person.objects.get(name=f"Person {moment.number}")
    notice_choices_set(person.id, ways={"mention": Ways(in_app=False)})
    mail_choice_set(person.id, digest=False)
