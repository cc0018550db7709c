"""The job table: once only, again when asked while running, rolled back and retried, taken over behind a fence."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from otc.celery import app
from otc.jobs import doorbell, registry, tasks
from otc.jobs.lease import Lease, LeaseLost
from otc.jobs.models import Job, JobState
from otc.jobs.queries import due_jobs, organization_ids
from otc.jobs.registry import job, long_job
from otc.jobs.services import MAX_ATTEMPTS, enqueue, enqueue_many, run
from otc.jobs.tasks import ask_for_daily_work, sweep
from otc.tenancy.context import NoOrganization, current_context, use
from otc.tenancy.models import Organization, Person

DAY = "2026-03-10T12:00:00+00:00"


@pytest.fixture
def kinds() -> Iterator[None]:
    """Kinds that a test registers are forgotten after it."""
    before = dict(registry._kinds)
    yield
    registry._kinds.clear()
    registry._kinds.update(before)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The jobs that were rung for, in order."""
    heard: list[UUID] = []

    def hear(organization_id: UUID, kind: str, job_ids: list[UUID]) -> None:
        heard.extend(job_ids)

    for module in ("otc.jobs.services", "otc.jobs.tasks"):
        monkeypatch.setattr(f"{module}.ring_for", hear)
    return heard


def ask(house, kind: str, **how) -> UUID:
    with use(house.organization.id):
        return enqueue(kind, **how)


def stored(house, job_id: UUID) -> Job:
    with use(house.organization.id):
        return Job.objects.get(id=job_id)


def change(house, job_id: UUID, **columns) -> None:
    with use(house.organization.id):
        Job.objects.filter(id=job_id).update(**columns)


def retitle(person: Person, more: str) -> None:
    row = Person.objects.get(id=person.id)
    row.title += more
    row.save()


