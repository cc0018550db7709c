"""Is every kind of tampering found, also by who owns the database? And does a whole chain pass as whole?"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given, settings, strategies

from otc.audit.checkpoints import CheckpointRefused, check_signature, known_hashes, public_key, signed_line
from otc.audit.models import AuditCheckpoint, AuditEntry
from otc.audit.report import ChainReport, chain_report
from otc.audit.rules import GENESIS, Walk, hash_of
from otc.audit.services import audit_append
from otc.jobs.models import Job
from otc.jobs.services import enqueue, run
from otc.tenancy.context import use
from tests.cluster import superuser_connection, worker_database
from tests.conftest import House

COMMITTED = pytest.mark.django_db(transaction=True)
COUNT = 12


@pytest.fixture
def logged(house: House) -> House:
    with use(house.organization.id, person_id=house.ana.id):
        for number in range(COUNT):
            audit_append(
                "deal.shown", summary=f"Nr. {number} „é“", detail={"n": number, "list": [None, True]}
            )
    return house


@pytest.fixture
def tamper() -> Iterator[Callable[..., None]]:
    """Does as the database's superuser what it likes, with every trigger and key out of the way."""
    with closing(superuser_connection(worker_database())) as connection, connection.cursor() as cursor:

        def execute(sql: str, *parameters: Any) -> None:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(sql, parameters)

        yield execute


def report_of(house: House, known: dict[int, str] | None = None) -> ChainReport:
    with use(house.organization.id, repeatable_read=True):
        return chain_report(known=known)


def kinds(report: ChainReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def last_number(house: House) -> int:
    with use(house.organization.id):
        return int(AuditEntry.objects.count())


@COMMITTED
def test_an_untouched_chain_is_whole(logged: House) -> None:
    report = report_of(logged)
    assert report.is_whole and report.sequence == last_number(logged) > COUNT


COLUMN_CHANGES = {
    "at": "at + interval '1 microsecond'",
    "actor_id": "gen_random_uuid()",
    "actor_name": "'Somebody else'",
    "channel": "'other'",
    "action": "'deal.hidden'",
    "subject_kind": "'other'",
    "subject_id": "gen_random_uuid()",
    "summary": "'another'",
    "detail": "detail || '{\"n\": 99}'",
    "request_id": "'another'",
    "previous_hash": "repeat('a', 64)",
    "hash": "repeat('a', 64)",
    "id": "gen_random_uuid()",
}


@COMMITTED
@pytest.mark.parametrize("column", COLUMN_CHANGES)
def test_a_changed_column_is_found(logged: House, tamper: Callable[..., None], column: str) -> None:
    tamper(f"UPDATE otc_auditentry SET {column} = {COLUMN_CHANGES[column]} WHERE sequence = 7")
    report = report_of(logged)
    assert "changed" in kinds(report) and report.findings[0].sequence == 7


def test_every_column_is_tried() -> None:
    columns = {field.column for field in AuditEntry._meta.local_fields}
    assert columns - {"organization_id", "sequence"} == set(COLUMN_CHANGES)


COPY = """
INSERT INTO otc_auditentry (id, organization_id, sequence, at, actor_name, channel, action, subject_kind, summary,
  detail, request_id, previous_hash, hash)
SELECT gen_random_uuid(), organization_id, {sequence}, at, actor_name, channel, action, subject_kind, summary, detail,
  request_id, previous_hash, hash FROM otc_auditentry WHERE sequence = 7
"""
SWAP = "UPDATE otc_auditentry SET sequence = CASE sequence WHEN 7 THEN 8 ELSE 7 END WHERE sequence IN (7, 8)"
OTHER_ORGANIZATION = "UPDATE otc_auditentry SET organization_id = gen_random_uuid() WHERE sequence = 7"


@COMMITTED
@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("DELETE FROM otc_auditentry WHERE sequence = 7", "removed"),
        ("DELETE FROM otc_auditentry WHERE sequence = 1", "removed"),
        ("DELETE FROM otc_auditentry WHERE sequence BETWEEN 5 AND 9", "removed"),
        (OTHER_ORGANIZATION, "removed"),
        ("DELETE FROM otc_auditentry WHERE sequence = (SELECT max(sequence) FROM otc_auditentry)", "cut"),
        ("TRUNCATE otc_auditentry", "cut"),
        (COPY.format(sequence="sequence + 1000"), "inserted"),
        (COPY.format(sequence="0"), "inserted"),
        (COPY.format(sequence="NULL"), "inserted"),
        ("UPDATE otc_auditentry SET sequence = sequence + 1000 WHERE sequence = 7", "removed"),
        ("UPDATE otc_auditchain SET hash = repeat('a', 64)", "rewritten"),
        ("UPDATE otc_auditchain SET sequence = sequence - 1", "inserted"),
        ("DELETE FROM otc_auditchain", "inserted"),
    ],
)
def test_rows_taken_out_put_in_or_moved_are_found(
    logged: House, tamper: Callable[..., None], deed: str, kind: str
) -> None:
    tamper(deed)
    assert kind in kinds(report_of(logged))


