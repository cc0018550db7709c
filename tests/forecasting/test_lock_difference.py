"""What a lock kept beside what is now: its rows add up, its deals explain it, and the past can be computed again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from random import Random
from threading import Event

import pytest
from django.db import connection, transaction

from forecasting.adjustments.models import AdjustmentStep
from forecasting.adjustments.queries import latest_step
from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import adjustment_set
from forecasting.calls.models import CallColumn
from forecasting.calls.services import call_submit
from forecasting.locks.models import Lock, LockedRow
from forecasting.locks.queries import period_of_lock
from forecasting.locks.report import FINAL, ROLLED_UP, difference_report
from forecasting.locks.services import all_seeing, period_lock, period_unlock
from forecasting.rollup.report import rollup_report
from otc.calendar.rules import parse_period
from otc.jobs.models import Job
from otc.jobs.services import run
from otc.money.models import Rate
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.services import line_set
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import COLUMNS
from pipeline.team.models import Split
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.api_client import Caller
from tests.forecasting.lives import change, deal_with, random_state

Q4 = parse_period("2026-Q4")
INSIDE = date(2026, 11, 30)


def commit(owner, amount_minor, **columns):
    columns = {"close_date": INSIDE, "category": "commit", "name": "Kestrel", **columns}
    return deal_with(owner_id=owner.id if owner else None, amount_minor=amount_minor, **columns)


def lock_q4(house):
    return period_lock(house.organization, period=Q4, author=house.eve)


def difference(house, lock, *, by="eve", column="commit_cumulative", **asked):
    tenant = Tenant(house.organization, house.people[by], datetime.now(UTC), [house.organization])
    return difference_report(ask(tenant, {"period": lock.period, **asked}), lock, column=column)


def row_of(report, person):
    return next(row for row in report.rows if row.person_id == person.id)


def test_each_row_says_what_it_was_and_is_and_which_deals_made_the_difference(inside):
    deal = commit(inside.ana, 100)
    commit(inside.jon, 50)
    lock = lock_q4(inside)
    change(deal, amount_minor=40)
    report = difference(inside, lock)
    cell = row_of(report, inside.max).cells["commit_cumulative"]
    assert (cell.then_minor, cell.now_minor, cell.difference_minor, cell.deals_minor) == (150, 90, -60, -60)
    assert [row.name for row in report.differing] == ["Eve Okafor", "Max Brandt", "Ana Ruiz"]
    (moved,) = report.moved.deals
    assert (moved.name, moved.then_minor, moved.now_minor, moved.because) == (
        "Kestrel",
        100,
        40,
        "Another amount",
    )


@pytest.mark.parametrize(
    ("edit", "because"),
    [
        ({"outcome": "lost", "closed_at": datetime(2026, 11, 1, tzinfo=UTC)}, "Lost"),
        ({"close_date": date(2027, 2, 1)}, "Close date was 30 Nov 2026, is 1 Feb 2027"),
        ({"close_date": None}, "Close date was 30 Nov 2026, is none"),
        ({"category": "pipeline"}, "Commit became pipeline"),
        ({"deleted_at": datetime(2026, 11, 1, tzinfo=UTC)}, "Deleted"),
    ],
)
def test_a_moved_deal_says_why(inside, edit, because):
    deal = commit(inside.ana, 100)
    lock = lock_q4(inside)
    change(deal, **edit)
    assert [one.because for one in difference(inside, lock).moved.deals] == [because]


def test_a_deal_given_away_leaves_one_scope_and_enters_another(inside):
    deal = commit(inside.ana, 100)
    lock = lock_q4(inside)
    change(deal, owner_id=inside.jon.id)
    assert difference(inside, lock).moved.count == 0
    for person, said in ((inside.ana, (-100, "Given away")), (inside.jon, (100, "Taken over"))):
        (moved,) = difference(inside, lock, scope=str(person.id)).moved.deals
        assert (moved.difference_minor, moved.because) == said


def test_somebody_new_and_what_a_manager_may_not_see(inside):
    commit(inside.eve, 1000)
    lock = lock_q4(inside)
    line_set(inside.ops, manager_id=inside.max.id, since=datetime.now(UTC))
    report = difference(inside, lock, by="max")
    assert report.total is None and {row.name for row in report.rows} == {
        "Max Brandt",
        "Ana Ruiz",
        "Jonas Feld",
        "Olga Petrova",
    }
    assert row_of(report, inside.ops).is_new


STEPS = ("edit", "edit", "edit", "new", "call", "lock", "unlock", "line", "rate", "adjust", "split")


def lived(house, seed, count=60):
    """Random lives: deals edited, calls made, lines changed, locks taken and ended, in any order."""
    random = Random(seed)
    owners = [house.eve, house.max, house.ana, house.jon, house.ops, None]
    state = {"owners": owners, "currencies": ["EUR", "USD", "NOK"]}
    deals = [deal_with(**random_state(random, **state)) for _ in range(20)]
    for _ in range(count):
        step = random.choice(
            ["edit", "edit", "edit", "new", "call", "lock", "unlock", "line", "rate", "adjust", "split"]
        )
        if step == "edit":
            change(random.choice(deals), **random_state(random, **state))
        elif step == "new":
            deals.append(deal_with(**random_state(random, **state)))
        elif step == "line":
            manager = random.choice([house.eve, house.max])
            line_set(house.jon, manager_id=manager.id, since=datetime.now(UTC))
        elif step == "rate":
            rate(random)
        elif step == "split":
            split(random.choice(deals), random, house)
        elif step == "adjust":
            adjust(house, random)
        else:
            frozen(house, random, step)
    return deals


def rate(random):
    at = datetime.now(UTC)
    known = Rate.objects.filter(currency="USD", valid_from=date(2026, 1, 1))
    known.filter(known_to__gt=at).update(known_to=at)
    value = f"0.{random.randrange(5000, 9999)}"
    Rate(currency="USD", valid_from=date(2026, 1, 1), known_from=at, rate=value).save()


def split(deal, random, house):
    """Between two people, or nobody any more; refused for a deal that is deleted."""
    share = random.randrange(1, 10_000)
    shares = [Share(house.ana.id, "revenue", share), Share(house.jon.id, "revenue", 10_000 - share)]
    with suppress(Exception), transaction.atomic():
        splits_set(deal.id, shares=random.choice([shares, []]), now=datetime.now(UTC))


def adjust(house, random):
    """Max on one of his people, or somebody on themselves; refused while it is locked."""
    author, person = random.choice([(house.max, house.ana), (house.max, house.jon), (house.ana, house.ana)])
    cell = Cell(Q4, person.id, random.choice(["commit", "best_case", "commit_cumulative"]))
    latest = latest_step(Q4.key, column=cell.column, person_id=person.id, is_own=author == person)
    with suppress(Refused), transaction.atomic():
        adjustment_set(
            house.organization,
            author=author,
            cell=cell,
            kind=random.choice(["absolute", "delta"]),
            amount_minor=random.randrange(10**6),
            reason="Too careful",
            expected_step_id=latest.id if latest else None,
            now=datetime.now(UTC),
            today=INSIDE,
        )


def frozen(house, random, step):
    """A call, a lock or an unlock, refused as it may be."""
    person, now = random.choice([house.ana, house.jon, house.max]), datetime.now(UTC)
    try:
        if step == "call":
            call_submit(
                house.organization,
                author=person,
                period=Q4,
                amount_minor=random.randrange(10**6),
                column=random.choice(CallColumn.values),
                now=now,
                today=INSIDE,
            )
        elif step == "lock":
            lock_q4(house)
        else:
            locks = list(Lock.objects.all())
            period_unlock(random.choice(locks), reason="Late", now=now) if locks else None
    except Refused:
        pass


def kept_of(lock):
    return {
        (row.kind, row.person_id): ({name: tuple(five) for name, five in row.amounts.items()}, row.deal_count)
        for row in LockedRow.objects.filter(lock=lock)
    }


def computed(house, lock):
    """The same grid, computed today as of the lock's instant."""
    period = period_of_lock(lock, organization=house.organization)
    report = rollup_report(
        house.organization, viewer=all_seeing(), period=period, as_of=lock.locked_at, now=datetime.now(UTC)
    )
    rows = [("person", row) for row in report.rows]
    rows += [("unassigned", report.unassigned), ("total", report.total)]
    return {
        (kind, row.person_id): (
            {
                column: (a.own, a.rolled_up, a.with_reports_adjustments, a.seen, a.final)
                for column, a in row.amounts.items()
            },
            row.deal_count,
        )
        for kind, row in rows
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_past_day_computed_today_is_what_was_kept_at_its_lock(inside, seed):
    lived(inside, seed)
    if not Lock.objects.exists():
        lock_q4(inside)
    lived(inside, seed + 100, count=20)
    if seed == 0:
        assert AdjustmentStep.objects.exists() and Split.objects.exists()
    for lock in Lock.objects.all():
        assert computed(inside, lock) == kept_of(lock)


@pytest.mark.parametrize("seed", range(3))
def test_the_moved_deals_make_what_deals_changed_in_every_row_and_column(inside, seed):
    deals = lived(inside, seed, count=10)
    random = Random(seed)
    lock = Lock.objects.order_by("-locked_at").first() or lock_q4(inside)
    for deal in deals[:15]:
        change(deal, **random_state(random, owners=[inside.ana, inside.jon, None], currencies=["EUR"]))
    for column in ("closed", "commit_cumulative", "open"):
        report = difference(inside, lock, column=column)
        assert report.moved.difference_minor == report.total.cells[column].deals_minor
        for person in (inside.max, inside.ana):
            scoped = difference(inside, lock, column=column, scope=str(person.id))
            assert scoped.moved.difference_minor == row_of(scoped, person).cells[column].deals_minor
    for row in LockedRow.objects.filter(lock=lock):
        assert set(row.amounts) == set(COLUMNS) and all(
            len(five) == FINAL + 1 for five in row.amounts.values()
        )
    assert ROLLED_UP == 1


def test_the_page_and_the_file_and_the_api_show_one_difference(house, signed_in):
    with use(house.organization.id, channel="ui"):
        deal = commit(house.ana, 100_00)
        lock = lock_q4(house)
        change(deal, amount_minor=40_00)
    path = house.url(f"forecast/locks/{lock.id}/")
    page = signed_in(house.eve).get(path).content.decode()
    assert "Commit of Q4 2026 moved by" in page and "Kestrel" in page and "-60" in page.replace("−", "-")
    rows = signed_in(house.eve).get(path, {"format": "csv"}).content.decode().splitlines()
    head = rows[0].lstrip("\ufeff").split(",")
    total = dict(zip(head, rows[-1].split(","), strict=True))
    assert (total["person"], total["commit_cumulative_difference_minor"]) == ("Total", "-6000")
    said = Caller(house.eve).get(f"forecast/locks/{lock.id}").json()
    assert said["total"]["columns"]["commit_cumulative"]["difference_minor"] == -60_00
    assert [one["because"] for one in said["moved"]] == ["Another amount"]


def test_locking_and_unlocking_by_page(house, signed_in):
    client = signed_in(house.eve)
    current = parse_period(client.get(house.url("forecast/locks/")).context["question"].period.key)
    locked = client.post(
        house.url("forecast/locks/lock/"), {"period": current.key, "reason": "Board"}, follow=True
    )
    assert "is locked: nobody calls" in locked.content.decode()
    assert f"{current.label} is locked" in client.get(house.url("forecast/locks/")).content.decode()
    with use(house.organization.id):
        lock = Lock.objects.get()
    path = house.url(f"forecast/locks/{lock.id}/unlock/")
    assert "Say why" in client.post(path, {"reason": ""}, follow=True).content.decode()
    assert "is open again" in client.post(path, {"reason": "A late order"}, follow=True).content.decode()
    assert "A late order" in client.get(house.url("forecast/locks/")).content.decode()


def test_over_the_api_leaders_lock_and_others_do_not(house, elsewhere):
    key = Caller(house.eve).get("forecast/rollup").json()["period"]["key"]
    assert Caller(house.max).post("forecast/locks", {"period": key}).status_code == 403
    made = Caller(house.eve).post("forecast/locks", {"period": key, "reason": "Board"})
    assert (made.status_code, made.json()["reason"]) == (201, "Board")
    refused = Caller(house.ana).post("calls", {"period": key, "amount_minor": 1})
    assert refused.status_code == 422 and "is locked since" in refused.json()["error"]["fields"]["period"][0]
    path = f"forecast/locks/{made.json()['id']}"
    assert Caller(elsewhere.zoe).get(path).status_code == 404
    assert Caller(house.eve).post(f"{path}/unlock", {"reason": " "}).status_code in (400, 422)
    assert Caller(house.eve).post(f"{path}/unlock", {"reason": "Late"}).json()["unlock_reason"] == "Late"
    assert [one["id"] for one in Caller(house.max).get("forecast/locks").json()["results"]] == [
        made.json()["id"]
    ]
    assert Caller(house.ana).post("calls", {"period": key, "amount_minor": 1}).status_code == 201


def test_before_the_lock_there_is_nothing_to_compare(house, signed_in):
    with use(house.organization.id, channel="ui"):
        lock = lock_q4(house)
    path = house.url(f"forecast/locks/{lock.id}/")
    answer = signed_in(house.eve).get(path, {"as_of": "2020-06-01"})
    assert answer.status_code == 400 and "compare with a later day" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_began_before_a_lock_and_ends_after_it_is_in_its_grid(house):
    """Its instant lies before the lock's: whoever computes that day later finds it, so the grid waits for it."""
    with use(house.organization.id, channel="ui"):
        deal = commit(house.ana, 100)
    written, locked = Event(), Event()

    def edit():
        try:
            with use(house.organization.id, channel="ui"):
                change(deal, amount_minor=40)
                written.set()
                assert locked.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(edit)
        assert written.wait(20)
        with use(house.organization.id, channel="ui"):
            lock = lock_q4(house)
            assert lock.kept_at is None
            job_id = Job.objects.get(kind="lock_grid").id
        locked.set()
        running.result(20)
    assert run(house.organization.id, job_id)
    with use(house.organization.id):
        assert kept_of(lock) == computed(house, lock)
        assert LockedRow.objects.get(lock=lock, person=house.ana).amounts["commit"][FINAL] == 40
