"""Today's page, its answers and its endpoint: for whom they work, what they write, and how they are taken back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from otc.delegation.models import Delegation
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.activities.models import Activity
from pipeline.health.services import health_refresh
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Competitor, Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from pipeline.process.models import CloseReason
from pipeline.today.models import DealAnswer
from tests.api_client import READ, Caller

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 12


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


def deal_of(house, person, name="Kestrel Rail", **fields):
    fields = {
        "amount_minor": 386_000_00,
        "close_date": today() + 20 * DAY,
        "next_step": "Send site list",
        "next_step_on": today() - DAY,
        **fields,
    }
    with use(house.organization.id):
        return opportunity_create(
            name=name, owner_id=person.id if person else None, now=datetime.now(UTC), **fields
        ).opportunity


@pytest.fixture
def deal(house):
    return deal_of(house, house.ana)


def answer(house, client, deal, *, headers=None, **posted):
    return client.post(house.url(f"today/{deal.id}/answer/"), posted, headers=headers)


def fresh(house, deal):
    with use(house.organization.id):
        return Opportunity.objects.get(id=deal.id)


def answers(house):
    with use(house.organization.id):
        return list(DealAnswer.objects.order_by("at"))


def test_a_rep_begins_with_today_and_everybody_else_with_the_deals(house, signed_in):
    for name, page in (("ana", "today"), ("max", "deals"), ("ops", "deals")):
        for path in ("/", house.url("")):
            assert signed_in(house.people[name]).get(path)["Location"] == house.url(f"{page}/")


def test_the_page_says_the_answer_first(house, deal, signed_in):
    deal_of(house, house.ana, "Ostrava", amount_minor=92_000_00, close_date=today() - 2 * DAY)
    said = signed_in(house.ana).get(house.url("today/")).content.decode()
    assert "2 deals need a decision from you, " in said
    assert "478\N{NO-BREAK SPACE}k" in said
    assert "1 close date passed, 2 next steps due." in said
    assert "“Send site list” was due yesterday. Done?" in said


def test_an_empty_today_says_what_would_come(house, signed_in):
    said = signed_in(house.ana).get(house.url("today/")).content.decode()
    assert "Nothing needs a decision from you" in said
    assert "A deal comes here when its close date has passed" in said


@pytest.mark.parametrize(
    ("posted", "said", "changed"),
    [
        ({"kind": "on_track"}, "On track for", {}),
        ({"kind": "push:+1w"}, "Closes", {"close_date": 27}),
        ({"kind": "push:+2w"}, "Closes", {"close_date": 34}),
        ({"kind": "push", "day": "+3w"}, "Closes", {"close_date": 41}),
        ({"kind": "amount", "amount": "250k"}, "Amount 250,000 EUR", {"amount_minor": 250_000_00}),
        ({"kind": "amount", "amount": "386,000"}, "Amount 386,000 EUR", {}),
        (
            {"kind": "next_step", "text": " Send  the offer ", "day": "+1w"},
            "Next step: Send the offer",
            {"next_step": "Send the offer", "next_step_on": 7},
        ),
        ({"kind": "call"}, "Call logged", {}),
        ({"kind": "mail", "text": "Prices"}, "Mail logged", {}),
        ({"kind": "snooze:tomorrow"}, "Snoozed until", {}),
        ({"kind": "snooze", "day": "+3w"}, "Snoozed until", {}),
    ],
)
def test_every_answer_does_what_it_says_and_is_undone(house, deal, signed_in, posted, said, changed):
    client, before = signed_in(house.ana), fresh(house, deal)
    answered = answer(house, client, deal, **posted)
    assert (answered.status_code, answered["Location"]) == (302, house.url("today/"))
    after = fresh(house, deal)
    for column, value in changed.items():
        is_day = isinstance(value, int) and column.endswith(("date", "on"))
        assert getattr(after, column) == (today() + value * DAY if is_day else value)
    given = answers(house)[0]
    assert given.said.startswith(said)
    assert given.reasons == ["next_step_due"]
    page = client.get(house.url("today/")).content.decode()
    assert 'Kestrel Rail</a> <span class="soft">' + said in page
    assert "All done for today" in page
    client.post(house.url(f"undo/{given.step}/"))
    assert answers(house) == []
    assert "1 deal needs a decision" in client.get(house.url("today/")).content.decode()
    back = fresh(house, deal)
    with use(house.organization.id):
        assert not Activity.objects.exists()
    for column in ("close_date", "amount_minor", "next_step", "next_step_on", "outcome"):
        assert getattr(back, column) == getattr(before, column)


def reason(house, name="Price"):
    with use(house.organization.id):
        return CloseReason.objects.get(name=name).id


def test_a_deal_is_lost_with_its_reason_and_competitor_and_comes_back_by_undo(house, deal, signed_in):
    with use(house.organization.id):
        rival = Competitor(name="Rival", name_folded="rival")
        rival.save()
    ending = f"lost:{reason(house)}"
    client = signed_in(house.ana)
    answer(house, client, deal, kind="lose", ending=ending, competitor=str(rival.id))
    lost = fresh(house, deal)
    assert (lost.outcome, lost.reason_id, lost.competitor_id) == ("lost", reason(house), rival.id)
    client.post(house.url(f"undo/{answers(house)[0].step}/"))
    back = fresh(house, deal)
    assert (back.outcome, back.competitor_id, back.close_date) == (None, None, today() + 20 * DAY)


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({}, "Choose one of the answers"),
        ({"kind": "win"}, "Choose one of the answers"),
        ({"kind": "push"}, "Say the new close date"),
        ({"kind": "push", "day": "someday"}, "“someday” is not a date"),
        ({"kind": "push", "day": "2020-01-01"}, "An open deal closes today or later"),
        ({"kind": "amount", "amount": "lots"}, "lots"),
        ({"kind": "amount"}, "Say what it is worth"),
        ({"kind": "next_step", "day": "+1w"}, "Say what comes next"),
        ({"kind": "next_step", "text": "Call"}, "a next step has a day"),
        ({"kind": "snooze", "day": "yesterday"}, "Snooze to a day that lies ahead"),
        ({"kind": "lose"}, "Say the primary reason"),
        ({"kind": "lose", "ending": "lost:nonsense"}, "There is no such reason"),
        ({"kind": "lose", "ending": "won:00000000-0000-0000-0000-000000000001"}, "win it on its own page"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_remedy_and_writes_nothing(
    house, deal, signed_in, posted, told
):
    client = signed_in(house.ana)
    for headers in ({}, HTMX):
        answered = answer(house, client, deal, headers=headers, **posted)
        assert answered.status_code == 422
        assert told in answered.content.decode()
    assert answers(house) == []
    with use(house.organization.id):
        assert OpportunityVersion.objects.count() == 1


def test_a_deal_whose_close_date_passed_is_not_on_track(house, signed_in):
    deal = deal_of(house, house.ana, close_date=today() - DAY)
    page = signed_in(house.ana).get(house.url("today/")).content.decode()
    assert 'value="on_track"' not in page
    answered = answer(house, signed_in(house.ana), deal, kind="on_track")
    assert answered.status_code == 422
    assert "push it to a new day" in answered.content.decode()


def test_htmx_gets_the_main_part_with_the_next_deal_in_focus_and_a_toast(house, deal, signed_in):
    smaller = [deal_of(house, house.ana, f"Deal {n}", amount_minor=(9 - n) * 1_000_00) for n in range(2)]
    answered = answer(
        house, signed_in(house.ana), smaller[0], headers=HTMX, kind="on_track", then=str(smaller[1].id)
    )
    assert answered["HX-Reselect"] == "#main"
    assert answered.context["focus"].row.deal.name == "Deal 1"
    assert "Deal 0: On track" in answered.content.decode()


def test_an_answer_is_undone_only_while_nobody_else_has_changed_the_deal(house, deal, signed_in):
    client = signed_in(house.ana)
    answer(house, client, deal, kind="push:+1w")
    with use(house.organization.id, person_id=house.max.id, channel="ui"):
        opportunity_edit(deal.id, changes={"amount_minor": 1_00})
    step = answers(house)[0].step
    told = client.post(house.url(f"undo/{step}/"), {"next": house.url("today/")}, follow=True)
    assert "Somebody changed this deal since" in told.content.decode()
    assert len(answers(house)) == 1
    assert fresh(house, deal).close_date == today() + 27 * DAY
    assert signed_in(house.max).post(house.url(f"undo/{step}/")).status_code == 404


def test_a_manager_reads_and_answers_a_reps_today_in_their_own_name(house, deal, signed_in):
    client, url = signed_in(house.max), house.url(f"today/?scope={house.ana.id}")
    page = client.get(url).content.decode()
    assert "You look at <b>Ana Ruiz</b>" in page and "Kestrel Rail" in page
    answered = answer(house, client, deal, kind="push:+1w", scope=str(house.ana.id))
    assert answered["Location"] == url
    given = answers(house)[0]
    assert given.person_id == house.max.id
    with use(house.organization.id):
        version = OpportunityVersion.objects.order_by("-valid_from")[0]
    assert version.actor_id == house.max.id
    # Ana sees that it was done, by whom, and can't take it back.
    hers = signed_in(house.ana).get(house.url("today/")).content.decode()
    assert "Nothing needs a decision from you" in hers


def test_who_may_not_edit_sees_no_answers_and_gives_none(house, deal, signed_in):
    client = signed_in(house.ria)
    page = client.get(house.url(f"today/?scope={house.ana.id}"))
    assert "Kestrel Rail" in page.content.decode()
    assert "today-answers" not in page.content.decode()
    assert answer(house, client, deal, kind="on_track").status_code == 403
    assert answers(house) == []


def test_deals_out_of_sight_are_not_found(house, elsewhere, deal, signed_in):
    theirs = deal_of(house, house.jon, "Out of sight")
    assert answer(house, signed_in(house.ana), theirs, kind="on_track").status_code == 404
    assert signed_in(house.ana).get(house.url(f"today/?scope={house.jon.id}")).status_code == 404
    zoe = signed_in(elsewhere.zoe)
    assert zoe.get(house.url("today/")).status_code == 404
    assert answer(elsewhere, zoe, deal, kind="on_track").status_code == 404
    assert signed_in(house.ana).get(house.url("today/?scope=everyone")).status_code == 400


def test_names_of_every_kind_are_shown_as_typed(house, signed_in):
    for name in ("<script>alert(1)</script>", "\u202eمرحبا", "🏭" * 40):
        deal_of(house, house.ana, name, next_step="<b>bold</b>")
    page = signed_in(house.ana).get(house.url("today/")).content.decode()
    assert "<script>alert" not in page and "<b>bold</b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["ana", "max"])
def test_the_page_asks_eleven_queries_at_most_whatever_it_shows(house, signed_in, who):
    """The session's BEGIN and COMMIT not counted. Who leads others also reads their names."""
    client, counts = signed_in(house.people[who]), []
    for start in (0, 30):
        for number in range(start, start + (3 if not start else 30)):
            one = deal_of(house, house.ana, f"Deal {number}")
            if number % 3 == 0:
                answer(house, client, one, kind="call")
        client.get(house.url("today/"))
        with CaptureQueriesContext(connection) as captured:
            page = client.get(house.url("today/"))
        counts.append(len([one for one in captured if not one["sql"].startswith(("BEGIN", "COMMIT"))]))
    assert page.context["report"].queue.count == 22
    assert counts[0] == counts[1] <= MOST_QUERIES, counts