@COMMITTED
def test_rows_that_change_places_or_stand_twice_are_found(logged: House, tamper: Callable[..., None]) -> None:
    key = "ALTER TABLE otc_auditentry {} CONSTRAINT audit_sequence_once {}"
    tamper(key.format("DROP", ""))
    try:
        tamper(SWAP)
        assert "changed" in kinds(report_of(logged))
        tamper(SWAP)
        assert report_of(logged).is_whole
        tamper(COPY.format(sequence="7"))
        assert "inserted" in kinds(report_of(logged))
    finally:
        tamper("TRUNCATE otc_auditentry")
        tamper(key.format("ADD", "UNIQUE (organization_id, sequence)"))


def rewrite(house: House, tamper: Callable[..., None], *, before: int) -> None:
    """What somebody does who knows the house: change one entry and recompute everything behind it, the end too."""
    with use(house.organization.id):
        from otc.audit.queries import links_after

        rows = links_after(0, GENESIS[:8] + "-0000-0000-0000-000000000000")
    rows[before - 1]["summary"] = "It never happened"
    previous = GENESIS
    for row in rows:
        row["previous_hash"] = previous
        previous = row["hash"] = hash_of(row)
        tamper(
            "UPDATE otc_auditentry SET summary = %s, previous_hash = %s, hash = %s WHERE id = %s",
            row["summary"],
            row["previous_hash"],
            row["hash"],
            row["id"],
        )
    tamper("UPDATE otc_auditchain SET hash = %s", previous)


def kept_line(house: House) -> dict[str, Any]:
    report = report_of(house)
    return signed_line(
        house.organization.id,
        sequence=report.sequence,
        hash_=report.hash,
        made_at=timezone.now(),
    )


