"""Does the same seed write the same data, beside what is there and at any size?"""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from resource import RUSAGE_SELF, getrusage
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from postmortem.demo import histories
from postmortem.demo.copying import copy_rows
from postmortem.demo.services import demo_seed
from tests.conftest import House
from tests.nightly import IS_NIGHTLY

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


TABLES = (
    "otc_organization",
    *("otc_person", "otc_reportingline", "otc_rate", "forecasting_quota", "forecasting_call"),
    *("pipeline_process", "pipeline_stage", "pipeline_milestone", "pipeline_closereason"),
    *("pipeline_account", "pipeline_contact", "pipeline_product", "pipeline_competitor"),
    *("pipeline_opportunity", "pipeline_opportunityversion", "pipeline_opportunitymilestone"),
    *("pipeline_activity", "pipeline_buyingrole", "pipeline_dealteammember", "pipeline_split"),
    *("pipeline_dealline", "pipeline_dealcomment", "pipeline_deallink", "pipeline_scorecard", "otc_notice"),
    *("pipeline_approvalrequest", "pipeline_closeplan", "pipeline_closeplanlink", "pipeline_closeplanevent"),
    *("pipeline_accountplan", "pipeline_planperson", "pipeline_plannedtouch"),
    *("forecasting_adjustmentstep", "forecasting_dealjudgement", "forecasting_lock", "forecasting_unlock"),
    *(
        "forecasting_forecasttype",
        "forecasting_forecasttypefilter",
        "forecasting_payplan",
        "forecasting_quotaramp",
    ),
)
# When a row was written, who may sign in, and a link's secret: all that isn't the simulation's.
NOT_SIMULATED = {
    "otc_organization": ["created_at", "fields_stamp"],
    "otc_person": ["user_id"],
    "pipeline_closeplanlink": ["token_hash"],
}


# More than the first batch, so that there are two.
DEALS, FIRST_BATCH = (520, 500) if IS_NIGHTLY else (150, 100)


def digests(**options: Any) -> dict[str, str]:
    """What a seeding writes into each table, as one number per table; then it is as if it had never been."""
    found = {}
    with transaction.atomic():
        seeded = demo_seed("kitano", **({"deals": DEALS, "seed": 3, "now": NOW} | options))
        with use(seeded.organization.id), connection.cursor() as cursor:
            for table in TABLES:
                without = NOT_SIMULATED.get(table, [])
                cursor.execute(
                    f"SELECT md5(string_agg((to_jsonb(t) - %s::text[])::text, '|' ORDER BY t.id)) FROM {table} t",
                    [without],
                )
                found[table] = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return found


def test_the_same_seed_and_day_write_the_same_bytes_at_any_time_of_it_and_however_many_help(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "FIRST_DEALS", FIRST_BATCH)
    once = digests()
    assert all(once.values())
    assert digests(now=NOW.replace(hour=14), processes=2) == once


def test_another_seed_writes_other_bytes_everywhere(db: None) -> None:
    once, other = digests(deals=60), digests(deals=60, seed=4)
    alike = {table for table in TABLES if once[table] == other[table]}
    assert alike <= {"forecasting_dealjudgement", "forecasting_quotaramp"}  # so few may have none


def test_an_existing_empty_organization_keeps_its_books(house: Any) -> None:
    call_command("seed_demo", "--org", "halden", "--deals", "5", "--seed", "9", stdout=StringIO())
    with use(house.organization.id):
        assert Opportunity.objects.count() == 5
        assert Person.objects.filter(name="Eve Okafor").count() == 2  # the house's own, and the simulated one


@pytest.mark.nightly
def test_a_hundred_thousand_deals_take_minutes_and_little_memory(db: None) -> None:
    started = monotonic()
    seeded = demo_seed("big", deals=100_000, seed=1, now=NOW, processes=1)
    assert monotonic() - started < 300
    assert getrusage(RUSAGE_SELF).ru_maxrss < 1024 * 1024  # KB
    with use(seeded.organization.id):
        assert Opportunity.objects.count() == 100_000
        assert OpportunityVersion.objects.count() > 500_000


def locks_held() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_batch_more_holds_no_lock_more(house: House) -> None:
    """A million deals come in two thousand batches of one transaction: locks per batch would run out."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with transaction.atomic(), use(house.organization.id, channel="import"):
        held = []
        for number in range(4):
            rows = [(str(uuid4()), f"Account {number}", f"account {number}", at)]
            copy_rows(Account, columns=("id", "name", "name_folded", "created_at"), rows=rows)
            held.append(locks_held())
        assert Account.objects.count() == 4
    assert held[1] == held[3]
