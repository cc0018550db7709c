"""Links on a deal: only what a browser opens safely, kept in the timeline, put back."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.undo.models import UndoStep
from pipeline.links.models import DealLink
from pipeline.links.rules import checked_name, checked_url
from pipeline.links.services import link_add, link_remove
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from tests.api_client import Caller
from tests.conftest import House

SignedIn = Callable[[Person], Client]
BAD = (
    "",
    "javascript:alert(1)",
    "JaVaScRiPt://example.org/%0aalert(1)",
    " java\tscript:alert(1)",
    "data:text/html,<script>",
    "http://example.org",
    "ftp://example.org",
    "//example.org",
    "example.org/offer",
    "https:example.org",
    "https://",
    "https:///path",
    "https://user:secret@example.org/",
    "https://bank.example@evil.example/",
    "https://example.org/a b",
    "https://example.org\\@evil.example",
    "https://example.org/\u202egpj",
    "https://[::1/",
    "https://example.org:port/",
    "https://example.org/" + "x" * 2000,
)


@pytest.mark.parametrize("typed", BAD)
def test_what_is_no_safe_address_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        checked_url(typed)
    assert refusal.value.field == "url"


@given(st.text(max_size=60) | st.builds("https://{}".format, st.text(max_size=40)))
def test_whatever_is_accepted_is_https_with_a_host_and_no_sign_in(typed: str) -> None:
    try:
        url = checked_url(typed)
    except Refused:
        return
    parts = urlsplit(url)
    assert url.startswith("https://") and parts.hostname and "@" not in parts.netloc
    assert checked_name("", url=url)


def test_a_link_without_a_name_is_called_by_its_host() -> None:
    assert checked_url("HTTPS://Docs.example.org/x") == "https://Docs.example.org/x"
    assert checked_name("  ", url="https://Docs.example.org/x") == "docs.example.org"


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        found: Opportunity = make_deal("Kestrel Rail", owner=house.ana)
    return found


def url(house: House, deal: Opportunity, rest: str = "") -> str:
    return house.url(f"deals/{deal.id}/{rest}")


def test_a_link_is_added_taken_off_and_put_back(house: House, deal: Any, signed_in: SignedIn) -> None:
    client = signed_in(house.ana)
    client.post(url(house, deal, "links/new/"), {"url": "https://docs.example.org/x", "name": "<b>Offer</b>"})
    page = client.get(url(house, deal)).content.decode()
    assert 'href="https://docs.example.org/x" rel="noopener noreferrer"' in page
    assert "&lt;b&gt;Offer&lt;/b&gt;" in page and "Link added:" in page
    with use(house.organization.id):
        link = DealLink.objects.get()
    client.post(url(house, deal, f"links/{link.id}/"))
    assert "https://docs.example.org/x" not in client.get(url(house, deal)).content.decode()
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at", "-id")[0]
    client.post(house.url(f"undo/{step.id}/"))
    assert "https://docs.example.org/x" in client.get(url(house, deal)).content.decode()


def test_a_refused_address_stays_in_the_form(house: House, deal: Any, signed_in: SignedIn) -> None:
    asked = {"url": "javascript:alert(1)", "name": "Offer"}
    answer = signed_in(house.ana).post(url(house, deal, "links/new/"), asked)
    text = answer.content.decode()
    assert answer.status_code == 422 and 'value="javascript:alert(1)"' in text and "begin with https" in text


def test_the_database_refuses_what_is_not_https(inside: House, deal: Any) -> None:
    with pytest.raises(IntegrityError, match="deal_link_is_https"), transaction.atomic():
        DealLink(opportunity_id=deal.id, name="x", url="javascript:alert(1)", added_at=timezone.now()).save()


def test_one_address_stands_once_and_other_deals_are_out_of_reach(
    inside: House, deal: Any, make_deal: Callable[..., Any]
) -> None:
    link = link_add(deal.id, name="", url="https://example.org/", now=timezone.now()).link
    with pytest.raises(Refused, match="already"):
        link_add(deal.id, name="", url="https://example.org/", now=timezone.now())
    other = make_deal("Other", owner=inside.ana)
    with pytest.raises(DealLink.DoesNotExist):
        link_remove(other.id, link.id, now=timezone.now())


def test_the_api_adds_lists_and_removes(house: House, deal: Any) -> None:
    caller, path = Caller(house.ana), f"opportunities/{deal.id}/links"
    made = caller.post(path, {"url": "https://example.org/a"})
    assert (made.status_code, made.json()["name"]) == (201, "example.org")
    assert [row["url"] for row in caller.get(path).json()["results"]] == ["https://example.org/a"]
    assert caller.post(path, {"url": "http://example.org/"}).status_code == 422
    assert caller.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert caller.get(path).json()["results"] == []
