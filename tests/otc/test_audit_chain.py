"""Is the log append-only, gapless and chained, whoever writes and however many at once?"""

import hashlib
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg2
import pytest
from django.db import ProgrammingError, connection, connections, transaction

from otc.audit.models import AuditEntry
from otc.audit.services import audit_append
from otc.tenancy.context import use
from tests.conftest import House
from tests.furnishing import chain_now

COMMITTED = pytest.mark.django_db(transaction=True)


def entries(house: House) -> list[AuditEntry]:
    with use(house.organization.id):
        return list(AuditEntry.objects.order_by("sequence"))


def test_an_entry_says_who_did_what_through_which_door(house: House) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="api"):
        audit_append(
            "deal.shown", subject_kind="person", subject_id=house.max.id, summary="Seen", detail={"n": 1}
        )
        chain_now()
        entry = AuditEntry.objects.get(action="deal.shown")
    assert (entry.actor_id, entry.actor_name, entry.channel) == (house.ana.id, "Ana Ruiz", "api")
    assert (entry.subject_kind, entry.subject_id, entry.detail) == ("person", house.max.id, {"n": 1})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE otc_auditentry SET summary = 'other'",
        "DELETE FROM otc_auditentry",
        "TRUNCATE otc_auditentry",
        "UPDATE otc_auditchain SET sequence = 0",
        "DELETE FROM otc_auditchain",
        "INSERT INTO otc_auditchain (organization_id, sequence, hash) VALUES (otc_own(), 0, '')",
        "UPDATE otc_auditcheckpoint SET sequence = 0",
        "DELETE FROM otc_auditcheckpoint",
        "ALTER TABLE otc_auditentry DISABLE TRIGGER ALL",
    ],
)
def test_the_application_can_only_add(house: House, statement: str) -> None:
    own = f"'{house.organization.id}'::uuid"
    with use(house.organization.id):
        audit_append("deal.shown")
        with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.replace("otc_own()", own))
    assert getattr(refused.value.__cause__, "pgcode", "") == "42501"


def test_a_writer_can_not_choose_actor_instant_or_place(house: House) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        forged = {
            "actor_id": house.max.id,
            "actor_name": "Max",
            "channel": "task",
            "sequence": 77,
            "hash": "f" * 64,
        }
        AuditEntry(action="deal.shown", **forged).save(force_insert=True)
        chain_now()
        entry = AuditEntry.objects.get(action="deal.shown")
    assert (entry.actor_name, entry.channel, entry.at is not None) == ("Ana Ruiz", "ui", True)
    assert entry.sequence != 77 and entry.hash != "f" * 64


@COMMITTED
def test_many_writers_leave_one_chain_without_a_gap(house: House) -> None:
    """Twelve threads, each with transactions of different length, some of which are rolled back."""
    before = len(entries(house))
    faults: list[Exception] = []

    def write(number: int) -> None:
        try:
            for turn in range(8):
                try:
                    with use(house.organization.id, person_id=house.ana.id, channel="api"):
                        for each in range(1 + (number + turn) % 3):
                            audit_append("deal.shown", summary=f"{number} {turn} {each}")
                        if (number + turn) % 4 == 0:
                            raise LookupError
                except LookupError:
                    pass
        except Exception as problem:
            faults.append(problem)
        finally:
            connections.close_all()

    run_together([partial(write, number) for number in range(12)])
    assert faults == []
    written = entries(house)
    kept = sum(1 + (n + t) % 3 for n in range(12) for t in range(8) if (n + t) % 4)
    assert len(written) - before == kept
    assert [entry.sequence for entry in written] == list(range(1, len(written) + 1))
    assert [e.previous_hash for e in written[1:]] == [e.hash for e in written[:-1]]


def run_together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@COMMITTED
def test_a_long_transaction_holds_nobody_up(house: House) -> None:
    """Chained at commit: while one writer works on, another's entry gets its place."""
    with use(house.organization.id, person_id=house.ana.id):
        audit_append("deal.shown", summary="long")
        done = threading.Event()

        def other() -> None:
            with use(house.organization.id):
                audit_append("deal.shown", summary="short")
            done.set()
            connections.close_all()

        thread = threading.Thread(target=other)
        thread.start()
        assert done.wait(10)
        thread.join()
    assert [entry.summary for entry in entries(house)][-2:] == ["short", "long"]


@COMMITTED
def test_an_entry_of_a_reading_request_follows_its_snapshot(house: House) -> None:
    """Two exports at once: neither fails for the other's entry, and a refused one leaves none."""
    with use(house.organization.id, person_id=house.ana.id, repeatable_read=True):
        AuditEntry.objects.count()
        run_together([lambda: append_elsewhere(house)])
        audit_append("export.made", summary="reader")
    assert [entry.summary for entry in entries(house)][-2:] == ["elsewhere", "reader"]
    assert entries(house)[-1].actor_name == "Ana Ruiz"
    count = len(entries(house))
    with use(house.organization.id, repeatable_read=True):
        audit_append("export.made")
        transaction.set_rollback(True)
    assert len(entries(house)) == count


def append_elsewhere(house: House) -> None:
    with use(house.organization.id):
        audit_append("deal.shown", summary="elsewhere")
    connections.close_all()


def test_a_reference_in_detail_is_hashed_like_python_writes_it(house: House) -> None:
    detail: dict[str, Any] = {"b": [1, -2, None, True], "a": {"é": 'q"\\\n\x07\x7f\u2028', "Z": ""}, "": {}}
    with use(house.organization.id):
        audit_append("deal.shown", detail=detail)
        with connection.cursor() as cursor:
            cursor.execute("SELECT otc_canonical(detail) FROM otc_auditentry WHERE action = 'deal.shown'")
            written = cursor.fetchone()[0]
    assert written == json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert len(hashlib.sha256(written.encode()).hexdigest()) == 64


def test_a_fraction_is_kept_as_text(house: House) -> None:
    with use(house.organization.id):
        audit_append("rate.changed", detail={"rate": 0.92})
        assert AuditEntry.objects.get(action="rate.changed").detail == {"rate": "0.92"}
        with (
            pytest.raises(psycopg2.errors.CheckViolation),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.cursor.execute("SELECT otc_canonical('0.92')")
