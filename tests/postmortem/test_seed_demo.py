"""Does the demo land in the database whole, with its history, and only where nothing is yet?"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from forecasting.adjustments.models import AdjustmentStep
from forecasting.calls.models import Call
from forecasting.locks.models import Lock, LockedRow, Unlock
from forecasting.locks.queries import period_of_lock
from forecasting.locks.services import all_seeing
from forecasting.pay.models import PayPlan
from forecasting.quotas.models import Quota, QuotaRamp
from forecasting.rhythm.models import Rhythm
from forecasting.rollup.report import rollup_report
from otc.demo.company import build_company
from otc.demo.organizations import KITANO
from otc.demo.simulation import simulate
from otc.demo.workdays import months_before
from otc.jobs.models import Job
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Organization, Person, ReportingLine
from pipeline.activities.models import Activity
from pipeline.buying.models import BuyingRole
from pipeline.history.models import HistoryRow, OpportunityVersion
from pipeline.leads.models import Lead, LeadMark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.team.models import DealTeamMember, Split
from postmortem.demo.copying import cell
from postmortem.demo.ground import milestone_counts, process_ready
from postmortem.demo.services import BEGINNING, Seeded, demo_seed

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DEALS = 60


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[Seeded]:
    """Kitano, seeded once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield demo_seed("kitano", deals=DEALS, seed=3, now=NOW)
        transaction.set_rollback(True)


@pytest.fixture
def kitano(seeded: Seeded, db: None) -> Seeded:
    """What a test writes into it is rolled back at the test's end."""
    return seeded


def simulated() -> list[Any]:
    counts = milestone_counts(process_ready(seed=3, at=BEGINNING, currency="JPY"))
    company = build_company(KITANO, deals=DEALS, seed=3, today=NOW.date(), milestones_per_stage=counts)
    return list(simulate(company))


