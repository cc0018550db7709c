"""Workers are killed by -9 and the broker is flushed while jobs run: nothing is lost, nothing is done twice."""

import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from otc.celery import app
from otc.embedded.servers import ValkeyServer
from otc.embedded.urls import broker_url
from otc.jobs.models import Job, JobState
from otc.jobs.services import enqueue_many
from otc.tenancy.context import use
from pipeline.health.models import Health
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from tests.cluster import cluster_folder
from tests.otc import survival
from tests.otc.survival import LONG_STEPS, Sweeper, Workers

SHORT_JOBS, LONG_JOBS = 150, 4
KILLS = 4
PATIENCE_SECONDS = 60.0


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A broker of this test's own: flushing it disturbs nobody."""
    folder = cluster_folder() / f"survival-{uuid4().hex[:8]}"
    server = ValkeyServer(data=folder, sockets=folder, log=folder / "valkey.log")
    server.start()
    server.wait()
    yield server
    server.stop()


@pytest.fixture
def workers(
    transactional_db: None, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workers]:
    """This process rings at the test's broker, too."""
    survival.register_kinds()
    _point_at(broker_url(valkey.url))
    started = Workers(folder=valkey.data, valkey=valkey)
    yield started
    started.close()
    _point_at(app.conf.broker_url)
    survival.forget_kinds()


def _point_at(url: str) -> None:
    app.conf.broker_write_url = app.conf.broker_read_url = url
    if app._pool is not None:
        app._pool.force_close_all()
    app._pool = None
    app.amqp._producer_pool = None


def deals(house, number: int) -> list[Opportunity]:
    with use(house.organization.id):
        found = [
            Opportunity(
                name=f"Deal {n}",
                name_folded=f"deal {n}",
                currency="EUR",
                created_at=timezone.now(),
                amount_minor=0,
            )
            for n in range(number)
        ]
        Opportunity.objects.bulk_create(found)
        return list(Opportunity.objects.order_by("id"))


def ask_for_counts(house, *, short: list[Opportunity], long: list[Opportunity]) -> None:
    with use(house.organization.id):
        enqueue_many("count", {str(deal.id): deal.id for deal in short})
        enqueue_many("count_long", {str(deal.id): deal.id for deal in long})


def expire_leases_of_the_dead(house) -> None:
    """All workers are dead: what would take a minute to notice is said at once."""
    with use(house.organization.id):
        Job.objects.filter(state=JobState.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


def storm(house, *, valkey: ValkeyServer, workers: Workers, sweeper: Sweeper) -> None:
    """Kill every worker again and again in the middle of its work; flush the broker half-way."""
    for turn in range(KILLS):
        workers.start()
        _let_some_work_be_done(house, sweeper)
        workers.kill()
        expire_leases_of_the_dead(house)
        if turn == KILLS // 2:
            survival.flush(valkey)


def _let_some_work_be_done(house, sweeper: Sweeper) -> None:
    before = survival.waiting(house.organization.id)
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        sweeper.call()
        if 0 < survival.waiting(house.organization.id) < before - 5:
            return
        time.sleep(0.2)


def settle(house, *, workers: Workers, sweeper: Sweeper, seconds: float) -> None:
    """Let the last worker finish what there is."""
    workers.start()
    deadline = time.monotonic() + seconds
    while survival.waiting(house.organization.id) and time.monotonic() < deadline:
        sweeper.call()
        time.sleep(0.5)


def amounts(house, found: list[Opportunity]) -> list[int]:
    with use(house.organization.id):
        by_id = dict(Opportunity.objects.values_list("id", "amount_minor"))
    return [by_id[deal.id] for deal in found]


def test_killed_workers_and_a_flushed_broker_lose_nothing_and_double_nothing(house, valkey, workers):
    short, long = (found := deals(house, SHORT_JOBS + LONG_JOBS))[:SHORT_JOBS], found[SHORT_JOBS:]
    ask_for_counts(house, short=short, long=long)
    storm(house, valkey=valkey, workers=workers, sweeper=Sweeper(is_on=True))
    assert survival.waiting(house.organization.id), "the storm must end before the work does"
    settle(house, workers=workers, sweeper=Sweeper(is_on=True), seconds=PATIENCE_SECONDS)
    assert survival.waiting(house.organization.id) == 0
    assert amounts(house, short) == [1] * SHORT_JOBS
    assert amounts(house, long) == [LONG_STEPS] * LONG_JOBS


def test_without_the_sweep_the_same_storm_loses_jobs(house, valkey, workers):
    """The negative control: what the doorbell alone is worth."""
    found = deals(house, 40)
    ask_for_counts(house, short=found, long=[])
    survival.flush(valkey)
    settle(house, workers=workers, sweeper=Sweeper(is_on=False), seconds=5)
    assert survival.waiting(house.organization.id) == 40
    settle(house, workers=workers, sweeper=Sweeper(is_on=True), seconds=PATIENCE_SECONDS)
    assert amounts(house, found) == [1] * 40


def test_health_follows_an_edit_within_five_seconds_also_after_a_flush(house, valkey, workers):
    """Through the real services and a real worker; the worker that lived through the flush still hears the bell."""
    workers.start()
    for name in ("Kestrel", "Heron"):
        with use(house.organization.id, channel="ui"):
            deal = opportunity_create(name=name, now=timezone.now()).opportunity
        assert seconds_until_healthy(house, deal) < (30 if name == "Kestrel" else 5)
        survival.flush(valkey)


def seconds_until_healthy(house, deal: Opportunity) -> float:
    before = time.monotonic()
    while time.monotonic() < before + 30:
        with use(house.organization.id):
            if Health.objects.filter(opportunity_id=deal.id).exists():
                break
        time.sleep(0.05)
    return time.monotonic() - before
