"""One digest a day for whoever wants one: what changed, what is due, nothing that they may not see, never twice."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.jobs.models import Job, JobState
from otc.jobs.services import enqueue_once, run
from otc.jobs.tasks import ask_for_daily_work
from otc.notices.kinds import MENTION
from otc.notices.services import mail_choice_set, notice_send
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.digest.models import Digest
from pipeline.digest.report import DigestReport, digest_report
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from tests.conftest import House
from tests.pipeline.test_visibility import SEEDS, World, build, sees

BERLIN = ZoneInfo("Europe/Berlin")


def local_day(house: House) -> date:
    return timezone.now().astimezone(ZoneInfo(house.organization.timezone)).date()


def as_person(house: House, name: str) -> Any:
    return use(house.organization.id, person_id=getattr(house, name).id, channel="ui")


def report_of(house: House, name: str, *, since: datetime | None = None) -> DigestReport:
    now = timezone.now()
    with use(house.organization.id):
        return digest_report(
            getattr(house, name), house.organization, since=since or now - timedelta(days=1), now=now
        )


def make(house: House, name: str, *, owner: str, by: str = "max", **fields: Any) -> Any:
    with as_person(house, by):
        owner_id = getattr(house, owner).id
        return opportunity_create(name=name, owner_id=owner_id, now=timezone.now(), **fields).opportunity


def work(house: House, *, again: bool = False) -> Job:
    """Ask for today's digests and do the job, as the clock and a worker would."""
    with use(house.organization.id):
        enqueue_once("digest_daily", key=local_day(house).isoformat())
        if again:
            past = timezone.now() - timedelta(seconds=1)
            Job.objects.filter(kind="digest_daily").update(
                state=JobState.QUEUED, due_at=past, lease_token=None
            )
        job = Job.objects.get(kind="digest_daily")
    run(house.organization.id, job.id)
    with use(house.organization.id):
        return Job.objects.get(id=job.id)


def test_a_manager_reads_of_the_team_and_a_rep_of_their_own(house: House) -> None:
    deal = make(house, "Kestrel <b>Rail", owner="ana", amount_minor=100_00)
    make(house, "Heron", owner="jon", by="eve")
    assert {row.name for row in report_of(house, "max").changed} == {"Heron"}, "not of what Max did himself"
    assert {row.name for row in report_of(house, "eve").changed} == {"Kestrel <b>Rail"}
    (row,) = report_of(house, "ana").changed
    assert row.told == ("Created Qualify",) and row.amount == "100 EUR"
    then = timezone.now()
    with as_person(house, "max"):
        opportunity_edit(deal.id, changes={"amount_minor": 300_00})
        opportunity_edit(deal.id, changes={"amount_minor": 200_00})
    (row,) = report_of(house, "ana", since=then).changed
    assert len(row.told) == 1 and "100" in row.told[0] and "200" in row.told[0], (
        "from where it was to where it is"
    )
    assert report_of(house, "zoe" if "zoe" in house.people else "ria").changed == ()


def test_what_is_due_is_ones_own(house: House) -> None:
    today = local_day(house)
    make(house, "Passed", owner="ana", close_date=today - timedelta(days=3))
    make(house, "Closes today", owner="ana", close_date=today)
    make(house, "Step", owner="ana", next_step="Call", next_step_on=today - timedelta(days=1))
    make(house, "Far", owner="ana", close_date=today + timedelta(days=60))
    assert {row.name for row in report_of(house, "ana").due} == {"Passed", "Closes today", "Step"}
    assert report_of(house, "max").due == ()


def test_it_goes_once_a_day_in_text_and_html_with_a_way_out(house: House) -> None:
    make(house, "Kestrel <b>Rail\u202e", owner="ana", close_date=local_day(house) - timedelta(days=2))
    with use(house.organization.id):
        notice_send(house.ana.id, text="Max mentions you", kind=MENTION)
    assert work(house).state == "done"
    (letter,) = [one for one in mail.outbox if one.to == ["ana@example.org"]]
    html = letter.alternatives[0].content
    assert "Kestrel <b>Rail" in letter.body and "Kestrel &lt;b&gt;Rail" in html and "<b>Rail" not in html
    assert "Max mentions you" in letter.body and "/mails/" in letter.extra_headers["List-Unsubscribe"]
    assert letter.subject.startswith("Halden Systems: 1 due")
    sent = len(mail.outbox)
    work(house, again=True)
    assert len(mail.outbox) == sent
    with use(house.organization.id):
        assert Digest.objects.filter(sent_at__isnull=False).count() == sent == Digest.objects.count()


def test_whoever_has_nothing_to_read_wants_none_or_left_gets_none(house: House) -> None:
    make(house, "Kestrel", owner="ana")
    with use(house.organization.id):
        mail_choice_set(house.eve.id, digest=False)
        Person.objects.filter(id=house.ana.id).update(left_on=date(2021, 1, 1))
    work(house)
    assert mail.outbox == []


def test_the_next_one_begins_where_the_last_that_left_ended(house: House) -> None:
    make(house, "First", owner="ana")
    work(house)
    with use(house.organization.id):
        Digest.objects.update(day=date(2020, 1, 1))
    mail.outbox.clear()
    make(house, "Second", owner="ana")
    work(house, again=True)
    (letter,) = [one for one in mail.outbox if one.to == ["ana@example.org"]]
    assert "Second" in letter.body and "First" not in letter.body
    with use(house.organization.id):
        Digest.objects.filter(day=date(2020, 1, 1)).delete()
        Digest.objects.update(day=date(2020, 1, 2), sent_at=None)
    mail.outbox.clear()
    work(house, again=True)
    assert "First" in next(one for one in mail.outbox if one.to == ["ana@example.org"]).body