# Over the API.


def test_the_api_lists_what_the_page_lists(house, deal, signed_in):
    deal_of(house, house.ana, "Ostrava", amount_minor=92_000_00, close_date=today() - 2 * DAY)
    deal_of(house, house.ana, "Fine", next_step_on=today() + 3 * DAY)
    with use(house.organization.id):
        ids = list(Opportunity.objects.values_list("id", flat=True))
        health_refresh(ids, now=datetime.now(UTC))
    page = signed_in(house.ana).get(house.url("today/")).context["report"]
    told = Caller(house.ana).get("today").json()
    assert told["count"] == page.queue.count == len(told["results"]) > 1
    assert told["total_minor"] == page.queue.total_minor
    assert [one["opportunity_id"] for one in told["results"]] == [str(row.deal.id) for row in page.rows]
    assert [one["headline"] for one in told["results"]] == [row.headline for row in page.rows]
    assert [one["worth"] for one in told["results"]] == [row.worth for row in page.rows]
    assert told["close_dates_passed"] == 1


def test_the_api_answers_by_the_same_services(house, deal):
    caller = Caller(house.ana)
    day = str(today() + 27 * DAY)
    given = caller.post(f"today/{deal.id}", {"kind": "push", "day": day})
    assert given.status_code == 201
    assert given.json()["reasons"] == ["next_step_due"]
    assert str(fresh(house, deal).close_date) == day
    assert caller.get("today").json()["count"] == 0
    lost = caller.post(f"today/{deal.id}", {"kind": "lose", "reason_id": str(reason(house))})
    assert lost.status_code == 201
    again = caller.post(f"today/{deal.id}", {"kind": "call"})
    assert (again.status_code, "closed" in again.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"kind": "win"}, 400),
        ({"kind": "push", "when": "fri"}, 400),
        ({"kind": "push"}, 422),
        ({"kind": "push", "day": "2020-01-01"}, 422),
        ({"kind": "snooze"}, 422),
        ({"kind": "lose"}, 422),
        ({"kind": "lose", "outcome": "won"}, 400),
        ({"kind": "next_step", "text": "Call"}, 422),
        ({"kind": "amount"}, 422),
    ],
)
def test_the_api_refuses_what_cannot_be_meant(house, deal, body, status):
    assert Caller(house.ana).post(f"today/{deal.id}", body).status_code == status
    assert answers(house) == []


def test_the_api_keeps_strangers_readers_and_everyone_out(house, elsewhere, deal):
    assert Caller(elsewhere.zoe).post(f"today/{deal.id}", {"kind": "call"}).status_code == 404
    assert Caller(house.ana, scopes=[READ]).post(f"today/{deal.id}", {"kind": "call"}).status_code == 403
    assert Caller(house.ria).post(f"today/{deal.id}", {"kind": "call"}).status_code == 403
    assert Caller(house.eve).get("today?scope=everyone").status_code == 400
    assert Caller(house.ana).get(f"today?scope={house.jon.id}").status_code == 404


def test_who_stands_in_for_a_manager_answers_for_them(house, deal, signed_in):
    with use(house.organization.id):
        Delegation(
            manager=house.max, delegate=house.jon, first_on=today() - DAY, last_on=today() + DAY
        ).save()
        Person.objects.filter(id=house.jon.id).update(user=None)
    caller = Caller(house.jon)
    assert caller.post(f"today/{deal.id}", {"kind": "push", "day": str(today() + DAY)}).status_code == 201
    with use(house.organization.id):
        version = OpportunityVersion.objects.order_by("-valid_from")[0]
    assert (version.actor_id, version.acted_for_id) == (house.jon.id, house.max.id)