def test_every_deal_arrives_as_it_was_simulated(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        deals = {deal.external_id: deal for deal in Opportunity.objects.select_related("account", "owner")}
        expected = simulated()
        assert len(deals) == len(expected) == DEALS
        for simulated_deal in expected:
            deal, last = deals[simulated_deal.external_id], simulated_deal.states[-1]
            assert (deal.name, deal.created_at) == (simulated_deal.name, simulated_deal.created_at)
            assert (deal.amount_minor, deal.currency) == (last.amount_minor, last.currency)
            assert (deal.category, deal.outcome) == (last.category, last.outcome)
            assert (deal.close_date, deal.closed_at) == (last.close_date, last.closed_at)
            assert (deal.owner.external_id if deal.owner else None) == last.owner
            assert deal.attributes == simulated_deal.attributes


def test_history_enters_with_the_instants_of_the_simulation(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        versions = OpportunityVersion.objects.order_by("opportunity__external_id", "valid_from")
        found = [(v.valid_from, v.known_from, v.amount_minor) for v in versions]
        expected = [(s.at, s.at, s.amount_minor) for deal in simulated() for s in deal.states]
        assert found == expected
        assert set(versions.values_list("provenance", flat=True)) == {"imported"}
        assert versions.filter(valid_to=FOREVER, known_to=FOREVER).count() == DEALS
        assert HistoryRow.objects.count() == 0


def test_activities_milestones_quotas_and_lines_arrive_too(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        expected = simulated()
        assert Activity.objects.count() == sum(len(deal.activities) for deal in expected)
        assert OpportunityMilestone.objects.count() == sum(len(deal.milestones) for deal in expected)
        assert BuyingRole.objects.count() == sum(len(deal.buying_roles) for deal in expected)
        assert DealTeamMember.objects.count() == sum(len(deal.seats) for deal in expected) > 10
        assert Split.objects.count() == sum(len(deal.splits) for deal in expected) > 1
        assert Call.objects.filter(currency="JPY", submitted_at__lt=NOW).count() > 500
        assert Quota.objects.filter(period="2027-Q3").exists()  # Kitano's year starts in April
        assert ReportingLine.objects.filter(manager=None).count() == 1
        assert Job.objects.filter(kind="health_daily").exists()


def total_now(organization: Organization, *, lock: Lock) -> dict[str, int]:
    """The final amounts of a locked period as they are today."""
    period = period_of_lock(lock, organization=organization)
    report = rollup_report(organization, viewer=all_seeing(), period=period, as_of=NOW, now=NOW)
    return {column: amounts.final for column, amounts in report.total.amounts.items()}


def test_the_forecasts_story_is_told_as_it_came(kitano: Seeded) -> None:
    """Every past quarter is locked with the grid of then, nothing was said after its lock, and today differs."""
    zone = ZoneInfo(kitano.organization.timezone)
    with use(kitano.organization.id):
        locks = list(Lock.objects.order_by("locked_at"))
        ended = sorted({call.period for call in Call.objects.all()})[:-1]
        assert sorted({lock.period for lock in locks}) == ended and len(ended) == 8
        assert all(lock.kept_at == lock.locked_at for lock in locks)
        again = Unlock.objects.get().lock
        assert [lock.period for lock in locks[-2:]] == [again.period] * 2
        for lock in {lock.period: lock for lock in locks}.values():
            said = Call.objects.filter(period=lock.period, submitted_at__gte=lock.locked_at)
            steps = AdjustmentStep.objects.filter(period=lock.period, made_at__gte=lock.locked_at)
            assert not said.exists() and not steps.exists()
        kept = LockedRow.objects.filter(lock=locks[-1], kind="total")
        assert sorted(row.type.slug if row.type else "" for row in kept) == ["", "new-business", "renewal"]
        columns = [total_now(kitano.organization, lock=lock) for lock in locks]
        totals = LockedRow.objects.filter(kind="total", type=None).order_by("lock__locked_at")
        then = [{column: amounts[4] for column, amounts in row.amounts.items()} for row in totals]
        assert then != columns and len(then) == len(columns) == 9
        assert Rhythm.objects.get().call_hour == 17 and PayPlan.objects.filter(role="rep").exists()
        assert {ramp.starts_on for ramp in QuotaRamp.objects.all()} == set(
            Person.objects.filter(
                role="rep", joined_on__gt=months_before(NOW.astimezone(zone).date(), months=24)
            ).values_list("joined_on", flat=True)
        )


@pytest.mark.parametrize("text", ["tab\there", "line\nbreak", "back\\slash", "\\N", "\r", ""])
def test_copied_text_comes_back_unchanged(db: None, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (value text)")
        cursor.copy_expert("COPY copied FROM STDIN", StringIO(cell(text) + "\n"))
        cursor.execute("SELECT value FROM copied")
        assert cursor.fetchone() == (text,)


def test_an_organization_with_deals_is_refused_and_left_alone(kitano: Seeded) -> None:
    with pytest.raises(CommandError, match="already has deals, accounts"):
        call_command("seed_demo", "--org", "kitano", stdout=StringIO())
    with use(kitano.organization.id):
        assert Opportunity.objects.count() == DEALS


def test_leads_come_in_every_state_and_point_to_their_deals(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        leads = list(Lead.objects.select_related("opportunity"))
        states = Counter(lead.state for lead in leads)
        assert min(states["open"], states["converted"], states["returned"]) > 3
        assert all((lead.opportunity is not None) == (lead.state == "converted") for lead in leads)
        for lead in leads:
            assert lead.created_at <= (lead.decided_at or NOW) <= NOW
            assert lead.opportunity is None or lead.source == lead.opportunity.source
        assert LeadMark.objects.count() > len(leads)


# The truth


def test_the_truth_is_told_of_the_deals_that_are_there_and_of_no_other_seed(kitano: Seeded) -> None:
    shown = StringIO()
    call_command("demo_truth", org="kitano", at=date(2026, 11, 2), seed=3, futures=5, stdout=shown)
    rows = list(csv.DictReader(StringIO(shown.getvalue())))
    with use(kitano.organization.id):
        morning = datetime(2026, 11, 1, 15, tzinfo=UTC)  # midnight in Tokyo
        standing = OpportunityVersion.objects.filter(
            valid_from__lt=morning, valid_to__gte=morning, outcome=None
        )
        assert {row["external_id"] for row in rows} == set(
            standing.values_list("opportunity__external_id", flat=True)
        )
        closing = dict(standing.values_list("opportunity__external_id", "close_date"))
        assert {row["external_id"]: row["close_date"] for row in rows} == {
            deal: str(day) for deal, day in closing.items()
        }
    with pytest.raises(CommandError, match="don't come from seed 4"):
        call_command("demo_truth", org="kitano", seed=4, stdout=StringIO())
    with pytest.raises(CommandError, match="no organization"):
        call_command("demo_truth", org="nowhere", stdout=StringIO())
