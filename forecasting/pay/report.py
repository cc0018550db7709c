"""How far each person is towards their quota, and what a deal pays them: for page and API.

Whoever leads people is measured by the branch against its quota: a manager's quota is the team's.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from uuid import UUID

from forecasting.onetoone.queries import is_privy, line_above
from forecasting.pay.models import PayPlan
from forecasting.pay.queries import (
    parts_of_deal,
    plan_for,
    plans_standing,
    tiers_of,
    won_before,
)
from forecasting.pay.rules import PaidPart, attainment, deal_parts, pay_minor
from forecasting.quotas.queries import branch_quota, branch_quotas, quotas_of
from forecasting.rollup.queries import own_amounts
from otc.calendar.rules import Calendar, Kind, Period, period_of
from otc.question import Question
from otc.tenancy.lines import Named, Owners, people_by_id
from otc.tenancy.middleware import Tenant

WON = "closed"


@dataclass(frozen=True)
class Attained:
    """A person with their branch in a period; minor units of the organization's currency.

    `pay_minor` is None without a plan for this length of period, where its tiers need a quota and there is none, and
    for whoever may not see it: `is_readable` tells.
    """

    person: Named
    won_minor: int
    quota_minor: int | None
    is_readable: bool
    plan: PayPlan | None
    pay_minor: int | None

    @property
    def attainment(self) -> Fraction | None:
        return attainment(self.won_minor, quota_minor=self.quota_minor)


@dataclass(frozen=True)
class DealPay:
    """What a deal pays one of its people; `amount_minor` None: it has no amount or no rate.

    `before_minor` is won beside it in `period`. `parts` None where nothing can be said: no plan, close date, amount, or
    quota that its tiers need.
    """

    person: Named
    is_won: bool
    amount_minor: int | None
    plan: PayPlan | None
    period: Period | None
    before_minor: int
    quota_minor: int | None
    parts: tuple[PaidPart, ...] | None

    @property
    def pay_minor(self) -> int | None:
        return None if self.parts is None else sum(part.pay_minor for part in self.parts)

    @property
    def before(self) -> Fraction | None:
        return attainment(self.before_minor, quota_minor=self.quota_minor)

    @property
    def after(self) -> Fraction | None:
        return attainment(self.before_minor + (self.amount_minor or 0), quota_minor=self.quota_minor)


def reads_pay(tenant: Tenant, person_id: UUID) -> bool:
    """Whether somebody sees a person's pay: they themselves, who is above them today, and who keeps the plans.

    A delegate doesn't: pay is no business of the branch's deals.
    """
    return tenant.may("manage_pay") or is_privy(tenant.person.id, person_id, chart=tenant.chart)


def periods_by(calendar: Calendar) -> Callable[[date, str], Period]:
    return lambda day, cycle: period_of(day, kind=Kind(cycle), calendar=calendar)


def attainment_report(question: Question, *, tenant: Tenant) -> tuple[Attained, ...]:
    """Everybody in the question's scope, by name. 4 queries."""
    own = question.organization.currency
    won = _won_by_branch(question, own=own)
    given = quotas_of(question.period, own=own, currency=own, known=question.known, at=question.as_of)
    quotas = branch_quotas(chart=question.chart, quotas=given)
    plans = plans_standing(question.known)
    period_at = periods_by(question.calendar)
    asked = question.owners.person_ids
    found = people_by_id(question.chart.manager_of if asked is None else asked)
    rows = []
    for person in sorted(found.values(), key=lambda one: (one.name, one.id)):
        quota = quotas.get(person.id)
        readable = reads_pay(tenant, person.id)
        plan = None
        if readable:
            plan = plan_for(person, day=question.period.first, plans=plans, period_at=period_at)
        paid = None
        if plan is not None and plan.cycle == question.period.kind:
            paid = pay_minor(won[person.id], quota_minor=quota, tiers=tiers_of(plan))
        rows.append(Attained(person, won[person.id], quota, readable, plan, paid))
    return tuple(rows)


def attained_by(question: Question, person_id: UUID, *, tenant: Tenant) -> Attained | None:
    """One person's, for whoever sees their pay; None for anybody else. The question's scope is the person's branch."""
    if not reads_pay(tenant, person_id):
        return None
    rows = attainment_report(question, tenant=tenant)
    return next((row for row in rows if row.person.id == person_id), None)


def _won_by_branch(question: Question, *, own: str) -> Counter[UUID]:
    """What everybody below each person won, themselves included."""
    found: Counter[UUID] = Counter()
    rows = own_amounts(
        question.period,
        as_of=question.as_of,
        known=question.known,
        owners=question.owners,
        corporate=own,
    )
    for row in rows:
        if row.category == WON and row.owner_id is not None:
            for above in line_above(row.owner_id, chart=question.chart):
                found[above] += row.amount_minor
    return found


def deal_pay_report(question: Question, deal_id: UUID, *, tenant: Tenant) -> tuple[DealPay, ...]:
    """What the deal pays each of its people whose pay the viewer sees, the largest part first.

    An open deal is shown as if it were won on its close date, on top of everything that is won by now; a won one on
    top of what closed before it. Nobody where the deal is lost, or its people's pay is not the viewer's to see.
    """
    parts = parts_of_deal(question, deal_id)
    holders = [part.person_id for part in parts if part.person_id is not None]
    seen = [holder for holder in holders if reads_pay(tenant, holder)]
    if not seen:
        return ()
    people, plans = people_by_id(seen), plans_standing(question.known)
    period_at = periods_by(question.calendar)
    rows = []
    for holder in seen:
        branch = question.chart.branch(holder) | {holder}
        amounts = [part.amount_minor for part in parts if part.person_id in branch]
        given = [amount for amount in amounts if amount is not None]
        amount = sum(given) if given else None
        close_date, is_won = parts[0].close_date, parts[0].is_won
        plan = None
        if close_date is not None:
            plan = plan_for(people[holder], day=close_date, plans=plans, period_at=period_at)
        if plan is None or close_date is None:
            rows.append(DealPay(people[holder], is_won, amount, plan, None, 0, None, None))
            continue
        period = period_at(close_date, plan.cycle)
        before = won_before(
            question,
            period=period,
            owners=Owners(branch, unassigned=False),
            close_date=close_date,
            deal_id=deal_id,
            is_won=is_won,
        )
        quota = _quota(question, holder, period=period)
        paid = None
        if amount is not None:
            paid = deal_parts(amount, before_minor=before, quota_minor=quota, tiers=tiers_of(plan))
        rows.append(DealPay(people[holder], is_won, amount, plan, period, before, quota, paid))
    return tuple(rows)


def _quota(question: Question, person_id: UUID, *, period: Period) -> int | None:
    own = question.organization.currency
    quotas = quotas_of(period, own=own, currency=own, known=question.known, at=question.as_of)
    return branch_quota(person_id, chart=question.chart, quotas=quotas)