def title_of(house, person: Person) -> str:
    with use(house.organization.id):
        return Person.objects.get(id=person.id).title


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Run `work` on a connection of its own."""

    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=closing, daemon=True)
    thread.start()
    return thread


def test_a_job_is_done_once_however_often_it_is_rung(house, kinds, rung):
    job("mark")(lambda subject: retitle(house.ana, "x"))
    job_id = ask(house, "mark", subject=house.ana.id)
    assert [run(house.organization.id, job_id) for _ in range(3)] == [True, False, False]
    assert title_of(house, house.ana) == "x"
    assert stored(house, job_id).state == JobState.DONE


def test_the_bell_rings_when_the_transaction_commits_and_only_then(transactional_db, house, kinds, rung):
    job("mark")(lambda subject: None)
    with pytest.raises(ZeroDivisionError), use(house.organization.id):
        enqueue("mark", key="a")
        raise ZeroDivisionError
    with use(house.organization.id):
        job_id = enqueue("mark", key="b")
        assert rung == []
    assert rung == [job_id]


def test_asked_twice_before_it_runs_it_runs_once(house, kinds, rung):
    job("mark")(lambda subject: retitle(house.ana, "x"))
    job_id = ask(house, "mark", key="k")
    assert ask(house, "mark", key="k") == job_id
    run(house.organization.id, job_id)
    run(house.organization.id, job_id)
    assert title_of(house, house.ana) == "x"


def test_asked_after_it_is_done_it_runs_again(house, kinds, rung):
    job("mark")(lambda subject: retitle(house.ana, "x"))
    job_id = ask(house, "mark", key="k")
    run(house.organization.id, job_id)
    ask(house, "mark", key="k")
    run(house.organization.id, job_id)
    assert title_of(house, house.ana) == "xx"


def test_asking_does_not_wait_for_a_running_job_and_makes_it_run_again(transactional_db, house, kinds, rung):
    started, may_end = threading.Event(), threading.Event()

    def slow(subject: UUID | None) -> None:
        retitle(house.ana, "x")
        started.set()
        assert may_end.wait(10)

    job("slow")(slow)
    job_id = ask(house, "slow", key="k")
    worker = in_thread(lambda: run(house.organization.id, job_id))
    assert started.wait(10)
    before = time.monotonic()
    ask(house, "slow", key="k")
    waited = time.monotonic() - before
    assert not run(house.organization.id, job_id), "somebody has it"
    may_end.set()
    worker.join(10)
    assert waited < 0.5
    assert stored(house, job_id).state == JobState.QUEUED
    assert rung[-1] == job_id, "the ring that came while it ran found it taken"
    assert run(house.organization.id, job_id)
    assert title_of(house, house.ana) == "xx"


def test_a_failed_effect_is_rolled_back_and_tried_again_later(house, kinds, rung):
    def fail(subject: UUID | None) -> None:
        retitle(house.ana, "x")
        raise ValueError("no luck")

    job("fail")(fail)
    job_id = ask(house, "fail", key="k")
    assert not run(house.organization.id, job_id)
    row = stored(house, job_id)
    assert title_of(house, house.ana) == ""
    assert (row.state, row.attempts, row.error) == (JobState.QUEUED, 1, "ValueError: no luck")
    assert timedelta(seconds=1) < row.due_at - timezone.now() < timedelta(seconds=3)
    assert not run(house.organization.id, job_id), "not due yet"


def test_an_effect_that_breaks_its_transaction_is_tried_again_too(house, kinds, rung):
    def fail(subject: UUID | None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    job("fail")(fail)
    job_id = ask(house, "fail", key="k")
    assert not run(house.organization.id, job_id)
    assert stored(house, job_id).error.startswith("DataError: division by zero")


def test_after_the_last_attempt_it_stays_failed_until_asked_again(house, kinds, rung):
    def fail(subject: UUID | None) -> None:
        raise ValueError

    job("fail")(fail)
    job_id = ask(house, "fail", key="k")
    change(house, job_id, attempts=MAX_ATTEMPTS - 1)
    run(house.organization.id, job_id)
    assert stored(house, job_id).state == JobState.FAILED
    ask(house, "fail", key="k")
    row = stored(house, job_id)
    assert (row.state, row.attempts, row.error) == (JobState.QUEUED, 0, "")


def test_an_unknown_kind_is_refused_when_asked_and_postponed_when_found(house, kinds, rung):
    with pytest.raises(registry.UnknownKind), use(house.organization.id):
        enqueue("nonsense", key="k")
    job("gone")(lambda subject: None)
    job_id = ask(house, "gone", key="k")
    del registry._kinds["gone"]
    assert not run(house.organization.id, job_id)
    assert stored(house, job_id).error == "UnknownKind: gone"


def test_a_long_job_shows_its_progress_and_ends_done(house, kinds, rung):
    seen = []

    def count(lease: Lease) -> None:
        for done in (1, 2):
            with lease.step(done=done, total=2):
                pass
            row = stored(house, lease.job_id)
            seen.append((row.state, row.done_count, row.total_count))

    long_job("count")(count)
    job_id = ask(house, "count", key="k")
    assert run(house.organization.id, job_id)
    assert seen == [(JobState.RUNNING, 1, 2), (JobState.RUNNING, 2, 2)]
    row = stored(house, job_id)
    assert (row.state, row.lease_token, row.attempts) == (JobState.DONE, None, 0)


def test_a_live_lease_is_left_alone_and_an_expired_one_is_taken_over_behind_a_fence(house, kinds, rung):
    """The first worker sleeps past its lease; the second does the work; what the first then writes is refused."""
    turns: list[str] = []

    def work(lease: Lease) -> None:
        turns.append("begun")
        with lease.step(done=1):
            retitle(house.ana, "a")
        if len(turns) > 1:
            return
        assert not run(house.organization.id, lease.job_id), "its lease is alive"
        change(house, lease.job_id, lease_until=timezone.now() - timedelta(seconds=1))
        assert [entry.job_id for entry in due_jobs(limit=10)] == [lease.job_id]
        assert run(house.organization.id, lease.job_id), "expired: taken over, and done"
        with lease.step(done=2):
            turns.append("never: the fence is before the work")

    long_job("work")(work)
    job_id = ask(house, "work", key="k")
    assert not run(house.organization.id, job_id), "the first worker has lost it"
    assert turns == ["begun", "begun"]
    assert title_of(house, house.ana) == "aa"
    assert stored(house, job_id).state == JobState.DONE


def test_a_step_without_the_token_writes_nothing(house, kinds, rung):
    def work(lease: Lease) -> None:
        change(house, lease.job_id, lease_token=house.ana.id)
        with pytest.raises(LeaseLost), lease.step():
            retitle(house.ana, "never")
        raise LeaseLost

    long_job("work")(work)
    assert not run(house.organization.id, ask(house, "work", key="k"))
    assert title_of(house, house.ana) == ""


def test_nobody_takes_over_in_the_middle_of_a_step(transactional_db, house, kinds, rung):
    inside, may_end = threading.Event(), threading.Event()

    def work(lease: Lease) -> None:
        change(house, lease.job_id, lease_until=timezone.now() - timedelta(seconds=1))
        with lease.step():
            inside.set()
            assert may_end.wait(10)

    long_job("work")(work)
    job_id = ask(house, "work", key="k")
    worker = in_thread(lambda: run(house.organization.id, job_id))
    assert inside.wait(10)
    assert not run(house.organization.id, job_id)
    may_end.set()
    worker.join(10)
    assert stored(house, job_id).state == JobState.DONE


def test_a_long_job_asked_again_while_it_runs_is_queued_again_from_the_start(house, kinds, rung):
    def work(lease: Lease) -> None:
        with lease.step(done=5):
            pass
        ask(house, "work", key="k")
        with lease.step(done=6):
            pass

    long_job("work")(work)
    job_id = ask(house, "work", key="k")
    assert run(house.organization.id, job_id)
    row = stored(house, job_id)
    assert (row.state, row.done_count, row.lease_token) == (JobState.QUEUED, 0, None)


def test_a_long_job_that_kills_every_worker_ends_failed(house, kinds, rung):
    long_job("deadly")(lambda lease: None)
    job_id = ask(house, "deadly", key="k")
    long_ago = timezone.now() - timedelta(minutes=5)
    change(house, job_id, state=JobState.RUNNING, attempts=MAX_ATTEMPTS, lease_until=long_ago)
    assert not run(house.organization.id, job_id)
    assert stored(house, job_id).state == JobState.FAILED


def test_the_sweep_rings_for_what_is_due_and_for_nothing_else(house, elsewhere, kinds, rung):
    job("mark")(lambda subject: None)
    due, elsewhere_due = ask(house, "mark", key="a"), ask(elsewhere, "mark", key="b")
    ask(house, "mark", key="later", due_at=timezone.now() + timedelta(minutes=1))
    run(house.organization.id, ask(house, "mark", key="done"))
    rung.clear()
    assert sweep() == 2
    assert set(rung) == {due, elsewhere_due}


def test_the_sweep_leaves_a_full_queue_alone_and_rings_in_the_other(house, kinds, rung, monkeypatch):
    job("mark")(lambda subject: None)
    long_job("work")(lambda lease: None)
    short, long = ask(house, "mark", key="k"), ask(house, "work", key="k")
    waiting = {"celery": tasks.FULL, "long": tasks.FULL - 1}
    monkeypatch.setattr(tasks, "rings_waiting", waiting.__getitem__)
    rung.clear()
    assert sweep() == 1 and rung == [long]
    waiting["celery"] -= 1
    assert sweep() == 2 and short in rung


def test_rings_that_wait_are_counted_and_a_dead_broker_says_none(monkeypatch):
    queue = f"counted-{uuid4().hex}"
    with app.connection_for_write() as connection, connection.channel() as channel:
        for _ in range(3):
            app.send_task("otc.jobs.run_job", queue=queue, connection=connection)
        assert doorbell.rings_waiting(queue) == 3
        channel.queue_delete(queue)
    assert doorbell.rings_waiting(queue) == 0
    monkeypatch.setattr(app.conf, "broker_write_url", "redis+socket:///nowhere/valkey.sock")
    before = time.monotonic()
    assert doorbell.rings_waiting("celery") == 0 and time.monotonic() - before < 5


def test_the_clock_never_waits_behind_jobs():
    """In their queue a call would expire unheard while more than five seconds' worth of jobs wait."""
    queues = {call["options"]["queue"] for call in app.conf.beat_schedule.values()}
    assert queues == {"clock"} and queues <= {queue.name for queue in app.conf.task_queues}
    assert not queues & {doorbell.SHORT_QUEUE, doorbell.LONG_QUEUE}