def test_a_mail_server_that_is_away_postpones_and_one_that_breaks_off_costs_one_mail(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(house, "Kestrel", owner="ana", by="jon")
    backend = "django.core.mail.backends.locmem.EmailBackend"
    with monkeypatch.context() as broken:
        broken.setattr(f"{backend}.open", refuse, raising=False)
        assert work(house).state == "queued" and mail.outbox == []
        with use(house.organization.id):
            assert not Digest.objects.exists()
    with monkeypatch.context() as broken:
        broken.setattr(f"{backend}.send_messages", refuse)
        assert work(house, again=True).state == "done"
    work(house, again=True)
    assert mail.outbox == [], "it may have arrived"
    with use(house.organization.id):
        assert Digest.objects.exists() and not Digest.objects.filter(sent_at__isnull=False).exists()


def refuse(self: Any, *_: Any) -> None:
    raise ConnectionResetError("in the middle")


def test_the_clock_asks_for_it_in_the_organizations_morning(house: House) -> None:
    night = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the hour before clocks go forward in Berlin
    ask_for_daily_work(night.isoformat())
    ask_for_daily_work((night + timedelta(hours=9)).isoformat())
    with use(house.organization.id):
        due = dict(Job.objects.filter(kind__in=["digest_daily", "deals_due"]).values_list("kind", "due_at"))
    assert due["digest_daily"].astimezone(BERLIN) == datetime(2026, 3, 29, 7, tzinfo=BERLIN)
    assert due["deals_due"] < due["digest_daily"]


def test_yesterdays_digest_is_no_news(house: House) -> None:
    make(house, "Kestrel", owner="ana")
    with use(house.organization.id):
        job_id = enqueue_once("digest_daily", key=(local_day(house) - timedelta(days=1)).isoformat())
    assert job_id is not None and run(house.organization.id, job_id) and mail.outbox == []


def test_it_asks_the_same_of_the_database_however_much_happened(house: House) -> None:
    counts = []
    for number in (3, 30):
        for place in range(number):
            make(house, f"Deal {number} {place}", owner="ana", close_date=local_day(house))
        report_of(house, "max")
        with CaptureQueriesContext(connection) as captured:
            report_of(house, "max")
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_a_digest_holds_nothing_that_the_oracle_hides(db: None, seed: int) -> None:
    assert faults_of(build(seed)) == []


def faults_of(world: World) -> list[str]:
    now = timezone.now()
    faults, seen_any = [], 0
    with use(world.organization.id):
        for deal_id in world.owner_of:
            for person in world.people:
                notice_send(person.id, text="About it", kind=MENTION, deal_id=deal_id)
        for person in world.people:
            report = digest_report(
                person, world.organization, since=now - timedelta(days=1), now=timezone.now()
            )
            about: set[UUID | None] = {row.deal_id for row in (*report.changed, *report.due, *report.notices)}
            seen_any += len(about)
            faults += [
                f"{person.name} reads of a deal" for one in about if one and not sees(world, person, one)
            ]
    assert seen_any > 5
    return faults


def test_a_digest_that_forgets_to_ask_what_one_sees_is_noticed(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.opportunities.models import Opportunity

    everything = Opportunity.objects
    monkeypatch.setattr("pipeline.digest.report.visible_opportunities", lambda visible: everything.all())
    assert any(faults_of(build(seed)) for seed in SEEDS)


# Killed in the middle: a worker that is gone between two instructions, by kill -9, wherever that is.

KILLED = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend
settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                                "OPTIONS": {"file_path": sys.argv[3]}}}
where = sys.argv[4]
send = EmailBackend.send_messages
def killed(self, messages):
    if where == "after":
        send(self, messages)
    os.kill(os.getpid(), signal.SIGKILL)
EmailBackend.send_messages = killed
from uuid import UUID
from otc.jobs.services import run
run(UUID(sys.argv[1]), UUID(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_worker_that_is_killed_never_sends_one_twice(
    house: House, tmp_path: Path, where: str, settings: Any
) -> None:
    backend = "django.core.mail.backends.filebased.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(tmp_path)}}}
    make(house, "Kestrel", owner="ana", by="jon")
    with use(house.organization.id):
        job_id = enqueue_once("digest_daily", key=local_day(house).isoformat())
    assert job_id is not None
    assert _worker(house, job_id, tmp_path, where) == -signal.SIGKILL
    for _ in range(2):
        with use(house.organization.id):
            Job.objects.filter(id=job_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        run(house.organization.id, job_id)
    letters = [
        message_from_bytes(one.encode(), policy=policy.default)
        for path in tmp_path.glob("*.log")
        for one in path.read_text().split("-" * 79)
        if one.strip()
    ]
    to = sorted(str(letter["To"]) for letter in letters)
    everybody = ["ana@example.org", "eve@example.org", "max@example.org"]
    assert len(to) == len(set(to)) and set(to) <= set(everybody)
    assert len(to) == (2 if where == "before" else 3), "whoever comes after the dead one still gets theirs"
    with use(house.organization.id):
        assert Digest.objects.count() == 3 and Digest.objects.filter(sent_at__isnull=True).count() == 1
        assert Job.objects.get(id=job_id).state == JobState.DONE


def _worker(house: House, job_id: UUID, folder: Path, where: str) -> int:
    settings = connection.settings_dict
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"postgres://{settings['USER']}:{settings['PASSWORD']}@/{settings['NAME']}"
        f"?host={settings['HOST']}&port={settings['PORT']}",
    }
    words = [sys.executable, "-W", "ignore", "-c", KILLED, str(house.organization.id), str(job_id)]
    return subprocess.run([*words, str(folder), where], env=environment, check=False).returncode
