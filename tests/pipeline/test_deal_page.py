"""One deal's page: as it stands, as it stood, and everything that is posted from it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.accounts.services import account_create, contact_create
from pipeline.activities.models import Activity
from pipeline.health.models import Health
from pipeline.history.changes import changes
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.opportunities.services import opportunity_edit
from pipeline.opportunities.timeline import days_by_stage
from pipeline.process.models import CloseReason, Milestone
from pipeline.risk.models import Risk
from tests.conftest import House
from tests.days import day_in_house

HTMX = {"HTTP_HX_REQUEST": "true"}
TODAY = day_in_house()
LATER = TODAY + timedelta(days=40)


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    """Ana's deal of 386,000 EUR at Kestrel Rail."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        found: Opportunity = make_deal(
            "Kestrel Rail: Depots",
            owner=house.ana,
            amount_minor=386_000_00,
            close_date=LATER,
            account_id=account.id,
        )
    return found


def url(house: House, deal: Opportunity, rest: str = "") -> str:
    return house.url(f"deals/{deal.id}/{rest}")


def edit(house: House, deal: Opportunity, **fields: Any) -> None:
    with use(house.organization.id, person_id=house.max.id, channel="api"):
        opportunity_edit(deal.id, changes=fields)


def stored(house: House, deal: Opportunity) -> Opportunity:
    with use(house.organization.id):
        found: Opportunity = Opportunity.objects.select_related("stage").get(id=deal.id)
    return found


def reason(house: House, name: str) -> CloseReason:
    with use(house.organization.id):
        found: CloseReason = CloseReason.objects.get(name=name)
    return found


def score(house: House, deal: Opportunity, *, close_date: date) -> None:
    now = timezone.now()
    with use(house.organization.id):
        failed = [{"check": "no_next_step", "penalty": 10, "detail": "There is no next step."}]
        Health(opportunity=deal, score=90, failed=failed, computed_at=now, computed_on=now.date()).save()
        Risk(
            opportunity=deal,
            p_won=0.58,
            p_lost=0.04,
            p_slip=0.38,
            close_date=close_date,
            model="m",
            reasons=["Why"],
            computed_at=now,
        ).save()


def test_the_page_says_that_scores_are_still_to_come(house, deal, signed_in):
    page = signed_in(house.ana).get(url(house, deal))
    assert page.status_code == 200
    assert "not computed yet" in page.content.decode()


def test_the_answer_gives_the_chances_and_what_is_wrong(house, deal, signed_in):
    score(house, deal, close_date=LATER)
    text = signed_in(house.ana).get(url(house, deal)).content.decode()
    assert "58\xa0% to be won by" in text
    assert "There is no next step." in text
    assert "No next step −10" in text


def test_a_score_of_an_earlier_close_date_is_not_shown_as_this_one_s(house, deal, signed_in):
    score(house, deal, close_date=LATER - timedelta(days=9))
    client = signed_in(house.ana)
    assert "58\xa0%" not in client.get(url(house, deal)).content.decode()
    assert client.get(house.url("deals/")).context["report"].rows[0].p_slip is None


def test_the_timeline_tells_what_who_and_from_where(house, deal, signed_in):
    edit(house, deal, close_date=LATER + timedelta(days=14), amount_minor=300_000_00)
    text = signed_in(house.ana).get(url(house, deal)).content.decode()
    assert "Max Brandt, over the API" in text
    assert "386,000 to" in text
    assert "+14\xa0d" in text
    assert "Created" in text


def test_activities_and_milestones_stand_in_the_timeline(house, deal, signed_in):
    client = signed_in(house.ana)
    with use(house.organization.id):
        milestone = Milestone.objects.get(name="Champion named")
    client.post(url(house, deal, "milestones/"), {"milestone": str(milestone.id), "state": "met"})
    client.post(url(house, deal, "activities/"), {"kind": "call", "subject": "Terms call"})
    kinds = [entry.kind for entry in client.get(url(house, deal)).context["report"].timeline.entries]
    assert kinds == ["contact", "milestone", "change"]
    only = client.get(url(house, deal) + "?timeline=contacts").context["report"].timeline.entries
    assert [entry.title for entry in only] == ["Terms call"]