def test_two_schedulers_ask_for_one_job_per_kind_and_day(house, elsewhere, kinds, rung):
    long_job("nightly", is_daily=True)(lambda lease: None)
    daily = sum(kind.is_daily for kind in registry.registered_kinds().values())
    assert ask_for_daily_work(DAY) == 2 * daily
    with use(house.organization.id):
        job_id = Job.objects.get(kind="nightly").id
    run(house.organization.id, job_id)
    assert ask_for_daily_work(DAY) == 0
    row = stored(house, job_id)
    assert (row.key, row.generation, row.state) == ("2026-03-10", 1, JobState.DONE)


def test_two_schedulers_at_the_same_moment_ask_for_one_job(transactional_db, house, kinds, rung):
    long_job("nightly", is_daily=True)(lambda lease: None)
    clocks = [in_thread(lambda: ask_for_daily_work(DAY)) for _ in range(4)]
    for clock in clocks:
        clock.join(10)
    with use(house.organization.id):
        assert Job.objects.get(kind="nightly").generation == 1


def test_a_day_begins_when_it_does_for_the_organization(house, kinds, rung):
    """23:30 UTC is the next day in Berlin."""
    long_job("nightly", is_daily=True)(lambda lease: None)
    ask_for_daily_work("2026-03-10T23:30:00+00:00")
    with use(house.organization.id):
        assert Job.objects.get(kind="nightly").key == "2026-03-11"


