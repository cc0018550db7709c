"""Jobs asked for through the web while everything is killed at random: none is lost, none is done twice. 500 in the
suite, 1,000 in `make nightly`.

What it takes to see that was tried by breaking the code, each time with this result of the first test:

- the fencing token not looked at in a lease's step: red, a long job has 39 steps instead of 20. Only the frozen
  worker shows it: a killed one never comes back to write;
- "done" committed before the effect: red, jobs are done that left nothing;
- the effect committed before "done": red, jobs are done twice;
- no claim at all (the advisory lock not asked for): red, jobs whose rings come doubled are done twice;
- the sweep ringing for nothing: red, what the flush and the dead workers lost is never done.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from psycopg2 import OperationalError

from otc.backup.services import backup_restore, backup_write
from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from tests.cluster import cluster_folder
from tests.conftest import build_house
from tests.nightly import IS_NIGHTLY
from tests.storm.counting import LONG_STEPS, SLOW_DONE
from tests.storm.parts import StormyHouse, blows, wait_until

JOBS, LONG_JOBS, A_REQUEST = 1000 if IS_NIGHTLY else 500, 8, 10
# Every so many requests' jobs are rung for twice.
DOUBLED = 5
# So much may wait to be done: enough for a flush to lose, little enough that the web is needed to the end.
AHEAD = 100
PATIENCE_SECONDS = 240.0
FAULTS = 6
DONE = "SELECT count(*) FROM pipeline_opportunity WHERE amount_minor > 0"
NOT_DONE = "SELECT count(*) FROM otc_job WHERE kind LIKE 'count%' AND state <> 'done'"
BY_AMOUNT = "SELECT id, amount_minor FROM pipeline_opportunity"


@pytest.fixture
def stormy(transactional_db: None, tmp_path: Path) -> Iterator[StormyHouse]:
    """A deployment of its own, its database brought over from this worker's by backup and restore."""
    folder = cluster_folder() / f"storm-{uuid4().hex[:8]}"
    house = StormyHouse(folder)
    house.start_servers()
    try:
        yield house
    finally:
        house.close()


def move_in(house: StormyHouse, *, deals: int, folder: Path) -> tuple[UUID, list[UUID]]:
    """An organization with so many deals of amount 0."""
    organization = build_house().organization
    with use(organization.id):
        now = timezone.now()
        Opportunity.objects.bulk_create(
            Opportunity(
                name=f"Deal {n}", name_folded=f"deal {n}", currency="EUR", created_at=now, amount_minor=0
            )
            for n in range(deals)
        )
        found = list(Opportunity.objects.order_by("id").values_list("id", flat=True))
    file = folder / "moved.dump"
    backup_write(file, database=settings.BACKUP_DATABASE)
    backup_restore(file, owner=house.database("owner"), reader=house.database("backup"))
    house.rows(SLOW_DONE)
    return organization.id, found


def in_requests(deals: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [deals[first : first + A_REQUEST] for first in range(0, len(deals), A_REQUEST)]


def mixed(long: Sequence[UUID], short: Sequence[UUID]) -> list[tuple[Sequence[UUID], str]]:
    """Requests for short jobs, some of them rung for twice, with those for long ones spread among them."""
    requests = [
        (some, "jobs" if number % DOUBLED else "twice") for number, some in enumerate(in_requests(short))
    ]
    every = len(requests) // len(long)
    for number, deal in enumerate(long):
        requests.insert(number * (every + 1), ([deal], "long"))
    return requests


def ask_stubbornly(
    house: StormyHouse, organization_id: UUID, requests: Sequence[tuple[Sequence[UUID], str]], *, ahead: int
) -> None:
    """As an integration does: a request without an answer is sent again. At most `ahead` deals wait to be done."""
    asked = 0
    for deals, how in requests:
        wait_until(partial(_has_done, house, asked - ahead), seconds=PATIENCE_SECONDS, every=0.05)
        while not house.ask(organization_id, deals, how=how):
            time.sleep(0.1)
        asked += len(deals)
        time.sleep(0.02)


def storm(
    house: StormyHouse,
    organization_id: UUID,
    requests: Sequence[tuple[Sequence[UUID], str]],
    *,
    faults: Sequence[str],
    ahead: int = AHEAD,
    patience: float = 30,
) -> None:
    """Ask for all work while faults strike, spread over it: each when its share of what is left is done.

    Where work is lost the share never comes: a fault then waits for `patience` seconds.
    """
    ask = partial(ask_stubbornly, house, organization_id, requests, ahead=ahead)
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    work = sum(len(deals) for deals, _ in requests)
    for number, blow in enumerate(faults):
        done = _done(house)
        share = done + (work - done) // (len(faults) + 1 - number)
        wait_until(partial(_has_done, house, share), seconds=patience)
        house.strike(blow)
    asking.join(PATIENCE_SECONDS)
    assert not asking.is_alive(), "the web never came back"


def _has_done(house: StormyHouse, number: int) -> bool:
    return number <= 0 or _done(house) >= number


def _done(house: StormyHouse) -> int:
    """How many deals' work has begun to show; none while the database is down."""
    try:
        return int(house.rows(DONE)[0][0])
    except OperationalError:
        return 0


def test_nothing_is_lost_and_nothing_is_done_twice(stormy: StormyHouse, tmp_path: Path) -> None:
    organization_id, deals = move_in(stormy, deals=JOBS + LONG_JOBS, folder=tmp_path)
    for part in ("web", "worker", "scheduler"):
        stormy.start(part)
    long, short = deals[:LONG_JOBS], deals[LONG_JOBS:]
    storm(stormy, organization_id, mixed(long, short), faults=blows(59, number=FAULTS))
    assert wait_until(lambda: stormy.rows(NOT_DONE) == [(0,)], seconds=PATIENCE_SECONDS), stormy.rows(
        "SELECT state, attempts, error FROM otc_job WHERE kind LIKE 'count%' AND state <> 'done' LIMIT 5"
    )
    amounts = dict(stormy.rows(BY_AMOUNT))
    assert Counter(amounts[deal] for deal in short) == {1: JOBS}
    assert Counter(amounts[deal] for deal in long) == {LONG_STEPS: LONG_JOBS}
    assert stormy.takeovers, "nobody took over from the frozen worker: its lease was never put to the test"


def test_the_same_storm_loses_work_that_plain_celery_delivers(stormy: StormyHouse, tmp_path: Path) -> None:
    """The negative control: the harness does find what is lost."""
    organization_id, deals = move_in(stormy, deals=120, folder=tmp_path)
    for part in ("web", "worker", "scheduler"):
        stormy.start(part)
    requests = [(some, "plain") for some in in_requests(deals)]
    # A worker that wasn't up yet would lose everything, and that proves nothing.
    ask_stubbornly(stormy, organization_id, requests[:1], ahead=len(deals))
    assert wait_until(partial(_has_done, stormy, 1), seconds=PATIENCE_SECONDS)
    storm(
        stormy,
        organization_id,
        requests[1:],
        faults=["worker", "web", "worker", "flush"],
        ahead=len(deals),
        patience=5,
    )
    time.sleep(5)
    amounts = Counter(amount for _, amount in stormy.rows(BY_AMOUNT))
    assert amounts[0] > 0, "plain delivery lost nothing: the storm is too mild to prove anything"
    assert amounts[1] > 0, "nothing was delivered at all: the storm proves nothing"
