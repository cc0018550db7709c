"""A block of cells: read strictly, written whole or not at all, never over somebody else's change unseen."""

import json
import re
import threading
from datetime import date
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.fields.rules import Option
from otc.fields.services import field_create
from otc.tenancy.context import use
from pipeline.grid.rules import MOST_ROWS, BadBlock, NotChosen, chosen, read_block
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason, Stage

CHOICES = [("a", "Commit"), ("b", "Omitted"), ("c", "Jonas"), ("d", "jonas")]
ONE = str(uuid4())


# Rules


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"deals": [ONE], "fields": ["amount"]},
        {"deals": [], "fields": ["amount"], "values": []},
        {"deals": [ONE], "fields": [], "values": [[]]},
        {"deals": ["x"], "fields": ["amount"], "values": [["1"]]},
        {"deals": [ONE, ONE], "fields": ["amount"], "values": [["1"], ["2"]]},
        {"deals": [ONE], "fields": ["amount", "amount"], "values": [["1", "2"]]},
        {"deals": [ONE], "fields": ["amount"], "values": [["1", "2"]]},
        {"deals": [ONE], "fields": ["amount"], "values": [["1"], ["2"]]},
        {"deals": [ONE], "fields": ["amount"], "values": [[1]]},
        {"deals": [ONE], "fields": ["amount"], "values": [["1"]], "was": [["1"], ["2"]]},
        {"deals": [ONE], "fields": ["next"], "values": [["x" * 1001]]},
        {"deals": [str(uuid4()) for _ in range(MOST_ROWS + 1)], "fields": ["next"], "values": [["x"]]},
    ],
)
def test_what_is_no_block_is_refused(body):
    with pytest.raises(BadBlock):
        read_block(body)


def test_one_row_is_meant_for_every_deal_and_null_leaves_a_cell_alone():
    block = read_block({"deals": [ONE, str(uuid4())], "fields": ["amount", "next"], "values": [["1", None]]})
    assert [[cell.text for cell in block.cells_of(row)] for row in range(2)] == [["1"], ["1"]]
    assert block.count == 2


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=8))
def test_nothing_that_is_sent_fails_otherwise_than_as_a_bad_block(value):
    for body in (value, {"deals": [ONE], "fields": value, "values": value}, {"deals": value}):
        with pytest.raises(BadBlock):
            read_block(body)


def test_a_choice_is_meant_by_key_or_label():
    def pick(typed):
        return chosen(typed, present="gone", choices=CHOICES, what="Category")

    assert [pick(text) for text in ("a", " COMMIT ", "omitted", "gone")] == ["a", "a", "b", "gone"]
    for text, said in {
        "Nothing": "choose one of: Commit",
        "Jonas": "Two are called",
        "": "can’t be cleared",
    }.items():
        with pytest.raises(NotChosen, match=said):
            pick(text)


# The address

pytestmark = pytest.mark.django_db


@pytest.fixture
def deals(house, make_deal):
    with use(house.organization.id):
        return [
            make_deal(
                f"Deal {n}", owner=house.ana, amount_minor=(n + 1) * 100_00, close_date=date(2027, 1, 10)
            )
            for n in range(3)
        ]


def now_of(house, deals) -> list[Opportunity]:
    with use(house.organization.id):
        found = Opportunity.objects.in_bulk([deal.id for deal in deals])
        return [found[deal.id] for deal in deals]


def post(client, house, deals, fields, values, **more) -> Any:
    body = {"deals": [str(deal.id) for deal in deals], "fields": fields, "values": values, **more}
    return client.post(house.url("deals/block/"), json.dumps(body), content_type="application/json")


def test_a_block_is_written_with_one_undo(house, deals, signed_in):
    client = signed_in(house.ana)
    answer = post(
        client,
        house,
        deals,
        ["amount", "close", "category", "next"],
        [["1k", "+2w", "Commit", "Call"], ["2k", "", "commit", "Call"], [None, "eom", None, None]],
    )
    said = answer.json()
    assert answer.status_code == 200 and said["said"] == "9 cells of 3 deals changed"
    assert [deal.amount_minor for deal in now_of(house, deals)] == [1_000_00, 2_000_00, 300_00]
    assert [deal.close_date for deal in now_of(house, deals)][:2] == [date(2027, 1, 24), None]
    assert f'id="deal-{deals[0].id}"' in said["rows"][str(deals[0].id)]
    client.post(said["undo"])
    assert [deal.amount_minor for deal in now_of(house, deals)] == [100_00, 200_00, 300_00]
    assert {deal.category for deal in now_of(house, deals)} == {"pipeline"}


def closes(house, deals) -> list[str]:
    return [str(deal.close_date) for deal in now_of(house, deals)]


