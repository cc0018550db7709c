"""Does the page show the right entries to the right people, and do its files verify without this program?"""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.audit.services import audit_append
from otc.embedded.places import CLONE
from otc.jobs.services import enqueue, run
from otc.tenancy.context import use
from otc.tenancy.models import Person
from tests.api_client import Caller
from tests.conftest import House

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Client]


@pytest.fixture
def logged(house: House) -> House:
    for number in range(60):
        actor = house.ana if number % 2 else house.max
        with use(house.organization.id, person_id=actor.id, channel="ui"):
            audit_append(
                "deal.shown",
                summary=f"Nr. {number:02} “é”",
                detail={"n": number},
                subject_kind="deal" if number < 5 else "",
                subject_id=house.eve.id if number < 5 else None,
            )
    return house


def shown(client: Client, house: House, query: str = "") -> list[str]:
    answer = client.get(house.url(f"settings/audit/?{query}"))
    assert answer.status_code == 200
    return [row.summary for row, *_ in answer.context["rows"]]


def test_the_newest_entries_come_first_in_pages(logged: House, signed_in: SignIn) -> None:
    client = signed_in(logged.ops)
    first = client.get(logged.url("settings/audit/"))
    summaries = [row.summary for row, *_ in first.context["rows"]]
    assert len(summaries) == 50 and summaries[0] == "Nr. 59 “é”"
    second = client.get(first.context["next_href"])
    assert "Nr. 09 “é”" in second.context["rows"][0][0].summary
    assert "Nr. 59" in first.content.decode() and "Download" in first.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("person={ana}", 30),
        ("person=nobody&action=deal.shown", 0),
        ("action=deal.shown&q=nr.+0", 10),
        ("subject_id={eve}&action=deal.shown", 5),
        ("subject_kind=deal", 5),
        ("action=deal.shown&from={today}&to={today}", 50),
        ("action=deal.shown&from={tomorrow}", 0),
        ("action=deal.shown&to={yesterday}", 0),
    ],
)
def test_the_filters_narrow_page_and_api_alike(
    logged: House, signed_in: SignIn, query: str, count: int
) -> None:
    zone = ZoneInfo(logged.organization.timezone)
    day = timezone.now().astimezone(zone).date()
    days = {"today": day, "tomorrow": day + timedelta(days=1), "yesterday": day - timedelta(days=1)}
    asked = query.format(ana=logged.ana.id, eve=logged.eve.id, **days)
    assert len(shown(signed_in(logged.ops), logged, asked)) == count
    over_api = asked.replace("from=", "first_day=").replace("to=", "last_day=")
    assert len(Caller(logged.ops).get(f"audit?limit=50&{over_api}").json()["results"]) == count


@pytest.mark.parametrize("wrong", ["from=soon", "to=0001-01-01", "person=ana", "subject_id=1", "after=-3"])
def test_what_can_not_be_meant_is_said_so(logged: House, signed_in: SignIn, wrong: str) -> None:
    assert signed_in(logged.ops).get(logged.url(f"settings/audit/?{wrong}")).status_code == 400


@pytest.mark.parametrize(
    ("name", "status"), [("ana", 403), ("max", 403), ("eve", 403), ("ops", 200), ("ria", 200)]
)
def test_only_administrators_and_operations_read_it(
    logged: House, signed_in: SignIn, name: str, status: int
) -> None:
    for path in ("settings/audit/", f"settings/audit/{entry_of(logged)}/"):
        assert signed_in(logged.people[name]).get(logged.url(path)).status_code == status
    assert Caller(logged.people[name]).get("audit").status_code == status


def entry_of(house: House) -> Any:
    with use(house.organization.id):
        return AuditEntry.objects.get(summary="Nr. 30 “é”").id


def test_an_entry_opens_with_its_detail_and_its_neighbours(logged: House, signed_in: SignIn) -> None:
    answer = signed_in(logged.ops).get(logged.url(f"settings/audit/{entry_of(logged)}/"))
    assert ("n", "30") in answer.context["detail"]
    assert answer.context["before_id"] and answer.context["after_id"]
    assert answer.context["entry"].hash in answer.content.decode()


def test_the_api_gives_what_is_hashed_page_by_page(logged: House) -> None:
    ops = Caller(logged.ops)
    page = ops.get("audit?limit=20&sort=sequence").json()
    found = page["results"]
    while page["next"]:
        page = ops.get(page["next"]).json()
        found += page["results"]
    from otc.audit.rules import hash_of

    assert [entry["sequence"] for entry in found] == list(range(1, len(found) + 1))
    assert all(hash_of(entry) == entry["hash"] for entry in found)


def file_of(client: Client, house: House, query: str) -> bytes:
    answer = client.get(house.url(f"settings/audit/?{query}"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return b"".join(answer)


def test_a_download_has_every_entry_and_no_formula(logged: House, signed_in: SignIn) -> None:
    with use(logged.organization.id):
        audit_append("deal.shown", summary="=1+1")
    text = file_of(signed_in(logged.ops), logged, "format=csv&action=deal.shown").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 61 and rows[-1]["summary"] == "'=1+1"
    assert json.loads(rows[0]["detail"]) == {"n": 0}


def program() -> str:
    """The program that docs/audit.md shows."""
    found = re.search(r"```python\n(.*?)```", (CLONE / "docs" / "audit.md").read_text(), re.DOTALL)
    assert found is not None and len([line for line in found[1].splitlines() if line.strip()]) <= 20
    return found[1]


def test_the_program_of_the_documentation_verifies_the_files(
    logged: House, signed_in: SignIn, tmp_path: Path
) -> None:
    with use(logged.organization.id):
        job_id = enqueue("audit_daily", key="today")
    assert run(logged.organization.id, job_id)
    client = signed_in(logged.ops)
    log, kept = tmp_path / "audit.jsonl", tmp_path / "checkpoints.jsonl"
    log.write_bytes(file_of(client, logged, "format=jsonl"))
    kept.write_bytes(file_of(client, logged, "format=checkpoints"))
    assert kept.read_text().count("\n") == 1
    verifier = tmp_path / "verify.py"
    verifier.write_text(program())

    def verify() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(verifier), str(log), str(kept)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert verify().returncode == 0, verify().stderr
    lines = log.read_text().splitlines(keepends=True)
    for wrong in (
        [*lines[:9], *lines[10:]],
        [*lines[:9], lines[10], lines[9], *lines[11:]],
        [*lines[:9], lines[9].replace("é", "e").replace("person", "nobody"), *lines[10:]],
        lines[:9],
    ):
        log.write_text("".join(wrong))
        assert verify().returncode == 1
    log.write_text("".join(lines))
    kept.write_text(kept.read_text().replace('"hash": "', '"hash": "0'))
    assert verify().returncode == 1


def test_the_page_says_up_to_where_it_was_verified(logged: House, signed_in: SignIn) -> None:
    assert "to be verified" in signed_in(logged.ops).get(logged.url("settings/audit/")).content.decode()
    with use(logged.organization.id):
        job_id = enqueue("audit_daily", key="today")
    assert run(logged.organization.id, job_id)
    assert "Verified up to #" in signed_in(logged.ops).get(logged.url("settings/audit/")).content.decode()