def test_many_jobs_are_written_by_one_statement(house, kinds, rung, django_assert_num_queries):
    job("mark")(lambda subject: None)
    with use(house.organization.id), django_assert_num_queries(1):
        enqueue_many("mark", {f"k{number}": None for number in range(500)})


def test_a_dead_broker_holds_nobody_up_and_is_only_logged(house, kinds, monkeypatch, caplog):
    job("mark")(lambda subject: None)
    job_id = ask(house, "mark", key="k")
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/valkey.sock")
    monkeypatch.setattr(app.conf, "broker_write_url", "redis+socket:///nowhere/valkey.sock")
    app.pool.force_close_all()
    app._pool = None
    app.amqp._producer_pool = None
    before = time.monotonic()
    try:
        doorbell.ring_for(house.organization.id, "mark", [job_id])
    finally:
        app._pool = None
        app.amqp._producer_pool = None
    assert time.monotonic() - before < 30, "it waits for the broker to come back"
    assert "the sweep will ring" in caplog.text
    assert [entry.job_id for entry in due_jobs(limit=10)] == [job_id]


def test_the_doorway_shows_jobs_and_organizations_but_changes_nothing(house, elsewhere, kinds, rung):
    job("mark")(lambda subject: None)
    job_id = ask(elsewhere, "mark", key="k")
    assert set(organization_ids()) == {house.organization.id, elsewhere.organization.id}
    with use(house.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('otc.doorway', 'jobs', true)")
        cursor.execute("SELECT count(*) FROM otc_job WHERE id = %s", [str(job_id)])
        assert cursor.fetchone() == (1,)
        for statement in ("UPDATE otc_job SET attempts = 9", "DELETE FROM otc_job"):
            cursor.execute(f"{statement} WHERE id = %s", [str(job_id)])
            assert cursor.rowcount == 0


def test_an_effect_runs_in_its_organizations_context(house, kinds, rung):
    seen = []

    def look(subject: UUID | None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('otc.organization')::uuid")
            seen.append((current_context().organization_id, current_context().channel, cursor.fetchone()[0]))

    job("look")(look)
    run(house.organization.id, ask(house, "look", key="k"))
    assert seen == [(house.organization.id, "task", house.organization.id)]


def test_a_job_is_not_found_under_another_organization(house, elsewhere, kinds, rung):
    job("mark")(lambda subject: None)
    assert not run(elsewhere.organization.id, ask(house, "mark", key="k"))


def test_asking_without_an_organization_is_refused(db, kinds):
    job("mark")(lambda subject: None)
    with pytest.raises(NoOrganization), transaction.atomic():
        enqueue("mark", key="k")
    assert not Organization.objects.exists()
