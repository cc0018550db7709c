"""Every task and every kind of job is known here, with what it may do; a new one is looked at before it may run.

A task either serves one organization, through `otc.tenancy.context.use`, or is a named doorway that reads ids.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.db import connection, transaction

from otc.celery import app
from otc.jobs import registry
from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job
from otc.jobs.services import enqueue, run
from otc.tenancy.context import current_organization_id, use
from otc.tenancy.models import Person

ONE = "one organization"
DOORWAY = "doorway"

TASKS = {
    "otc.jobs.run_job": (ONE, "the job's own, named by its argument"),
    "otc.jobs.sweep": (DOORWAY, "ids of due jobs of all organizations; rings, touches nothing"),
    "otc.jobs.ask_for_daily_work": (DOORWAY, "ids of all organizations; asks inside each of them in turn"),
}

# What each kind may write, and whether it may be repeated: every one must come out the same when done twice.
KINDS = {
    "field_conversion": "the values of one custom field, and its definition once they are converted",
    "audit_daily": "checks the audit's chain, adds a checkpoint; a second one on a day is one more that says the same",
    "audit_refusals": "entries for refusals of past minutes, whose counters it deletes",
    "deals_export": "one file of deals in the private folder, and how far it is; done again it is made anew",
    "exports_forget": "files of deals past their time, deleted, and later their rows",
    "alert_delivery": "posts one alert to its hook, under an id of its own, and books what came back",
    "alerts_daily": "what alerts notice, each event once by its key, and how far they have looked",
    "alerts_of_coverage": "what alerts about coverage notice: crossings, once until recovery",
    "alerts_of_deal": "what alerts notice of one deal, each event once by its key",
    "deal_health": "health and risk of one deal",
    "forecast_mail": "marks one forecast per person and day as sent, then mails it; marked already it mails nothing",
    "rhythm_plan": "asks for the reminders of the next deadline and for the day's mail, each once",
    "calls_remind": "tells whoever hasn't called, each once for a deadline",
    "lock_grid": "the grid of one lock, once it is there and for good; kept already it stays",
    "period_locks": "locks of periods that have ended, each with its grid; what is locked stays so",
    "notice_mail": "marks one notice as mailed, then mails its person; marked already it mails nothing",
    "find_duplicates": "pairs that look like one record, found anew; what was said to be none stays so",
    "deals_due": "notices of close dates that passed yesterday and milestones due today, once a day",
    "digest_daily": "marks one digest per person and day as sent, then mails it; marked already it mails nothing",
    "forget_notices": "deletes notices older than ninety days",
    "forget_undo_steps": "deletes undo steps older than thirty days",
    "import_run": "one uploaded file, checked or applied; applied again it is unchanged",
    "imports_forget": "uploaded files and refused rows past their time, deleted",
    "second_factors_mail": "nothing; mails one person that their second factors were removed",
    "weekly_sums": "kept sums of ended weeks, and the marks of those that no longer hold; done again it finds none",
    "health_daily": "stage rates, health and risk of all open deals",
    "health_half": "the later half of them, where they are many",
    "health_past": "health by band of the weeks before the first day was kept",
}

# The only modules whose functions a doorway task may call to look across organizations.
ACROSS = {"due_jobs", "organization_ids"}

# The storm's own work, registered in whatever process runs it.
STORM = "tests.storm.counting"


def project_tasks() -> set[str]:
    app.loader.import_default_modules()
    return {
        name
        for name, task in app.tasks.items()
        if not name.startswith("celery.") and task.__module__ != STORM
    }


def project_kinds() -> set[str]:
    return {
        name
        for name, kind in registry.registered_kinds().items()
        if inspect.unwrap(kind.long_effect or kind.effect).__module__ != STORM
    }


def names_called(task: Callable[..., object]) -> set[str]:
    """The plain names that a task's source calls."""
    tree = ast.parse(inspect.getsource(inspect.unwrap(task)))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def is_listed(name: str) -> bool:
    """Whether a task is known, and as one that may look across organizations if it does."""
    if name not in TASKS:
        return False
    looks_across = bool(names_called(app.tasks[name].run) & ACROSS)
    return looks_across == (TASKS[name][0] == DOORWAY)


