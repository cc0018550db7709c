"""From which simulation did an organization's demo come? Asked of its deals, for nothing of it is stored."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from otc.demo import market
from otc.demo.company import DemoCompany, build_company
from otc.demo.simulation import simulate
from otc.demo.workdays import months_before
from otc.tenancy.context import use
from otc.tenancy.models import Organization
from pipeline.accounts.models import Account
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Process
from postmortem.demo.ground import milestone_counts
from postmortem.demo.services import organization_id_of, plan_of

COMPARED = 20


class UnknownOrigin(ValueError):
    """There is no such organization, or its deals come from another seed."""


def company_behind(slug: str, *, seed: int) -> DemoCompany:
    """The simulated company whose deals the organization holds. Raises UnknownOrigin."""
    organization_id = organization_id_of(slug)
    if organization_id is None:
        raise UnknownOrigin(f"There is no organization {slug}")
    with use(organization_id):
        organization = Organization.objects.get(id=organization_id)
        deals = Opportunity.objects.filter(external_id__startswith="D-")
        created = dict(deals.order_by("external_id").values_list("external_id", "created_at")[:COMPARED])
        first = Account.objects.filter(external_id="A-00001").values_list("created_at", flat=True).first()
        process = Process.objects.filter(is_default=True).first()
        count = deals.count()
        counts = milestone_counts(process) if process else ()
    if first is None or not count:
        raise UnknownOrigin(f"{slug} holds no demo")
    for today in mornings(first.astimezone(ZoneInfo(organization.timezone)).date()):
        company = build_company(
            plan_of(organization), deals=count, seed=seed, today=today, milestones_per_stage=counts
        )
        if matches(company, created):
            return company
    raise UnknownOrigin(f"The deals of {slug} don't come from seed {seed}")


def mornings(first: date) -> list[date]:
    """The days whose window of 24 months begins on `first`: one, or up to four where a month's end was cut."""
    start = months_before(first, months=-market.MONTHS)
    days = (start + timedelta(days=more) for more in range(4))
    return [day for day in days if months_before(day, months=market.MONTHS) == first]


def matches(company: DemoCompany, created: dict[str, datetime]) -> bool:
    """Whether the company's first deals were found when those in the database were."""
    found = simulate(company, numbers=range(min(COMPARED, company.deals)))
    return all(created.get(deal.external_id) in (deal.created_at, None) for deal in found)
