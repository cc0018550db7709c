"""The forecast: branches on demand, deals below their person, calls and their gap, files that nothing runs in."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.calls.models import Call, CallColumn
from forecasting.calls.report import deadlines
from forecasting.calls.services import call_submit
from forecasting.grid.said import calls_said
from forecasting.rhythm.queries import beat_now
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import person_create
from pipeline.opportunities.models import Opportunity
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.days import day_in_house
from tests.forecasting.lives import deal_with
from tests.guards.surface import looker, text_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# The whole request, with sign-in, tenant and this test's own savepoint; the grid itself reads twelve times and notes
# the visit. A ceiling, so that a change is a decision.
GRID_ASKS_AT_MOST = 22


@pytest.fixture
def filled(house):
    """Ana commits to 300, Max to 50 of his own, and nobody to 20."""
    day = period_of(day_in_house()).last
    with use(house.organization.id, channel="ui"):
        for owner, amount in ((house.ana, 30_000_000), (house.max, 5_000_000), (None, 2_000_000)):
            name = f"Deal of {owner.name if owner else 'nobody'}"
            deal_with(
                name=name,
                owner_id=owner.id if owner else None,
                category="commit",
                amount_minor=amount,
                close_date=day,
            )
    return house


def rows_of(eyes, **parameters):
    rows = text_of(eyes.page("forecast/", **parameters)).rows
    return {row.row_id: row for row in rows if row.section == "tbody" and row.row_id}


def test_a_branch_is_shut_and_opened_by_its_address(filled):
    eyes = looker(filled, "eve", {})
    ana, max_id = f"person-{filled.ana.id}", filled.max.id
    assert ana in rows_of(eyes)
    assert ana not in rows_of(eyes, shut=str(max_id))
    link = next(href for href in rows_of(eyes)[f"person-{max_id}"].cells[0].hrefs if "shut=" in href)
    assert ana not in eyes.browser.get(link).content.decode()


def test_who_share_a_first_name_are_told_by_their_whole_name(filled):
    said = [name for name, _ in looker(filled, "max", {}).page("forecast/").context["movers"]]
    assert said == ["Ana"]
    with use(filled.organization.id, channel="ui"):
        Person.objects.filter(id=filled.jon.id).update(name="Ana Feld")
        day = period_of(day_in_house()).last
        deal_with(owner_id=filled.jon.id, category="commit", amount_minor=1_000_000, close_date=day)
    said = [name for name, _ in looker(filled, "max", {}).page("forecast/").context["movers"]]
    assert said == ["Ana Ruiz", "Ana Feld"]


def test_a_branch_on_demand_comes_as_the_grid_alone(filled):
    eyes = looker(filled, "eve", {})
    answer = eyes.browser.get(
        filled.url("forecast/"), {"deals": str(filled.ana.id)}, headers={"HX-Request": "true"}
    )
    text = answer.content.decode()
    assert text.lstrip().startswith('<section class="panel panel-flush" id="forecast-grid"')
    assert "Deal of Ana" in text
    assert "<h1" not in text


def test_a_persons_deals_stand_below_with_what_they_gained(filled):
    eyes = looker(filled, "eve", {})
    tomorrow = text_of(eyes.page("forecast/", deals=f"{filled.ana.id},unassigned", since="period"))
    deals = [row for row in tomorrow.rows if "is-deal" in row.classes]
    assert [row.cells[0].text.split(",")[0] for row in deals] == [
        "Deal of Ana RuizCommit",
        "Deal of nobodyCommit",
    ]
    assert deals[0].cells[5].text.startswith("300")
    assert "+300" in deals[0].cells[5].text


def test_a_managers_own_deals_stand_apart(filled):
    rows = text_of(looker(filled, "eve", {}).page("forecast/")).rows
    own = next(row for row in rows if "is-own" in row.classes)
    assert "own deals" in own.cells[0].text
    assert own.cells[5].text == "50"


def test_a_call_stands_beside_its_gap_and_who_owes_one_is_named(filled):
    now, today = datetime.now(UTC), day_in_house()
    with use(filled.organization.id):
        call_submit(
            filled.organization,
            author=Person.objects.get(id=filled.ana.id),
            period=period_of(today),
            amount_minor=31_000_000,
            now=now - timedelta(seconds=1),
            today=today,
        )
    rows = rows_of(looker(filled, "eve", {}))
    assert rows[f"person-{filled.ana.id}"].cells[-3].text.startswith("310")
    assert rows[f"person-{filled.max.id}"].cells[-3].text == "No call"


def test_a_call_of_the_column_in_focus_is_submitted_from_the_page(filled):
    eyes = looker(filled, "ana", {})
    period = period_of(day_in_house()).key
    posted = {"period": period, "amount": "1.5m", "column": "best_case_cumulative"}
    eyes.browser.post(filled.url("forecast/call/"), posted)
    best = rows_of(eyes, column="best_case_cumulative")[f"person-{filled.ana.id}"]
    assert best.cells[-3].text.startswith("1,500")
    assert rows_of(eyes)[f"person-{filled.ana.id}"].cells[-3].text == "No call"


@pytest.mark.parametrize(
    "parameters", [{"open": "x"}, {"deals": "1"}, {"column": "closed"}, {"column": "commit"}, {"view": "x"}]
)
def test_an_address_that_cant_be_meant_is_refused_in_words(filled, parameters):
    eyes = looker(filled, "eve", {})
    answer = eyes.browser.get(filled.url("forecast/"), parameters)
    assert answer.status_code == 400
    assert next(iter(parameters)) in answer.content.decode()


def test_strangers_open_nothing(filled):
    """Somebody else's people in the address are as if they weren't there."""
    eyes = looker(filled, "ana", {})
    text = eyes.page("forecast/", deals=str(filled.max.id), open=str(filled.max.id)).content.decode()
    assert "Deal of Max" not in text


def test_a_workbook_holds_numbers_and_runs_nothing(filled):
    with use(filled.organization.id):
        Person.objects.filter(id=filled.ana.id).update(name="=HYPERLINK(1)")
    answer = looker(filled, "eve", {}).page("forecast/", format="xlsx")
    assert answer["Content-Disposition"].endswith('.xlsx"')
    with ZipFile(BytesIO(answer.content)) as book:
        cells, words = (
            book.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "sharedStrings")
        )
    assert "<f>" not in cells
    assert "<v>300000</v>" in cells
    assert "HYPERLINK(1)" in words


def test_a_sheet_is_one_page_however_many_rows_stand_open(filled):
    with use(filled.organization.id):
        for number in range(90):
            person_create(name=f"Łucja Ωmega {number}", role="rep", manager=filled.max, since=LONG_AGO)
    eyes = looker(filled, "eve", {})
    answer = eyes.page("forecast/", format="pdf", open=str(filled.max.id), more=str(filled.max.id))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert answer.content.count(b"/Type /Page\n") == 1


def test_a_call_after_the_deadline_is_marked_late(filled):
    with use(filled.organization.id):
        question = looker(filled, "eve", {}).question()
        due = deadlines(question, beat=beat_now())[-2]
        for person, minutes in ((filled.ana, [1]), (filled.max, [0, 2]), (filled.jon, [-8 * 24 * 60, 3])):
            for late in minutes:
                Call(
                    person_id=person.id,
                    period=question.period.key,
                    amount_minor=12_000 + late,
                    currency="EUR",
                    submitted_at=due + timedelta(minutes=late),
                ).save(force_insert=True)
        found = calls_said(question, column=CallColumn.COMMIT, since=due, due=due)
    assert {one for one, said in found.items() if said.is_late} == {filled.ana.id, filled.jon.id}
    assert {one: said.change_minor for one, said in found.items()} == {
        filled.ana.id: 0,
        filled.max.id: 2,
        filled.jon.id: 8 * 24 * 60 + 3,
    }


def test_who_owes_a_call_is_reminded_from_the_page(filled):
    eyes = looker(filled, "eve", {})
    text = eyes.page("forecast/").content.decode()
    assert "no call yet" in text
    posted = {
        "period": period_of(day_in_house()).key,
        "person": str(filled.ana.id),
        "next": filled.url("forecast/"),
    }
    answer = eyes.browser.post(filled.url("forecast/calls/remind/"), posted, follow=True)
    assert "1 person reminded" in answer.content.decode()


def test_nobody_owes_a_call_of_a_month_where_quarters_are_called(filled):
    text = looker(filled, "eve", {"period": "month"}).page("forecast/").content.decode()
    assert "No call" not in text
    assert "no call yet" not in text
    assert "calls missing" not in text


def test_a_period_that_is_over_is_told_as_past_and_asks_for_nothing(filled):
    text = looker(filled, "eve", {"period": "previous"}).page("forecast/").content.decode()
    assert "What stood out" in text
    assert "stood at" in text
    assert "Needs you" not in text
    assert "No deal closes in" in text


def test_overlay_shares_stand_beside_the_grid(filled):
    with use(filled.organization.id, channel="ui"):
        deal = Opportunity.objects.get(name="Deal of Ana Ruiz")
        splits_set(deal.id, shares=[Share(filled.jon.id, "overlay", 2_500)], now=datetime.now(UTC))
    text = " ".join(looker(filled, "eve", {}).page("forecast/").content.decode().split())
    assert "overlay shares of Jonas Feld" in text
    assert "75 k</span> open" in text


def test_the_grid_looks_for_deals_without_a_rate_only_where_there_are_some(filled):
    def asks(**asked):
        eyes = looker(filled, "eve", asked)
        eyes.page("forecast/")
        with CaptureQueriesContext(connection) as captured:
            text = eyes.page("forecast/").content.decode()
        return [one["sql"] for one in captured], "NOK" in text

    plain, said = asks()
    assert not said
    assert sum("forecasting_quota q" in sql for sql in plain) == 1
    assert len(plain) <= GRID_ASKS_AT_MOST
    with use(filled.organization.id, channel="ui"):
        day = period_of(day_in_house()).last
        deal_with(owner_id=filled.ana.id, category="commit", amount_minor=1, currency="NOK", close_date=day)
    found, said = asks()
    assert said
    assert len(found) == len(plain) + 1


def test_from_a_phone_a_row_leads_to_its_cell(filled):
    """The adjusted column has no room there."""
    text = looker(filled, "max", {}).page("forecast/").content.decode()
    href = re.search(r'class="way-to-cell" href="([^"]+)">Adjust<', text)[1].replace("&amp;", "&")
    answer = looker(filled, "max", {}).browser.get(href)
    assert "Five amounts" in answer.content.decode()
