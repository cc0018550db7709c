"""What the rooms above the log leave on record: teams, splits, calls, quotas, the process, values of fields."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from forecasting.calls.services import call_submit
from otc.audit.models import AuditEntry
from otc.calendar.rules import period_of
from otc.fields.services import field_create
from pipeline.fields.conversion import attribute_adopt, field_convert
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Process
from pipeline.process.services import reason_add, stage_add
from pipeline.team.rules import Share, TeamRefused
from pipeline.team.services import splits_set, team_member_add, team_member_remove, team_member_restore
from tests.conftest import House
from tests.pipeline.loading import Load, load

__all__ = ["load"]

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def entries(noun: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__startswith=f"{noun}.").order_by("id"))


def test_a_team_is_on_record_from_the_first_seat_to_the_last(inside: House, make_deal: Any) -> None:
    deal = make_deal("Kestrel", owner=inside.ana)
    given = {"person_id": inside.jon.id, "now": NOW}
    team_member_add(deal.id, part="Engineer", **given)
    team_member_add(deal.id, part="Engineer", **given)
    member = team_member_add(deal.id, part="Legal", person_id=inside.jon.id, now=timezone.now())
    for _ in range(2):
        team_member_remove(deal.id, member.id, now=timezone.now())
    for _ in range(2):
        team_member_restore(deal.id, member.id)
    with pytest.raises(TeamRefused):
        team_member_add(deal.id, person_id=inside.ana.id, part="Owner", now=NOW)
    found = entries("team_member")
    assert [entry.action.partition(".")[2] for entry in found] == ["added", "changed", "removed", "restored"]
    assert {(entry.subject_kind, entry.subject_id) for entry in found} == {("deal", deal.id)}
    assert found[0].summary == "Jonas Feld is on the team of Kestrel as Engineer"
    assert (found[1].detail["before"], found[1].detail["part"]) == ("Engineer", "Legal")


def test_splits_are_on_record_with_what_was_before(inside: House, make_deal: Any) -> None:
    deal = make_deal("Kestrel", owner=inside.ana)
    halves = [Share(inside.ana.id, "revenue", 7_500), Share(inside.jon.id, "revenue", 2_500)]
    for shares in (halves, halves, []):
        splits_set(deal.id, shares=shares, now=timezone.now())
    first, second = entries("split")
    assert first.summary == "Kestrel is split between 2" and second.summary == "Kestrel is its owner's alone"
    shown = ["Ana Ruiz: 75 % revenue", "Jonas Feld: 25 % revenue"]
    assert first.detail == {"before": [], "after": shown} and second.detail == {"before": shown, "after": []}


def test_a_call_is_on_record_without_its_note(inside: House) -> None:
    call_submit(
        inside.organization,
        author=inside.bot,
        person_id=inside.ana.id,
        period=period_of(NOW.date()),
        amount_minor=500_00,
        now=NOW,
        today=NOW.date(),
        note="between us",
    )
    (entry,) = entries("call")
    assert entry.summary.startswith("Commit of Ana Ruiz for ") and "500.00 EUR" in entry.summary
    assert entry.detail["amount_minor"] == 500_00 and "between us" not in str(entry.detail) + entry.summary


def test_what_is_added_to_the_process_is_on_record(inside: House) -> None:
    process = Process.objects.get()
    milestones = [{"name": "Signed", "side": "buyer", "is_required": True, "due_days": 5}]
    stage_add(process, position=9, entry={"name": "Legal", "objective": "x", "milestones": milestones})
    reason_add(name="Weather", outcomes=["lost"])
    (stage,), (reason,) = entries("stage"), entries("reason")
    assert stage.summary.startswith("Added the stage “Legal” to “") and stage.detail["milestones"] == [
        "Signed"
    ]
    assert reason.detail == {"outcomes": ["lost"], "feeds": "process"}


def test_what_a_file_creates_of_the_process_is_one_entry(load: Load, inside: House) -> None:
    text = "external_id,stage,outcome,close_date,reason\nD1,Zenith,,,\nD2,zenith,,,\nD3,Nadir,lost,2026-01-05,Rain\n"
    for is_dry_run in (True, False, False):
        load("opportunities", text, creates_missing=True, is_dry_run=is_dry_run)
    (entry,) = [entry for entry in entries("process") if entry.action == "process.imported"]
    assert entry.detail == {"process": None, "stages": ["Nadir", "Zenith"], "reasons": ["Rain"]}
    assert entry.summary == "A file brought in 2 stages, 1 reason"


def test_values_that_a_conversion_writes_anew_are_counted_on_record(inside: House, make_deal: Any) -> None:
    for words in ("1,000", "12", "many"):
        deal = make_deal("K")
        Opportunity.objects.filter(id=deal.id).update(attributes={"Size": words})
    row, _ = attribute_adopt("deal", "Size", label="Size", kind="number", today=NOW.date(), takes_away=True)
    field_convert(row, kind="text", today=NOW.date(), takes_away=False)
    empty = field_create(object="deal", label="Empty", kind="text")
    field_convert(empty, kind="date", today=NOW.date(), takes_away=False)
    written = [entry for entry in entries("field") if entry.action == "field.values_rewritten"]
    assert [(entry.detail["rewritten"], entry.detail["taken_away"]) for entry in written] == [(2, 1), (1, 0)]
