"""Team and one-to-ones: rows that sum, deals with the reason, notes for the person and the line above only."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from forecasting.calls.models import Call
from forecasting.inspection.report import Asked, inspection_report
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.onetoone.report import sheet_report, team_report
from forecasting.onetoone.rules import WEIGHTS, Facts, reasons, worth
from forecasting.quotas.models import Quota
from otc.calendar.rules import period_of, previous
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.undo.models import UndoStep
from pipeline.opportunities.services import opportunity_edit
from tests.api_client import Caller
from tests.conftest import House

TODAY = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).date()
QUARTER = period_of(TODAY)
MILLION = 1_000_000_00
DEAL = Facts(
    today=date(2026, 11, 22),
    name="Kestrel",
    category="commit",
    corporate_minor=100,
    close_date=date(2026, 12, 18),
    next_step="Call",
    next_step_on=date(2026, 11, 25),
    existed=True,
    was_category="commit",
    was_corporate_minor=100,
    was_close_date=date(2026, 12, 18),
    period_end=date(2027, 1, 1),
)
PASSED = date(2026, 11, 21)
WHY: dict[str, dict[str, Any]] = {
    "commit_risk": {"failed": ("commit_at_risk",)},
    "passed": {"close_date": PASSED, "was_close_date": PASSED},
    "pushed_out": {"close_date": date(2027, 1, 1), "pushes": 1},
    "fell": {"corporate_minor": 80},
    "left_commit": {"category": "best_case"},
    "pushed": {"pushes": 2},
    "stalled": {"failed": ("stalled",)},
    "silent": {"failed": ("silent",)},
    "no_next_step": {"next_step": ""},
    "no_amount": {"corporate_minor": None},
    "rose": {"corporate_minor": 120},
    "upside": {"category": "best_case", "was_category": "best_case", "p_won": 0.5},
    "health": {"failed": ("a", "b", "c", "d")},
}


@pytest.mark.parametrize("key", WEIGHTS)
def test_each_reason_stands_alone(key):
    assert [reason.key for reason in reasons(replace(DEAL, **WHY[key]))] == [key]


@pytest.mark.parametrize(
    "nearly",
    [
        {},
        {"corporate_minor": 81},
        {"corporate_minor": 119},
        {"close_date": date(2026, 11, 22)},
        {"category": "best_case", "was_category": "best_case", "p_won": 0.49},
        {"failed": ("a", "b", "c")},
        {"existed": False, "was_corporate_minor": 1, "was_category": "commit", "pushes": 3},
    ],
)
def test_what_is_in_order_needs_no_word(nearly):
    assert reasons(replace(DEAL, **nearly)) == ()


def test_the_weightiest_deal_comes_first_and_of_equals_the_larger():
    risky, late = replace(DEAL, **WHY["commit_risk"]), replace(DEAL, **WHY["no_next_step"])
    large = replace(late, corporate_minor=10_000, was_corporate_minor=10_000)
    ranked = sorted(
        (late, large, risky), key=lambda deal: worth(reasons(deal), corporate_minor=deal.corporate_minor)
    )
    assert ranked == [late, large, risky]


def asked(house: House, name: str, **parameters: str) -> Any:
    return ask(Tenant(house.organization, house.people[name], timezone.now()), parameters)


def fill(house: House, make_deal: Any) -> Any:
    """A deal of each of ana, jon, max and nobody, and a quota and a call of ana's."""
    given = {"amount_minor": MILLION, "close_date": QUARTER.last, "next_step": "Call"}
    given["next_step_on"] = TODAY + timedelta(days=1)
    deals = [
        make_deal(name, owner=house.people.get(name), **given) for name in ("ana", "jon", "max", "nobody")
    ]
    Quota(person=house.ana, period=QUARTER.key, amount_minor=MILLION // 2).save()
    now = timezone.now()
    call = {"amount_minor": MILLION // 4, "currency": "EUR", "submitted_at": now}
    Call(person=house.ana, period=QUARTER.key, **call).save()
    return deals


def test_the_rows_of_a_team_sum_to_its_total_from_everybody_s_seat(inside, make_deal):
    fill(inside, make_deal)
    for name, expected in (
        ("max", {"Ana Ruiz": 1, "Jonas Feld": 1, "Max Brandt": 1}),
        ("eve", {"Max Brandt": 3, None: 1}),
        ("ops", {"Eve Okafor": 3, None: 1}),
        ("ana", {"Ana Ruiz": 1}),
    ):
        found = team_report(asked(inside, name))
        assert {row.person and row.person.name: row.sums.open_count for row in found.rows} == expected, name
        for field in ("open_minor", "open_count", "won_minor", "gaps_count", "risk_count"):
            total = getattr(found.total.sums, field)
            assert sum(getattr(row.sums, field) for row in found.rows) == total, (name, field)
    drilled = team_report(asked(inside, "eve", scope=str(inside.max.id)))
    assert [row.person.name for row in drilled.rows] == ["Ana Ruiz", "Jonas Feld", "Max Brandt"]


def test_what_stands_below_a_manager_who_left_is_unassigned_as_in_the_inspection(inside, make_deal):
    """Eve's team shows what its links open: nothing below the vacant seat counts for anybody."""
    fill(inside, make_deal)
    type(inside.max).objects.filter(id=inside.max.id).update(left_on=TODAY - timedelta(days=2))
    for name, expected in (("ops", {"Eve Okafor": 0, None: 4}), ("eve", {"Eve Okafor": 0, None: 4})):
        found = team_report(asked(inside, name))
        assert {row.person and row.person.name: row.sums.open_count for row in found.rows} == expected, name
        assert found.total.sums.open_count == 4
    question = asked(inside, "eve", scope="unassigned")
    assert (
        inspection_report(question, since=question.as_of, asked=Asked()).summary.now.open_minor == 4 * MILLION
    )


def test_coverage_call_hygiene_and_pushes_of_a_person(inside, make_deal):
    deal = fill(inside, make_deal)[0]
    first = {row.person.id: row for row in team_report(asked(inside, "max")).rows if row.person}[
        inside.ana.id
    ]
    assert (first.coverage.remaining, first.coverage.of_quota, first.hygiene) == (2, 2, 1)
    assert (first.call_minor, first.pushes) == (MILLION // 4, 0)
    before = timezone.now()
    opportunity_edit(deal.id, changes={"close_date": QUARTER.last - timedelta(days=3)})
    opportunity_edit(deal.id, changes={"close_date": QUARTER.last, "amount_minor": None})
    after = {row.person.id: row for row in team_report(asked(inside, "max")).rows if row.person}[
        inside.ana.id
    ]
    assert (after.hygiene, after.pushes, after.sums.open_minor) == (0, 1, 0)
    then = team_report(asked(inside, "max", as_of=before.isoformat()))
    was = {row.person.id: row for row in then.rows if row.person}[inside.ana.id]
    assert (was.hygiene, was.pushes, was.sums.open_minor) == (1, 0, MILLION)


def test_a_sheet_shows_changes_since_the_last_talk_and_past_calls_against_results(inside, make_deal):
    deal = fill(inside, make_deal)[0]
    past = previous(QUARTER)
    noon = datetime.combine(past.last, datetime.min.time(), tzinfo=timezone.now().tzinfo)
    for days, amount in ((9, 10), (2, 20), (-5, 30)):
        at = noon - timedelta(days=days)
        Call(person=inside.ana, period=past.key, amount_minor=amount, currency="EUR", submitted_at=at).save()
    question = asked(inside, "max", scope=str(inside.ana.id))
    assert sheet_report(question, person=inside.ana, last_talk_on=None).talks == ()
    opportunity_edit(deal.id, changes={"amount_minor": None})
    question = asked(inside, "max", scope=str(inside.ana.id))
    sheet = sheet_report(question, person=inside.ana, last_talk_on=None)
    assert [(talk.row.deal_id, talk.reasons[0].key) for talk in sheet.talks] == [(deal.id, "no_amount")]
    assert (sheet.past[0].period.key, sheet.past[0].call_minor, sheet.past[0].won_minor) == (past.key, 20, 0)


def test_what_was_said_is_for_the_person_and_the_line_above_and_nobody_else(house, elsewhere, signed_in):
    with use(house.organization.id):
        written = {"written_by": house.max, "written_at": timezone.now()}
        OneToOne(person=house.ana, held_on=TODAY - timedelta(days=7), notes="Wants to lead", **written).save()
        due = {"due_on": TODAY, "agreed_at": timezone.now()}
        AgreedAction(person=house.ana, owner=house.max, text="Speak with legal", **due).save()
    sheet = house.url(f"team/{house.ana.id}/")
    for name, status, reads in (
        ("ana", 200, True),
        ("max", 200, True),
        ("eve", 200, True),
        ("ops", 200, False),
        ("ria", 200, False),
    ):
        answer = signed_in(house.people[name]).get(sheet)
        shown = answer.content.decode()
        assert answer.status_code == status
        assert ("Wants to lead" in shown, "Speak with legal" in shown) == (reads, reads), name
        code = Caller(house.people[name]).get(f"team/{house.ana.id}/one-to-ones").status_code
        assert code == (200 if reads else 404), name
    assert Caller(house.jon).get(f"team/{house.ana.id}").status_code == 404
    assert Caller(elsewhere.zoe).get(f"team/{house.ana.id}/one-to-ones").status_code == 404
    post = signed_in(house.ops).post(f"{sheet}notes/", {"notes": "x"})
    assert post.status_code == 404
    posted = Caller(house.ops).post(f"team/{house.ana.id}/one-to-ones", {"notes": "x"})
    assert posted.status_code == 404


def test_notes_are_written_found_again_and_never_overwritten_unseen(house, signed_in):
    sheet = house.url(f"team/{house.ana.id}/")
    max_, ana = signed_in(house.max), signed_in(house.ana)
    assert (
        "Notes saved"
        in max_.post(f"{sheet}notes/", {"notes": "First", "was": ""}, follow=True).content.decode()
    )
    refused = ana.post(f"{sheet}notes/", {"notes": "Second", "was": ""})
    assert refused.status_code == 422
    assert "Max Brandt wrote meanwhile" in refused.content.decode() and "Second" in refused.content.decode()
    with use(house.organization.id):
        stamp = OneToOne.objects.get().written_at.isoformat()
    ana.post(f"{sheet}notes/", {"notes": "First and second", "was": stamp})
    with use(house.organization.id):
        assert OneToOne.objects.get().notes == "First and second"
        step = UndoStep.objects.latest("created_at")
    ana.post(house.url(f"undo/{step.id}/"))
    with use(house.organization.id):
        assert OneToOne.objects.get().notes == "First"


def test_an_action_returns_until_it_is_done(house, signed_in):
    sheet, client = house.url(f"team/{house.ana.id}/"), signed_in(house.max)
    agreed = {"text": "Call legal", "owner_id": str(house.ana.id), "due": "+1w"}
    assert "Call legal" in client.post(f"{sheet}actions/", agreed, follow=True).content.decode()
    with use(house.organization.id):
        action = AgreedAction.objects.get()
        assert action.due_on == TODAY + timedelta(days=7)
        AgreedAction.objects.update(agreed_at=timezone.now() - timedelta(days=10))
    assert "Call legal" in signed_in(house.ana).get(sheet).content.decode()
    done = client.post(f"{sheet}actions/{action.id}/", {"act": "done"}, follow=True).content.decode()
    assert "Done since: Call legal" in done
    yesterday = client.get(sheet, {"as_of": (TODAY - timedelta(days=1)).isoformat()}).content.decode()
    assert "Call legal" in yesterday and "Save the notes" not in yesterday
    stranger = client.post(f"{sheet}actions/", {**agreed, "owner_id": str(house.jon.id)})
    assert (stranger.status_code, "Choose one of those" in stranger.content.decode()) == (422, True)
    assert client.post(f"{sheet}actions/", {**agreed, "due": "soonish"}).status_code == 422


def test_page_csv_and_api_say_the_same(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        fill(house, make_deal)
    page = signed_in(house.max).get(house.url("team/"))
    assert page.status_code == 200
    inspection = house.url(f"inspection/?scope={house.max.id}")
    assert f'covers what is missing <a href="{inspection}">' in page.text
    bare = signed_in(house.max).get(house.url("team/?period=2027-Q1")).text
    assert "Nothing is open in Q1 2027" in bare
    assert "Coverage shows once somebody here has a" in bare
    text = signed_in(house.max).get(house.url("team/"), {"format": "csv"}).getvalue().decode("utf-8-sig")
    by_csv = {row["person_id"]: row for row in csv.DictReader(io.StringIO(text))}
    answer = Caller(house.max).get("team").json()
    assert len(answer["rows"]) == len(by_csv) == 3
    for row in answer["rows"]:
        told = by_csv[row["person_id"]]
        for name in ("open_minor", "commit_minor", "risk_count", "pushes"):
            assert int(told[name]) == row[name]
    assert answer["total"]["open_minor"] == 3 * MILLION
    sheet = Caller(house.max).get(f"team/{house.ana.id}").json()
    assert sheet["figures"]["coverage_remaining"] == 2.0 and len(sheet["past"]) == 4


def test_notes_and_actions_over_the_api(house):
    max_, path = Caller(house.max), f"team/{house.ana.id}"
    made = max_.post(f"{path}/one-to-ones", {"notes": "Well"})
    assert (made.status_code, made.json()["held_on"]) == (201, TODAY.isoformat())
    again = max_.post(f"{path}/one-to-ones", {"notes": "Better"})
    assert list(again.json()["error"]["fields"]) == ["notes"]
    was = made.json()["written_at"]
    assert max_.post(f"{path}/one-to-ones", {"notes": "Better", "was": was}).status_code == 201
    body = {"text": "Call", "owner_id": str(house.max.id), "due_on": TODAY.isoformat()}
    action = max_.post(f"{path}/actions", body).json()
    assert max_.patch(f"{path}/actions/{action['id']}", {"is_done": True}).json()["done_at"]
    assert max_.get(f"{path}/actions?is_open=true").json()["results"] == []
    assert max_.delete(f"{path}/actions/{action['id']}").status_code == 204
