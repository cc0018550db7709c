"""Does any page or endpoint ask more of the database when there is more to show? Three rows against thirty."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.identity.models import User
from otc.identity.sessions import stamps
from otc.tenancy.context import use
from pipeline.accounts.services import contact_create
from pipeline.activities.services import activity_log
from pipeline.comments.services import comment_add
from pipeline.lines.rules import Terms
from pipeline.lines.services import line_add
from pipeline.links.services import link_add
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.furnishing import furnish
from tests.guards.routes import endpoint_routes, page_routes, real_values
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 12
# Every page is asked plain, and as CSV or with its frame opened wide, where it has them.
AS_CSV, WIDE = "?format=csv", "?scope=everyone&period=2026"
Asker = Callable[[], Any]


def askers(house: House) -> tuple[dict[str, Asker], dict[str, int]]:
    """A way to ask each page and endpoint for the things of the house, by its address; and how many queries each took
    that had to be opened to see what it offers.
    """
    browser = Client(raise_request_exception=False)
    user = User.objects.get(id=house.ops.user_id)
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client = Client(headers=bearer(secret_of(house.ops)), raise_request_exception=False)
    pages = [route.url(real_values(route, house=house)) for route in page_routes()]
    endpoints = [route.url(real_values(route, house=house)) for route in endpoint_routes()]
    counts: dict[str, int] = {}
    asked = {}
    for turn, url in enumerate(pages):
        for offered in offered_variants(browser, url, turn, counts=counts):
            asked[offered] = asker(browser, offered)
    return asked | {url: asker(client, url) for url in endpoints}, counts


def offered_variants(browser: Client, url: str, turn: int, *, counts: dict[str, int]) -> list[str]:
    """The plain page, and what it answers differently; a page that knows no CSV and no frame is asked once.

    Of the pages that know both every other one is asked for its CSV, the others for the wide frame; all at night.
    """
    plain, taken = counted(asker(browser, url))
    if plain.status_code != 200:
        return []
    counts[url], found = taken, [url]
    shown = getattr(plain, "content", b"")
    knows_frame = "/settings/" not in url and b"scope=" in shown
    if b"format=csv" in shown and (IS_NIGHTLY or not knows_frame or turn % 2 == 0):
        file, taken = counted(asker(browser, url + AS_CSV))
        if file.headers["Content-Type"].startswith("text/csv"):
            counts[url + AS_CSV] = taken
            found.append(url + AS_CSV)
    if knows_frame and (IS_NIGHTLY or turn % 2):
        found.append(url + WIDE)
    return found


def asker(client: Client, url: str) -> Asker:
    return lambda: client.get(url)


def counted(ask: Asker) -> tuple[Any, int]:
    """An answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    return answer, len(captured)


def query_counts(asked: dict[str, Asker], *, is_warm: bool = False) -> dict[str, int]:
    """How many queries each answer took, of those that were answered with 200; the first time doesn't count."""
    counts = {}
    for url, ask in asked.items():
        if not is_warm:
            ask()
        answer, taken = counted(ask)
        if answer.status_code == 200:
            counts[url] = taken
    return counts


def grown(few: dict[str, int], many: dict[str, int]) -> dict[str, tuple[int, int]]:
    """The addresses whose count changed, with both counts."""
    return {url: (few[url], many[url]) for url in few if url in many and few[url] != many[url]}


def fill(house: House, *, start: int, count: int) -> None:
    """More of everything, and more below the one deal and account that detail addresses name."""
    furnish(house, owner=house.ana, start=start, count=count)
    now = timezone.now()
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        deal = Opportunity.objects.filter(outcome__isnull=True).order_by("id")[0]
        for number in range(start, start + count):
            line_add(deal.id, product_id=deal.product_id, terms=Terms(1000, number), now=now)
            comment_add(deal.id, text=f"Said {number}", audience=[house.ana], now=now)
            if number < 40:
                link_add(deal.id, name="", url=f"https://more.example.org/{number}", now=now)
            activity_log(deal.id, kind="call", at=now, now=now, subject=f"Call {number}")
            contact_create(deal.account_id, name=f"Contact {number} of one account")
            opportunity_edit(deal.id, changes={"amount_minor": 500_00 + number})


@pytest.fixture
def filled(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # Once a minute a session is stamped, on whichever page it falls.
    monkeypatch.setattr(stamps, "STEP", timedelta(days=1))
    fill(house, start=0, count=FEW)
    yield house


def test_no_address_asks_more_queries_of_a_dozen_rows_than_of_three(filled: House) -> None:
    asked, few = askers(filled)
    few |= query_counts({url: ask for url, ask in asked.items() if url not in few}, is_warm=True)
    with transaction.atomic():
        fill(filled, start=FEW, count=MANY - FEW)
        many = query_counts(asked, is_warm=True)
        assert len(few) > 20 and few.keys() == many.keys()
        # What grew is asked once more: a first time after filling may have read what is kept.
        differing = {url: asked[url] for url, (before, after) in grown(few, many).items() if after > before}
        assert grown(few, query_counts(differing)) == {}
        transaction.set_rollback(True)
    # What took less of more rows had its first time with the few, which may hide growth: it is asked of the few again.
    hidden = {url: asked[url] for url, (before, after) in grown(few, many).items() if after < before}
    assert grown(query_counts(hidden), many) == {}


def test_a_list_that_asks_once_per_row_is_reported(filled: House) -> None:
    def ask() -> HttpResponse:
        with use(filled.organization.id):
            for deal in Opportunity.objects.filter(account__isnull=False):
                str(deal.account)
        return HttpResponse()

    few = query_counts({"/careless/": ask})
    furnish(filled, owner=filled.ana, start=FEW, count=2)
    assert grown(few, query_counts({"/careless/": ask})).keys() == {"/careless/"}
