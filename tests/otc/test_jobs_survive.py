"""A flushed broker costs a sweep's wait and no work; health follows an edit at once. tests/storm has the worse."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.utils import timezone

from otc.celery import app
from otc.embedded.servers import ValkeyServer
from otc.embedded.urls import broker_url
from otc.jobs.services import enqueue_many
from otc.tenancy.context import use
from pipeline.health.models import Health
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from tests.cluster import cluster_folder
from tests.otc import survival
from tests.otc.survival import Sweeper, Workers

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


def ask_for_counts(house, found: list[Opportunity]) -> None:
    with use(house.organization.id):
        enqueue_many("count", {str(deal.id): deal.id for deal in found})


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


@pytest.mark.nightly
def test_a_flushed_broker_forgets_every_ring_and_the_sweep_rings_again(house, valkey, workers):
    """Also the negative control: what the doorbell alone is worth."""
    found = deals(house, 40)
    ask_for_counts(house, found)
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