def test_a_long_timeline_is_cut_and_opens(house, deal, signed_in):
    for number in range(20):
        edit(house, deal, next_step=f"Step {number}")
    client = signed_in(house.ana)

    def shown(query: str) -> tuple[int, int]:
        page = client.get(url(house, deal) + query).context["report"].timeline
        return len(page.entries), page.more

    assert shown("") == shown("?show=nonsense") == shown("?show=-4") == (12, 9)
    assert shown("?show=15") == (15, 6)
    assert "?show=62" in client.get(url(house, deal)).content.decode()
    assert shown("?show=62") == shown("?show=99999999999999999999") == (21, 0)


def test_the_past_shows_the_deal_as_it_was_and_nothing_to_change(house, deal, signed_in):
    then = timezone.now()
    edit(house, deal, amount_minor=1_00)
    page = signed_in(house.ana).get(url(house, deal), {"as_of": then.isoformat()})
    text = page.content.decode()
    assert page.context["report"].state.amount_minor == 386_000_00
    assert "Nothing can be changed" in text
    assert "/edit/" not in text
    assert "milestone-mark" not in text
    assert len(page.context["report"].timeline.entries) == 1


def test_before_its_first_day_the_page_says_so(house, deal, signed_in):
    page = signed_in(house.ana).get(url(house, deal), {"as_of": "2020-01-01"})
    assert page.status_code == 200
    assert "wasn’t there yet" in page.content.decode()


@pytest.mark.parametrize("state", ["met", "waived"])
def test_a_milestone_is_marked_and_opened_again(house, deal, signed_in, state):
    client = signed_in(house.ana)
    with use(house.organization.id):
        milestone = Milestone.objects.get(name="Champion named")
    client.post(url(house, deal, "milestones/"), {"milestone": str(milestone.id), "state": state})
    stages = client.get(url(house, deal)).context["report"].path
    assert state in {one.state for stage in stages for one in stage.milestones}
    client.post(url(house, deal, "milestones/"), {"milestone": str(milestone.id), "state": "open"})
    with use(house.organization.id):
        assert not OpportunityMilestone.objects.filter(opportunity=deal).exists()


@pytest.mark.parametrize("sent", [{"state": "done"}, {"milestone": "nonsense"}])
def test_a_milestone_that_cannot_be_meant_is_refused(house, deal, signed_in, sent):
    with use(house.organization.id):
        milestone = Milestone.objects.get(name="Champion named")
    body = {"milestone": str(milestone.id), "state": "met"} | sent
    assert signed_in(house.ana).post(url(house, deal, "milestones/"), body).status_code in (302, 404)
    with use(house.organization.id):
        assert not OpportunityMilestone.objects.filter(opportunity=deal).exists()


def test_an_edit_in_the_strip_answers_the_page_s_main_part(house, deal, signed_in):
    response = signed_in(house.ana).post(url(house, deal, "edit/amount/?in=deal"), {"value": "400k"}, **HTMX)
    text = response.content.decode()
    assert (response.status_code, response["HX-Retarget"], response["HX-Reselect"]) == (200, "#main", "#main")
    assert "Undo" in text
    latest = response.context["report"].timeline.entries[0]
    assert [change.sentence for change in latest.changes] == ["Amount 386,000 to 400,000"]


def test_closing_asks_for_the_reasons_of_its_outcome(house, deal, signed_in):
    client = signed_in(house.ana)
    lost = client.get(url(house, deal, "close/?outcome=lost")).content.decode()
    won = client.get(url(house, deal, "close/?outcome=won")).content.decode()
    assert "Price" in lost
    assert "Best fit" not in lost
    assert "Best fit" in won
    assert "not given" not in lost + won


