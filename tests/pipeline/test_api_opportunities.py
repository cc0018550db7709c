"""Opportunities over the API: what may be seen, as of when, and every way to write one."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.services import account_create
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_delete, opportunity_edit
from pipeline.process.models import CloseReason, Milestone, Stage
from tests.api_client import Caller
from tests.conftest import House
from tests.days import day_in_house

Make = Callable[..., Any]

pytestmark = pytest.mark.django_db


@pytest.fixture
def deals(house: House, make_deal: Make) -> dict[str, Opportunity]:
    """One deal each of ana, jon and nobody."""
    with use(house.organization.id, channel="ui"):
        return {
            "ana": make_deal(
                "Kestrel Rail", owner=house.ana, amount_minor=386_000_00, close_date=date(2026, 12, 18)
            ),
            "jon": make_deal(
                "Northwind", owner=house.jon, amount_minor=40_000_00, close_date=date(2027, 1, 9)
            ),
            "nobody": make_deal("Orphan"),
        }


def names(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {row["name"] for row in answer.json()["results"]}


def fields_refused(answer: Any, status: int) -> set[str]:
    assert answer.status_code == status, answer.content
    return set(answer.json()["error"]["fields"])


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("ana", {"Kestrel Rail"}),
        ("max", {"Kestrel Rail", "Northwind"}),
        ("eve", {"Kestrel Rail", "Northwind", "Orphan"}),
        ("ops", {"Kestrel Rail", "Northwind", "Orphan"}),
        ("bot", {"Kestrel Rail", "Northwind", "Orphan"}),
    ],
)
def test_each_role_lists_what_its_line_shows(
    house: House, deals: dict[str, Opportunity], who: str, seen: set[str]
) -> None:
    assert names(Caller(getattr(house, who)).get("opportunities")) == seen


def test_a_row_says_amount_currency_and_names(house: House, deals: dict[str, Opportunity]) -> None:
    row = Caller(house.ana).get("opportunities").json()["results"][0]
    assert (row["amount_minor"], row["currency"], row["close_date"]) == (386_000_00, "EUR", "2026-12-18")
    assert (row["owner_name"], row["stage_name"], row["outcome"]) == ("Ana Ruiz", "Qualify", None)
    assert Caller(house.ana).get(f"opportunities/{deals['ana'].id}").json() == row


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=kestrel", {"Kestrel Rail"}),
        ("period=2026-Q4", {"Kestrel Rail"}),
        ("period=2027-Q1", {"Northwind"}),
        ("close_date_from=2027-01-09&close_date_before=2027-01-10", {"Northwind"}),
        ("without=close_date", {"Orphan"}),
        ("without=amount", {"Orphan"}),
        ("scope=unassigned", {"Orphan"}),
        ("scope=everyone", {"Kestrel Rail", "Northwind", "Orphan"}),
        ("state=open", {"Kestrel Rail", "Northwind", "Orphan"}),
        ("state=won", set()),
        ("category=commit", set()),
    ],
)
def test_a_list_is_filtered(house: House, deals: dict[str, Opportunity], query: str, found: set[str]) -> None:
    assert names(Caller(house.eve).get(f"opportunities?{query}")) == found


def test_a_scope_is_a_person_with_everybody_below(house: House, deals: dict[str, Opportunity]) -> None:
    assert names(Caller(house.eve).get(f"opportunities?scope={house.max.id}")) == {
        "Kestrel Rail",
        "Northwind",
    }
    assert names(Caller(house.max).get(f"opportunities?scope={house.ana.id}")) == {"Kestrel Rail"}


def test_a_scope_that_one_may_not_see_is_not_found(
    house: House, elsewhere: House, deals: dict[str, Opportunity]
) -> None:
    caller = Caller(house.ana)
    strangers = [house.jon.id, house.max.id, elsewhere.zoe.id, uuid4(), "unassigned"]
    answers = [caller.get(f"opportunities?scope={stranger}") for stranger in strangers]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "query",
    [
        "state=sleeping",
        "category=hope",
        "stage_id=3",
        "period=soon",
        "close_date_from=2026-13-01",
        "as_of=yesterday",
        "as_of=2999-01-01",
        "as_of=0001-01-01T00:00:00%2B14:00",
        "limit=0",
        "limit=201",
        "sort=luck",
        "nonsense=1",
        "q=%00",
    ],
)
def test_what_can_not_be_meant_is_refused_by_name(house: House, query: str) -> None:
    answer = Caller(house.ana).get(f"opportunities?{query}")
    assert fields_refused(answer, 400) == {query.partition("=")[0]}


def test_foreign_invisible_deleted_and_missing_look_the_same(
    house: House, elsewhere: House, deals: dict[str, Opportunity], make_deal: Make
) -> None:
    with use(elsewhere.organization.id):
        foreign = make_deal("Prairie", owner=elsewhere.zoe)
    with use(house.organization.id):
        gone = make_deal("Gone", owner=house.ana)
        opportunity_delete(gone.id, now=timezone.now())
    caller = Caller(house.ana)
    ids = [foreign.id, deals["jon"].id, deals["nobody"].id, gone.id, uuid4(), "not-an-id"]
    answers = [caller.get(f"opportunities/{deal_id}") for deal_id in ids]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("get", "/versions"),
        ("get", "/milestones"),
        ("post", "/close"),
        ("post", "/reopen"),
        ("patch", ""),
        ("delete", ""),
    ],
)
def test_nothing_below_an_invisible_deal_is_found(
    house: House, deals: dict[str, Opportunity], method: str, below: str
) -> None:
    body = None if method in ("get", "delete") else {}
    answer = Caller(house.ana).call(method, f"opportunities/{deals['jon'].id}{below}", body)
    assert answer.status_code == 404


def test_a_write_is_booked_on_the_tokens_person_and_the_api(
    house: House, deals: dict[str, Opportunity]
) -> None:
    deal = deals["ana"]
    Caller(house.max).patch(f"opportunities/{deal.id}", {"close_date": "2027-01-15", "next_step": "Call"})
    with use(house.organization.id):
        latest = OpportunityVersion.objects.filter(opportunity=deal).order_by("-valid_from")[0]
    assert (latest.actor_id, latest.channel, latest.close_date) == (house.max.id, "api", date(2027, 1, 15))


def test_only_what_is_sent_changes(house: House, deals: dict[str, Opportunity]) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    before = caller.get(url).json()
    after = caller.patch(url, {"category": "commit", "attributes": {"region": "North", "n": 3}}).json()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"category", "category_set_by_person", "attributes"}


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": ""}, 400, "name"),
        ({"amount_minor": -1}, 400, "amount_minor"),
        ({"amount_minor": 2**63}, 400, "amount_minor"),
        ({"amount_minor": 12.5}, 400, "amount_minor"),
        ({"currency": "ZZZ"}, 400, "currency"),
        ({"currency": "SEK"}, 422, "currency"),
        ({"category": "closed"}, 400, "category"),
        ({"close_date": "soon"}, 400, "close_date"),
        ({"owner_id": str(uuid4())}, 422, "owner"),
        ({"outcome": "won"}, 400, "outcome"),
        ({"attributes": [1]}, 400, "attributes"),
        ({"attributes": {"a": "\x00"}}, 400, "attributes"),
        ({"next_step": "\ud800"}, 400, "next_step"),
    ],
)
def test_a_refused_edit_names_its_field_and_changes_nothing(
    house: House, deals: dict[str, Opportunity], change: dict[str, Any], status: int, field: str
) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    before = caller.get(url).json()
    answer = caller.patch(url, change | {"source": "Fair"} if status == 422 else change)
    assert fields_refused(answer, status) == {field}
    assert caller.get(url).json() == before


def test_nothing_of_another_organization_can_be_referred_to(
    house: House, elsewhere: House, deals: dict[str, Opportunity]
) -> None:
    with use(elsewhere.organization.id):
        account, stage = account_create(name="Prairie"), Stage.objects.all()[0]
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    for change in ({"account_id": account.id}, {"stage_id": stage.id}, {"owner_id": elsewhere.zoe.id}):
        field = next(iter(change)).removesuffix("_id")
        assert fields_refused(caller.patch(url, change), 422) == {field}


def test_a_stage_behind_a_required_milestone_is_refused_until_it_is_met(
    house: House, deals: dict[str, Opportunity]
) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    with use(house.organization.id):
        discover = Stage.objects.get(name="Discover")
        required = Milestone.objects.get(stage__name="Qualify", is_required=True)
    assert fields_refused(caller.patch(url, {"stage_id": str(discover.id)}), 422) == {
        "stage_id",
        "milestones",
    }
    met = caller.post(f"{url}/milestones/{required.id}", {"state": "met", "note": "On the phone"})
    assert (met.status_code, met.json()["state"], met.json()["note"]) == (200, "met", "On the phone")
    assert caller.patch(url, {"stage_id": str(discover.id)}).json()["stage_name"] == "Discover"


def reason_id(house: House, name: str = "Price") -> str:
    with use(house.organization.id):
        return str(CloseReason.objects.get(name=name).id)


def test_closing_asks_for_outcome_and_reason_and_reopening_takes_it_back(
    house: House, deals: dict[str, Opportunity]
) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    assert fields_refused(caller.post(f"{url}/close", {}), 400) == {"outcome", "reason_id"}
    closing = {"outcome": "lost", "reason_id": reason_id(house)}
    too_early = caller.post(f"{url}/close", closing | {"close_date": "2026-01-02"})
    assert fields_refused(too_early, 422) == {"close_date"}
    closing["close_date"] = day_in_house().isoformat()
    closed = caller.post(f"{url}/close", closing).json()
    assert (closed["outcome"], closed["reason_name"], closed["close_date"]) == (
        "lost",
        "Price",
        closing["close_date"],
    )
    assert names(caller.get("opportunities?state=lost")) == {"Kestrel Rail"}
    assert fields_refused(caller.post(f"{url}/close", closing), 422) == {"outcome"}
    assert caller.post(f"{url}/reopen").json()["outcome"] is None
    assert fields_refused(caller.post(f"{url}/reopen"), 422) == {"outcome"}


def test_a_closing_in_the_future_is_refused(house: House, deals: dict[str, Opportunity]) -> None:
    closing = {"outcome": "lost", "reason_id": reason_id(house), "close_date": "2199-01-01"}
    answer = Caller(house.ana).post(f"opportunities/{deals['ana'].id}/close", closing)
    assert fields_refused(answer, 422) == {"close_date"}


def test_a_deleted_deal_leaves_lists_and_keeps_its_versions(
    house: House, deals: dict[str, Opportunity]
) -> None:
    caller, deal = Caller(house.ana), deals["ana"]
    assert caller.delete(f"opportunities/{deal.id}").status_code == 204
    assert names(caller.get("opportunities")) == set()
    assert caller.delete(f"opportunities/{deal.id}").status_code == 404
    with use(house.organization.id):
        assert OpportunityVersion.objects.filter(opportunity=deal).count() == 2


def test_a_day_shows_the_deals_of_that_day(house: House, deals: dict[str, Opportunity]) -> None:
    deal = deals["ana"]
    with use(house.organization.id):
        then = OpportunityVersion.objects.get(opportunity=deal).valid_from
        opportunity_edit(deal.id, changes={"amount_minor": 1, "name": "Kestrel Rail AG"})
    caller, at = Caller(house.ana), then.isoformat().replace("+", "%2B")
    listed = caller.get(f"opportunities?as_of={at}").json()["results"]
    one = caller.get(f"opportunities/{deal.id}?as_of={at}").json()
    assert listed == [one] and (one["name"], one["amount_minor"]) == ("Kestrel Rail", 386_000_00)
    assert one["id"] == str(deal.id)
    before = (then - timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert caller.get(f"opportunities/{deal.id}?as_of={before}").status_code == 404
    assert names(caller.get(f"opportunities?as_of={before}")) == set()


def test_the_past_shows_only_deals_that_may_be_seen_today(
    house: House, deals: dict[str, Opportunity]
) -> None:
    deal = deals["ana"]
    with use(house.organization.id):
        then = OpportunityVersion.objects.get(opportunity=deals["nobody"]).valid_from
        opportunity_edit(deal.id, changes={"owner_id": house.jon.id})
        opportunity_edit(deals["jon"].id, changes={"owner_id": house.ana.id})
    at = then.isoformat().replace("+", "%2B")
    # Northwind was jon's then and is ana's today; Kestrel Rail the other way round.
    assert names(Caller(house.ana).get(f"opportunities?as_of={at}")) == {"Northwind"}
    assert Caller(house.ana).get(f"opportunities/{deal.id}?as_of={at}").status_code == 404


def test_pages_of_the_past_hold_every_deal_once(house: House, make_deal: Make) -> None:
    with use(house.organization.id):
        made = {str(make_deal(f"Deal {number}", owner=house.ana).id) for number in range(5)}
    at = datetime.now(UTC).isoformat().replace("+", "%2B")
    for sort in ("id", "-created_at", "close_date"):
        caller, seen = Caller(house.ana), []
        url = f"opportunities?as_of={at}&limit=2&sort={sort}"
        while url:
            page = caller.get(url).json()
            seen += [row["id"] for row in page["results"]]
            url = page["next"]
        assert len(seen) == 5 and set(seen) == made


def test_versions_form_a_chain_newest_first(house: House, deals: dict[str, Opportunity]) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    for day in ("2027-01-15", "2027-02-15"):
        caller.patch(url, {"close_date": day})
    rows = caller.get(f"{url}/versions").json()["results"]
    assert [row["close_date"] for row in rows] == ["2027-02-15", "2027-01-15", "2026-12-18"]
    assert rows[0]["valid_to"] is None
    assert [row["valid_to"] for row in rows[1:]] == [row["valid_from"] for row in rows[:-1]]
    assert (rows[0]["actor_name"], rows[0]["channel"], rows[0]["provenance"]) == ("Ana Ruiz", "api", "live")
    second = caller.get(caller.get(f"{url}/versions?limit=2").json()["next"]).json()
    assert second["results"] == rows[2:]
    at = rows[1]["valid_from"]
    assert len(caller.get(f"{url}/versions?known_at={at}").json()["results"]) == 2


def test_an_open_organization_shows_a_rep_everything(house: House, deals: dict[str, Opportunity]) -> None:
    with use(house.organization.id):
        house.organization.visibility = "open"
        house.organization.save()
    assert len(names(Caller(house.ana).get("opportunities"))) == 3


def test_a_deal_handed_away_is_answered_once_more(house: House, deals: dict[str, Opportunity]) -> None:
    caller, url = Caller(house.ana), f"opportunities/{deals['ana'].id}"
    person: Person = house.jon
    assert caller.patch(url, {"owner_id": str(person.id)}).json()["owner_name"] == "Jonas Feld"
    assert caller.get(url).status_code == 404


def test_the_list_writes_what_the_renderer_writes_of_one_deal(house: House, make_deal: Make) -> None:
    with use(house.organization.id, channel="ui"):
        deal = make_deal(
            "Kestrel “Rail” \\ \t ü", owner=house.ana, amount_minor=386_000_00, attributes={"Ü": '"x\\'}
        )
        make_deal("Whole second", owner=house.ana, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
        make_deal("Closed", owner=house.ana)
        Opportunity.objects.filter(name="Closed").update(
            outcome="lost", category="omitted", closed_at=datetime(2026, 3, 1, 12, 0, 0, 120_000, tzinfo=UTC)
        )
    caller = Caller(house.ana)
    listed = {row["id"]: row for row in caller.get("opportunities").json()["results"]}
    assert str(deal.id) in listed and len(listed) == 3
    for deal_id, row in listed.items():
        assert json.dumps(caller.get(f"opportunities/{deal_id}").json()) == json.dumps(row)


def test_a_write_over_another_version_than_was_read_is_refused(
    house: House, deals: dict[str, Opportunity]
) -> None:
    ana, max_ = Caller(house.ana), Caller(house.max)
    path = f"opportunities/{deals['ana'].id}"
    read = ana.get(path).headers["ETag"]
    assert ana.get(path).headers["ETag"] == read and read.startswith('"')

    theirs = max_.patch(path, {"next_step": "Call"})
    assert theirs.headers["ETag"] == max_.get(path).headers["ETag"] != read
    ana.client.defaults["HTTP_IF_MATCH"] = read
    later = [
        ana.patch(path, {"next_step": "Mail"}),
        ana.delete(path),
        ana.post(f"{path}/reopen"),
        ana.post(f"{path}/next-step", {"next_step": "Mail", "next_step_on": "2027-01-04"}),
    ]
    for answer in later:
        assert (answer.status_code, answer.json()["error"]["code"]) == (412, "precondition_failed")
        assert set(answer.json()["error"]) == {"code", "message", "fields"}
        assert answer.headers["ETag"] == theirs.headers["ETag"]
    with use(house.organization.id):
        assert Opportunity.objects.get(id=deals["ana"].id).next_step == "Call"

    for number, match in enumerate(("{}", "*", '"other", {}')):
        ana.client.defaults["HTTP_IF_MATCH"] = match.format(theirs.headers["ETag"])
        theirs = ana.patch(path, {"next_step": f"Mail {number}"})
        assert theirs.status_code == 200, theirs.content
    ana.client.defaults["HTTP_IF_MATCH"] = f"W/{theirs.headers['ETag']}"
    assert ana.patch(path, {"next_step": "Never"}).status_code == 412


def test_a_precondition_changes_neither_reading_nor_what_is_seen(
    house: House, deals: dict[str, Opportunity]
) -> None:
    ana = Caller(house.ana)
    path = f"opportunities/{deals['ana'].id}"
    ana.client.defaults["HTTP_IF_MATCH"] = '"nothing"'
    assert ana.get(path).status_code == 200
    assert ana.patch(f"opportunities/{deals['jon'].id}", {"next_step": "x"}).status_code == 404