def verify(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `manage.py verify_audit`."""
    written = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=written)
    except SystemExit as ended:
        return int(str(ended.code)), written.getvalue()
    return 0, written.getvalue()


@COMMITTED
def test_a_chain_rewritten_to_its_end_is_found_against_a_checkpoint_kept_elsewhere(
    logged: House, tamper: Callable[..., None], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text(json.dumps(kept_line(logged)) + "\n")
    assert verify("--org", "halden", "--checkpoint", str(kept)) == (
        0,
        f"halden: whole up to #{last_number(logged)}, against 1 checkpoints kept elsewhere\n",
    )
    rewrite(logged, tamper, before=7)
    assert verify("--org", "halden")[0] == 0, (
        "the rewritten chain must be sound in itself, else nothing is shown"
    )
    code, said = verify("--org", "halden", "--checkpoint", str(kept))
    assert code == 1 and "rewritten" in said


@COMMITTED
def test_a_chain_cut_behind_a_checkpoint_is_found(
    logged: House, tamper: Callable[..., None], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text(json.dumps(kept_line(logged)))
    tamper("DELETE FROM otc_auditentry WHERE sequence > 7")
    tamper(
        "UPDATE otc_auditchain SET sequence = 7, hash = (SELECT hash FROM otc_auditentry WHERE sequence = 7)"
    )
    assert verify("--org", "halden")[0] == 0
    code, said = verify("--checkpoint", str(kept), "--key", public_key())
    assert code == 1 and "cut" in said


@COMMITTED
def test_a_forged_checkpoint_is_refused(logged: House, tmp_path: Path) -> None:
    line = kept_line(logged)
    kept = tmp_path / "kept.jsonl"
    for wrong in ({"hash": "f" * 64}, {"sequence": 3}, {"signature": "00"}, {"public_key": "00" * 32}):
        kept.write_text(json.dumps({**line, **wrong}))
        with pytest.raises(CommandError, match="signature"):
            verify("--checkpoint", str(kept))
    kept.write_text(json.dumps(line))
    with pytest.raises(CommandError, match="another key"):
        verify("--checkpoint", str(kept), "--key", "ab" * 32)
    with pytest.raises(CheckpointRefused, match="line 1"):
        known_hashes(["{}"], organization_id=logged.organization.id)


def daily(house: House) -> AuditCheckpoint:
    with use(house.organization.id):
        job_id = enqueue("audit_daily", key="2026-11-22")
    assert run(house.organization.id, job_id)
    with use(house.organization.id):
        assert Job.objects.get(id=job_id).error == ""
        return AuditCheckpoint.objects.order_by("-made_at")[0]


@COMMITTED
def test_the_daily_check_hands_a_signed_line_to_folder_and_mail(
    logged: House, tmp_path: Path, settings: Any
) -> None:
    settings.AUDIT_FOLDER, settings.AUDIT_MAIL = str(tmp_path / "kept"), ["safe@example.org"]
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    checkpoint = daily(logged)
    daily(logged)
    lines = (tmp_path / "kept" / f"{logged.organization.id}.jsonl").read_text().splitlines()
    assert len(lines) == 2 and checkpoint.findings == []
    first = json.loads(lines[0])
    check_signature(first, trusted=public_key())
    assert (first["sequence"], first["hash"]) == (checkpoint.sequence, checkpoint.hash)
    assert checkpoint.sequence == last_number(logged)
    assert lines[0] in mail.outbox[0].body


@COMMITTED
def test_the_daily_check_cries_where_the_chain_is_broken(
    logged: House, tamper: Callable[..., None], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_FOLDER = str(tmp_path)
    monkeypatch.setattr("otc.audit.report.CHUNK", 3)
    monkeypatch.setattr("otc.audit.queries.CHUNK", 3)
    tamper("UPDATE otc_auditentry SET summary = 'another' WHERE sequence = 7")
    checkpoint = daily(logged)
    assert checkpoint.findings == ["#7 does not say what it said when it was written"]
    assert checkpoint.signature == "" and list(tmp_path.iterdir()) == []
    with use(logged.organization.id):
        assert AuditEntry.objects.filter(action="audit.found_broken").count() == 1


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(),
    lambda inner: (
        strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@COMMITTED
def test_whatever_is_recorded_the_database_hashes_it_as_python_does(house: House) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(
        detail=strategies.dictionaries(strategies.text(), JSON, max_size=4),
        summary=strategies.text(max_size=600),
    )
    def record(detail: dict[str, Any], summary: str) -> None:
        with use(house.organization.id):
            audit_append("deal.shown", detail=detail, summary=summary)

    record()
    report = report_of(house)
    assert report.is_whole and report.sequence > 40, report.findings[:3]


@given(strategies.lists(strategies.integers(0, 5), min_size=2, max_size=8), strategies.data())
def test_any_other_order_or_selection_of_a_chain_is_found(numbers: list[int], data: Any) -> None:
    chain: list[dict[str, Any]] = []
    for place, number in enumerate(numbers, start=1):
        previous = chain[-1]["hash"] if chain else GENESIS
        entry = {"id": str(place), "sequence": place, "said": number, "previous_hash": previous}
        chain.append({**entry, "hash": hash_of(entry)})
    other = data.draw(strategies.lists(strategies.sampled_from(chain), max_size=10))

    def findings(entries: list[dict[str, Any]]) -> list[Any]:
        walk = Walk()
        for entry in entries:
            walk.take(entry)
        walk.end(
            sequence=len(chain),
            hash_=chain[-1]["hash"],
            largest=max((e["sequence"] for e in entries), default=0),
        )
        return walk.findings

    assert findings(chain) == []
    assert bool(findings(other)) == (other != chain)