def test_a_deal_is_closed_with_its_reason_today(house, deal, signed_in):
    sent = {"outcome": "lost", "reason": str(reason(house, "Price").id)}
    response = signed_in(house.ana).post(url(house, deal, "close/"), sent)
    closed = stored(house, deal)
    assert (response.status_code, response.url) == (302, url(house, deal))
    assert (closed.outcome, closed.category, closed.reason_id) == (
        "lost",
        "omitted",
        reason(house, "Price").id,
    )
    assert closed.close_date == datetime.now(ZoneInfo(house.organization.timezone)).date()


@pytest.mark.parametrize(
    "sent", [{}, {"reason": "nonsense"}, {"reason": "Best fit"}, {"reason": "Price", "close_date": "+2w"}]
)
def test_a_closing_without_what_it_needs_is_refused(house, deal, signed_in, sent):
    named = sent.get("reason", "")
    if named in ("Price", "Best fit"):
        sent = sent | {"reason": str(reason(house, named).id)}
    response = signed_in(house.ana).post(url(house, deal, "close/"), {"outcome": "lost"} | sent)
    assert response.status_code == 422
    assert stored(house, deal).outcome is None


def test_a_closed_deal_is_reopened_and_both_can_be_undone(house, deal, signed_in):
    client = signed_in(house.ana)
    client.post(url(house, deal, "close/"), {"outcome": "won", "reason": str(reason(house, "Best fit").id)})
    assert "Won on" in client.get(url(house, deal)).content.decode()
    client.post(url(house, deal, "reopen/"))
    assert stored(house, deal).outcome is None
    with use(house.organization.id):
        closed = OpportunityVersion.objects.filter(opportunity=deal).order_by("-valid_from")[1]
    client.post(url(house, deal, f"undo/{closed.id}/"))
    assert stored(house, deal).outcome == "won"


@pytest.mark.parametrize(
    ("rest", "sent", "target"),
    [
        ("edit/amount/", {"value": "400k"}, "deal"),
        ("close/", {"outcome": "won"}, "deal"),
        ("delete/", {}, "list"),
    ],
)
def test_a_plain_form_leads_on_to_a_page_with_a_toast_and_undo(house, deal, signed_in, rest, sent, target):
    client = signed_in(house.ana)
    sent = sent | {"reason": str(reason(house, "Best fit").id)}
    came_from = f"http://testserver{url(house, deal, rest)}"
    response = client.post(url(house, deal, rest), sent, HTTP_REFERER=came_from)
    assert response.url == (url(house, deal) if target == "deal" else house.url("deals/"))
    text = client.get(response.url).content.decode()
    assert f'action="{url(house, deal, "undo/")}' in text and "data-undo" in text


def test_a_form_whose_token_does_not_fit_says_what_to_do(house, deal, signed_in):
    client = signed_in(house.ana)
    client.handler.enforce_csrf_checks = True
    response = client.post(url(house, deal, "edit/amount/"), {"value": "400k"})
    assert response.status_code == 403
    assert "load the page again" in response.content.decode()


@pytest.mark.parametrize("field", ["stage", "category"])
def test_a_closed_deal_offers_no_stage_and_no_category(house, deal, signed_in, field):
    client = signed_in(house.ana)
    client.post(url(house, deal, "close/"), {"outcome": "won", "reason": str(reason(house, "Best fit").id)})
    assert f"edit/{field}/" not in client.get(url(house, deal)).content.decode()
    assert client.post(url(house, deal, f"edit/{field}/"), {"value": "commit"}, **HTMX).status_code in (
        422,
        404,
    )


def test_a_deleted_deal_is_gone_until_it_is_brought_back(house, deal, signed_in):
    client = signed_in(house.ana)
    client.post(url(house, deal, "delete/"))
    assert client.get(url(house, deal)).status_code == 404
    with use(house.organization.id):
        before = OpportunityVersion.objects.filter(opportunity=deal).earliest("valid_from")
    client.post(url(house, deal, f"undo/{before.id}/"))
    assert client.get(url(house, deal)).status_code == 200