@pytest.fixture
def kinds() -> Iterator[None]:
    before = dict(registry._kinds)
    yield
    registry._kinds.clear()
    registry._kinds.update(before)


def error_of(organization_id: UUID, kind: str) -> str:
    """Ask for a job of this kind, run it, and give back its error."""
    from otc.jobs.models import Job

    with use(organization_id):
        job_id = enqueue(kind, key="k")
    run(organization_id, job_id)
    with use(organization_id):
        return Job.objects.get(id=job_id).error


def test_every_task_is_listed_with_what_it_may_do():
    assert project_tasks() == set(TASKS)
    assert all(is_listed(name) for name in TASKS)


def test_every_kind_of_job_is_listed_with_what_it_may_do():
    assert project_kinds() == set(KINDS)


def test_a_task_that_nobody_listed_is_found():
    def stray() -> None:
        pass

    app.task(name="otc.stray")(stray)
    try:
        assert "otc.stray" in project_tasks()
        assert not is_listed("otc.stray")
    finally:
        app.tasks.unregister("otc.stray")


def test_a_task_that_looks_across_unlisted_is_found(monkeypatch):
    monkeypatch.setitem(TASKS, "otc.jobs.sweep", (ONE, "a lie"))
    assert not is_listed("otc.jobs.sweep")


@pytest.mark.parametrize("register", [job, long_job])
def test_a_job_sees_its_own_organization_and_no_other(house, elsewhere, kinds, register):
    seen: list[set[UUID]] = []

    def look() -> None:
        rows = Person.objects.all().values_list("organization_id", flat=True)
        seen.append(set(rows) | {current_organization_id()})

    def short(subject: UUID | None) -> None:
        look()

    def long(lease: Lease) -> None:
        with lease.step():
            look()

    register("look")(short if register is job else long)
    assert error_of(house.organization.id, "look") == ""
    assert seen == [{house.organization.id}]


def test_a_long_job_that_reads_outside_its_steps_is_refused(house, kinds):
    """The negative control: without a context there is no query."""
    long_job("careless")(lambda lease: [person.name for person in Person.objects.all()])
    assert error_of(house.organization.id, "careless").startswith("NoOrganization")


def test_every_kind_touches_its_own_organization_only(house, elsewhere, make_deal):
    """Run for real in one of two organizations that both have deals; the other keeps every row it had. Each kind
    finds the house as it was before the others.
    """
    subjects = {}
    for home in (house, elsewhere):
        with use(home.organization.id):
            subjects[home.organization.id] = make_deal("Kestrel").id
    before = footprint(elsewhere.organization.id)
    for name in sorted(KINDS):
        with transaction.atomic():
            with use(house.organization.id):
                job_id = enqueue(name, subject=subjects[house.organization.id])
            assert run(house.organization.id, job_id), name
            assert footprint(elsewhere.organization.id) == before, name
            transaction.set_rollback(True)


def footprint(organization_id: UUID) -> dict[str, int]:
    """Rows per tenant table that the organization has."""
    from django.apps import apps

    from otc.tenancy.fields import TenantModel

    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)]
    each = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
    with use(organization_id), connection.cursor() as cursor:
        cursor.execute(each)
        return dict(cursor.fetchall())


def test_the_scheduler_calls_only_listed_tasks_and_lets_missed_calls_expire():
    calls = app.conf.beat_schedule.values()
    assert {call["task"] for call in calls} == {"otc.jobs.sweep", "otc.jobs.ask_for_daily_work"}
    assert all(call["options"]["expires"] <= call["schedule"] for call in calls)