def test_a_columns_days_are_read_as_one_of_them_says(house, deals, signed_in):
    client = signed_in(house.ana)
    answer = post(client, house, deals, ["close"], [["05/12/2027"], ["12/18/2026"], ["6/1/27 0:00"]])
    assert answer.status_code == 200, answer.json()
    assert closes(house, deals) == ["2027-05-12", "2026-12-18", "2027-06-01"]
    answer = post(client, house, deals, ["close"], [["05/12/2027"], ["18/12/2026"], ["01.06.2027"]])
    assert answer.status_code == 200, answer.json()
    assert closes(house, deals) == ["2027-12-05", "2026-12-18", "2027-06-01"]


def test_days_that_nothing_orders_are_asked_for_never_guessed(house, deals, signed_in):
    client = signed_in(house.ana)
    before = closes(house, deals)
    answer = post(client, house, deals, ["close"], [["05/12/2027"], ["03/04/2027"], ["07/07/2027"]])
    said = answer.json()
    assert answer.status_code == 422 and closes(house, deals) == before
    assert [one["row"] for one in said["refused"]] == [1, 2]
    assert "5 Dec or 12 May 2027" in said["html"] and "The month comes first" in said["html"]
    blocks = [unescape(found) for found in re.findall(r'name="block" value="([^"]*)"', said["html"])]
    months = next(block for block in blocks if json.loads(block)["days"] == "mdy")
    again = client.post(house.url("deals/block/"), {"block": months, "next": house.url("deals/")})
    assert again.status_code == 302
    assert closes(house, deals) == ["2027-05-12", "2027-03-04", "2027-07-07"]


def test_several_cells_of_a_deal_are_one_version(house, deals, signed_in):
    post(signed_in(house.ana), house, deals[:1], ["amount", "next"], [["1k", "Call"]])
    with use(house.organization.id):
        assert OpportunityVersion.objects.filter(opportunity_id=deals[0].id).count() == 2


def test_each_bad_cell_is_named_and_nothing_is_written_until_the_rest_is_asked_for(house, deals, signed_in):
    client = signed_in(house.ana)
    values = [["1k", "someday", "x"], ["lots", "", "y"], ["3k", "eom", "z"]]
    answer = post(client, house, deals, ["amount", "close", "health"], values)
    said = answer.json()
    assert answer.status_code == 422 and said["others"] == 4
    assert [(one["row"], one["column"], one["field"]) for one in said["refused"]] == [
        (1, 2, "close"),
        (1, 3, "health"),
        (2, 1, "amount"),
        (2, 3, "health"),
        (3, 3, "health"),
    ]
    assert "Row 1, Close date" in said["html"] and "someday" in said["html"]
    assert [deal.amount_minor for deal in now_of(house, deals)] == [100_00, 200_00, 300_00]
    rest = post(client, house, deals, ["amount", "close", "health"], values, rest=True)
    assert rest.status_code == 200 and rest.json()["said"] == "4 cells of 3 deals changed"
    assert [deal.amount_minor for deal in now_of(house, deals)] == [1_000_00, 200_00, 3_000_00]


def test_a_rule_of_the_service_is_told_at_its_cell_and_the_others_of_the_row_go_on(house, deals, signed_in):
    """The second stage asks for milestones; a closed deal keeps its category."""
    with use(house.organization.id):
        second = Stage.objects.order_by("position")[1]
        reason = CloseReason.objects.first()
        now = timezone.now()
        opportunity_close(deals[1].id, outcome="lost", reason_id=reason.id, now=now, today=now.date())
    client = signed_in(house.ana)
    fields, values = ["stage", "category", "amount"], [[second.name, None, "7k"], [None, "commit", "8k"]]
    answer = post(client, house, deals[:2], fields, values)
    found = {(one["row"], one["field"]): one["reason"] for one in answer.json()["refused"]}
    assert "meet or waive" in found[1, "stage"] and "closed" in found[2, "category"]
    post(client, house, deals[:2], fields, values, rest=True)
    assert [deal.amount_minor for deal in now_of(house, deals)] == [7_000_00, 8_000_00, 300_00]


def test_a_custom_choice_is_pasted_by_its_label(house, deals, signed_in):
    with use(house.organization.id):
        field_create(
            object="deal",
            label="Region",
            kind="choice",
            options=[Option("emea", "EMEA"), Option("us", "Americas")],
        )
    answer = post(signed_in(house.ana), house, deals, ["field-region"], [["Americas"], ["emea"], [""]])
    assert answer.status_code == 200
    found = [list(deal.attributes.values()) for deal in now_of(house, deals)]
    assert found == [["us"], ["emea"], []]


def test_a_cell_that_somebody_changed_is_not_overwritten_unseen(house, deals, signed_in):
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[0].id, changes={"amount_minor": 555_00})
    client = signed_in(house.ana)
    was = [["100", ""], ["200", ""]]
    answer = post(client, house, deals[:2], ["amount", "next"], [["1k", "Call"], ["2k", "Call"]], was=was)
    said = answer.json()
    assert answer.status_code == 409
    assert [(one["row"], one["field"], one["theirs"], one["by"]) for one in said["changed"]] == [
        (1, "amount", "555", "Max Brandt")
    ]
    assert [deal.next_step for deal in now_of(house, deals)] == ["", "", ""]
    kept = post(
        client, house, deals[:2], ["amount", "next"], [["1k", "Call"], ["2k", "Call"]], was=was, rest=True
    )
    assert kept.status_code == 200
    assert [deal.amount_minor for deal in now_of(house, deals)] == [555_00, 2_000_00, 300_00]
    assert [deal.next_step for deal in now_of(house, deals)] == ["Call", "Call", ""]