def test_an_activity_that_lies_ahead_is_refused_with_what_was_typed(house, deal, signed_in):
    sent = {"kind": "call", "subject": "Terms call", "day": "+2w"}
    response = signed_in(house.ana).post(url(house, deal, "activities/"), sent)
    assert response.status_code == 422
    assert "Terms call" in response.content.decode()
    with use(house.organization.id):
        assert not Activity.objects.exists()


def test_a_logged_activity_is_taken_back(house, deal, signed_in):
    client = signed_in(house.ana)
    client.post(url(house, deal, "activities/"), {"kind": "note", "subject": "Asked for the board date"})
    with use(house.organization.id):
        logged = Activity.objects.get()
    client.post(url(house, deal, f"activities/{logged.id}/forget/"))
    with use(house.organization.id):
        assert not Activity.objects.exists()


@pytest.mark.parametrize("path", ["reopen/", "delete/", "milestones/", "activities/", "move/"])
def test_what_is_posted_is_never_got_and_never_a_stranger_s(house, deal, elsewhere, signed_in, path):
    assert signed_in(house.ana).get(url(house, deal, path)).status_code == 405
    assert signed_in(elsewhere.zoe).post(url(house, deal, path)).status_code == 404


def test_a_colleague_s_deal_is_not_found(house, make_deal, elsewhere, signed_in):
    with use(house.organization.id, channel="ui"):
        theirs = make_deal("Jon's", owner=house.jon)
    assert signed_in(house.ana).get(url(house, theirs)).status_code == 404
    assert signed_in(elsewhere.zoe).get(url(house, theirs)).status_code == 404
    assert signed_in(house.max).get(url(house, theirs)).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_history(house, deal, signed_in):
    client = signed_in(house.ana)
    with CaptureQueriesContext(connection) as few:
        client.get(url(house, deal))
    for number in range(10):
        edit(house, deal, next_step=f"Step {number}")
        client.post(url(house, deal, "activities/"), {"kind": "call"})
    with use(house.organization.id):
        contact_create(stored(house, deal).account_id, name="Helena Strand")
    with CaptureQueriesContext(connection) as more:
        client.get(url(house, deal))
    assert len(few) == len(more)


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The changes between two plain states, in words."""
    blank = Opportunity(currency="EUR")
    states = [Opportunity(currency="EUR", **fields) if fields else blank for fields in (before, after)]
    return [change.sentence.strip() for change in changes(states[0], states[1], today=date(2026, 11, 19))]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            {"close_date": date(2026, 12, 4)},
            {"close_date": date(2026, 12, 18)},
            "Close date 4\xa0Dec to 18\xa0Dec",
        ),
        ({}, {"close_date": date(2027, 1, 4)}, "Close date 4\xa0Jan\xa02027"),
        ({"close_date": date(2026, 12, 4)}, {}, "Close date removed"),
        ({"amount_minor": 420_000_00}, {"amount_minor": 386_000_00}, "Amount 420,000 to 386,000"),
        ({"category": "commit"}, {"category": "best_case"}, "Category Commit to Best case"),
        ({}, {"next_step": "Call"}, "Next step “Call”"),
        ({"next_step": "Call"}, {}, "Next step removed"),
        ({}, {"attributes": {"sites": 9}}, "Fields: sites 9"),
    ],
)
def test_a_change_is_told_in_words(before, after, sentence):
    assert told(before, after) == [sentence]


def test_days_in_a_stage_add_up_over_visits():
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def version(day: int, stage: str, outcome: str | None = None) -> Any:
        return SimpleNamespace(
            valid_from=start + timedelta(days=day), stage_id=stage, outcome=outcome, deleted_at=None
        )

    visits = [version(0, "a"), version(4, "b"), version(10, "a"), version(12, "b"), version(20, "a", "won")]
    assert days_by_stage(visits[::-1], until=start + timedelta(days=90)) == {"a": 6, "b": 14}
