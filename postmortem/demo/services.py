"""Fill an organization with the simulated company: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from forecasting.calls.models import Call
from otc.demo.calls import CallDays, DemoCall, Ledger, build_calls
from otc.demo.company import DemoCompany, build_company
from otc.demo.ids import demo_id
from otc.demo.organizations import HALDEN, PLANS, OrganizationPlan, plan_for
from otc.jobs.services import enqueue
from otc.tenancy.context import through_doorway, use
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import organization_create, person_create
from pipeline.accounts.models import Account
from pipeline.duplicates.finding import duplicates_ask
from pipeline.history.services import renew_statistics
from pipeline.opportunities.models import Opportunity
from postmortem.demo.copying import copy_rows
from postmortem.demo.desk import DeskWriter, SharedLink
from postmortem.demo.forecasts import ForecastWriter
from postmortem.demo.ground import Ground, GroundWriter, milestone_counts, process_ready
from postmortem.demo.histories import deals_write
from postmortem.demo.leads import LeadWriter
from postmortem.demo.sign_ins import SignIn, sign_ins_create
from postmortem.demo.talks import TalkWriter

HEALTH_JOB = "health_daily"
# When an organization and its process began that the demo makes: nothing of them follows the clock.
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
Progress = Callable[[str], None]


class NotEmpty(ValueError):
    """The organization has data of its own, which the demo must not mix with."""


@dataclass(frozen=True)
class Seeded:
    """`link` opens a close plan as its buyer sees it; None where there is no deal to share."""

    organization: Organization
    deals: int
    sign_ins: list[SignIn]
    link: SharedLink | None


def organization_id_of(slug: str) -> UUID | None:
    """The organization's id, through the jobs' doorway; None where there is none of that slug."""
    rows = through_doorway("doorway", "jobs", "SELECT id FROM otc_organization WHERE slug = %s", [slug])
    return rows[0][0] if rows else None


def any_organization_exists() -> bool:
    return bool(through_doorway("doorway", "jobs", "SELECT id FROM otc_organization LIMIT 1"))


def demo_seed(
    slug: str,
    *,
    deals: int | None,
    seed: int,
    now: datetime,
    processes: int = 0,
    progress: Progress = lambda text: None,
) -> Seeded:
    """Write `deals` simulated deals (default: the plan's) into the organization, made where it doesn't exist.

    `processes` others live the deals; the data are the same. Raises NotEmpty for an organization that has people
    from elsewhere, accounts or deals.
    """
    with transaction.atomic():
        organization = organization_for(slug, seed=seed)
        with use(organization.id, channel="import"):
            check_empty(organization)
            plan = plan_of(organization)
            count = plan.deals if deals is None else deals
            link = organization_fill(
                organization,
                plan=plan,
                deals=count,
                seed=seed,
                now=now,
                processes=processes,
                progress=progress,
            )
            renew_statistics()
            sign_ins = sign_ins_create(organization.name)
            enqueue(HEALTH_JOB)
            enqueue("weekly_sums", key="demo")
            duplicates_ask()
    return Seeded(organization, count, sign_ins, link)


def demo_first_run(*, seed: int, now: datetime, progress: Progress = lambda text: None) -> list[Seeded]:
    """Halden and two small organizations, where there is no organization at all yet; else nothing.

    Halden's administrator looks after the small ones too, so that switching organizations shows.
    """
    with transaction.atomic():
        if any_organization_exists():
            return []
        found = [demo_seed(slug, deals=None, seed=seed, now=now, progress=progress) for slug in PLANS]
        with use(found[0].organization.id):
            administrator = Person.objects.filter(role="administrator").exclude(user=None).get()
        for small in found[1:]:
            with use(small.organization.id):
                person_create(
                    name=administrator.name,
                    role="administrator",
                    title="Operations of the group",
                    email=administrator.email,
                    user=administrator.user,
                )
    return found


def organization_for(slug: str, *, seed: int) -> Organization:
    """The organization of this slug, made after its plan (else as a namesake of Halden) where there is none."""
    organization_id = organization_id_of(slug)
    if organization_id is not None:
        with use(organization_id):
            existing: Organization = Organization.objects.get(id=organization_id)
        return existing
    plan = PLANS.get(slug, HALDEN)
    return organization_create(
        slug=slug,
        name=plan.name if slug in PLANS else slug.replace("-", " ").title(),
        currency=plan.currency,
        timezone_name=plan.zone,
        fiscal_year_start_month=plan.fiscal_month,
        organization_id=demo_id(seed, kind="organization", key=slug, at=BEGINNING),
    )


def plan_of(organization: Organization) -> OrganizationPlan:
    return plan_for(
        organization.slug,
        name=organization.name,
        currency=organization.currency,
        zone=organization.timezone,
        fiscal_month=organization.fiscal_year_start_month,
    )


def check_empty(organization: Organization) -> None:
    """Raises NotEmpty naming what is there. People without an external id (an administrator) don't count."""
    present = {
        "deals": Opportunity.objects.exists(),
        "accounts": Account.objects.exists(),
        "imported people": Person.objects.exclude(external_id=None).exists(),
    }
    found = ", ".join(name for name, is_there in present.items() if is_there)
    if found:
        raise NotEmpty(f"{organization.slug} already has {found}; the demo only fills an empty organization")


def organization_fill(
    organization: Organization,
    *,
    plan: OrganizationPlan,
    deals: int,
    seed: int,
    now: datetime,
    processes: int,
    progress: Progress,
) -> SharedLink | None:
    """Write the company, its deals and what people do with them into the organization in context. Returns a buyer's
    link.
    """
    zone = ZoneInfo(organization.timezone)
    today = now.astimezone(zone).date()
    process = process_ready(seed=seed, at=BEGINNING, currency=organization.currency)
    company = build_company(
        plan, deals=deals, seed=seed, today=today, milestones_per_stage=milestone_counts(process)
    )
    ground = GroundWriter(company, process=process).write()
    ledger = Ledger(company, call_days=CallDays(company))
    started = monotonic()
    for written in deals_write(company, ground, processes=processes, ledger=ledger):
        rate = written.versions / (monotonic() - started)
        progress(
            f"{organization.name}: {written.deals:,} of {deals:,} deals, {written.versions:,} versions, "
            f"{rate:,.0f} versions a second"
        )
    calls_write(company, ground, calls=build_calls(company, ledger))
    ForecastWriter(company, ground.people, organization=organization).write()
    day = datetime.combine(today, time(), tzinfo=zone)
    LeadWriter(company, ground.people, day=day).write()
    TalkWriter(company, day=day).write()
    return DeskWriter(company, ground.people, day=day).write()


def calls_write(company: DemoCompany, ground: Ground, *, calls: Iterable[DemoCall]) -> None:
    """What everybody called, submitted by themselves."""
    rows = (
        (
            demo_id(company.seed, kind="call", key=f"{c.person}:{c.column}:{c.at.isoformat()}", at=c.at),
            *(ground.people[c.person], c.period, c.column, c.amount_minor, company.plan.currency, c.note),
            *(c.at, ground.people[c.person]),
        )
        for c in calls
    )
    columns = ("id", "person_id", "period", "column", "amount_minor", "currency", "note")
    copy_rows(Call, columns=(*columns, "submitted_at", "submitted_by_id"), rows=rows)