def test_the_form_of_a_refusal_writes_over_what_was_seen(house, deals, signed_in):
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[0].id, changes={"amount_minor": 555_00})
    client = signed_in(house.ana)
    block = {"deals": [str(deals[0].id)], "fields": ["amount"], "values": [["1k"]], "was": [["100"]]}
    posted = {"block": json.dumps(block), "next": house.url("deals/")}
    page = client.post(house.url("deals/block/"), posted)
    assert page.status_code == 409 and "Max Brandt made it" in page.content.decode()
    client.post(house.url("deals/block/"), posted | {"block": page.context["over"]})
    assert now_of(house, deals)[0].amount_minor == 1_000_00


def test_an_edit_in_place_of_what_changed_since_asks_first(house, deals, signed_in):
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[0].id, changes={"amount_minor": 555_00})
    client = signed_in(house.ana)
    url = house.url(f"deals/{deals[0].id}/edit/amount/")
    htmx = {"HX-Request": "true"}
    opened = client.get(f"{url}?was=100", headers=htmx).content.decode()
    assert "Max Brandt made it" in opened and "Keep mine" not in opened
    answer = client.post(url, {"value": "1k", "was": "100"}, headers=htmx)
    assert answer.status_code == 409 and "Keep mine" in answer.content.decode()
    assert 'value="555"' in answer.content.decode() and now_of(house, deals)[0].amount_minor == 555_00
    assert client.post(url, {"value": "1k", "was": "555"}, headers=htmx).status_code == 200
    assert now_of(house, deals)[0].amount_minor == 1_000_00


@pytest.mark.parametrize("other", [{"next_step": "Else"}, {"amount_minor": 1_000_00}])
def test_another_field_or_the_same_value_is_no_conflict(house, deals, signed_in, other):
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[0].id, changes=other)
    answer = post(signed_in(house.ana), house, deals[:1], ["amount"], [["1k"]], was=[["100"]])
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_the_same_cell_at_once_one_is_asked(house, deals, signed_in):
    """Both have read 100 and write through connections of their own; the row's lock decides who was first."""
    clients = [signed_in(house.ana), signed_in(house.max)]
    codes: list[int] = []
    start = threading.Barrier(2)

    def write(client: Any, value: str) -> None:
        start.wait()
        codes.append(post(client, house, deals[:1], ["amount"], [[value]], was=[["100"]]).status_code)
        connection.close()

    threads = [threading.Thread(target=write, args=pair) for pair in zip(clients, ("1k", "2k"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409]


def test_undo_after_anothers_edit_says_so(house, deals, signed_in):
    client = signed_in(house.ana)
    undo = post(client, house, deals[:2], ["amount"], [["1k"], ["2k"]]).json()["undo"]
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[1].id, changes={"category": "best_case"})
    said = str(next(iter(client.post(undo, follow=True).context["messages"])))
    assert "1 of 2 deals are as before" in said and "Deal 1" in said
    assert [deal.amount_minor for deal in now_of(house, deals)] == [100_00, 2_000_00, 300_00]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {}},
        {"data": {"block": "{"}},
        {"data": "{", "content_type": "application/json"},
        {"data": "[1]", "content_type": "application/json"},
        {"data": b"\xff", "content_type": "application/json"},
        {"data": "x", "content_type": "text/plain"},
    ],
)
def test_what_is_no_json_is_refused_in_words(house, deals, signed_in, sent):
    answer = signed_in(house.ana).post(house.url("deals/block/"), **sent)
    assert answer.status_code == 422 and answer.json()["error"]


def test_a_deal_out_of_sight_is_a_bad_cell(house, deals, signed_in, make_deal):
    with use(house.organization.id):
        hers = make_deal("Not Ana’s", owner=house.jon)
    answer = post(signed_in(house.ana), house, [deals[0], hers], ["next"], [["x"]])
    assert answer.status_code == 422 and "isn’t there any more" in answer.json()["refused"][0]["reason"]
    assert "Not Ana" not in answer.content.decode()


def test_who_edits_nothing_writes_no_block(house, deals, signed_in):
    assert post(signed_in(house.ria), house, deals, ["next"], [["x"]]).status_code == 403
    assert signed_in(house.ria).get(house.url("deals/")).content.decode().count("data-grid") == 0


def test_markup_in_a_refused_cell_stays_text(house, deals, signed_in):
    answer = post(signed_in(house.ana), house, deals[:1], ["close"], [["<script>alert(1)</script>"]])
    assert "<script>" not in answer.json()["html"]
