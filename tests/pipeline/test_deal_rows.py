"""A row of the deals list: its addresses, what people typed stays text, and what the page costs the database."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from otc.identity.models import User
from otc.tenancy.context import use
from pipeline.opportunities.report import DealRow
from pipeline.opportunities.services import opportunity_create
from pipeline.templatetags.deal_rows import Look, row_html
from tests.conftest import House

MOST_QUERIES = 10
LOOK = Look(
    deals_url="/o/acme/deals/", as_of_query="", today=date(2026, 11, 20), currency="EUR", can_edit=True
)
NASTY = "<script>alert('1')</script> & \"co\""


def deal_row(**changes: object) -> DealRow:
    row = DealRow(
        id=uuid4(),
        name="Kestrel",
        account_id=None,
        account_name="Kestrel Ltd",
        owner_id=uuid4(),
        owner_name="Ana Ruiz",
        stage_id=uuid4(),
        stage_name="Validate",
        stage_position=2,
        category="commit",
        amount_minor=386_000_00,
        currency="EUR",
        corporate_minor=386_000_00,
        close_date=date(2026, 12, 18),
        outcome=None,
        closed_at=None,
        next_step="Call",
        next_step_on=date(2026, 11, 19),
    )
    return replace(row, **changes)  # type: ignore[arg-type]  # the test names fields of the row


def test_every_link_of_a_row_is_an_address_of_the_url_map() -> None:
    row = deal_row()
    html = row_html(row, LOOK)
    assert f'data-href="{reverse("deal", args=["acme", row.id])}"' in html
    for field in ("stage", "amount", "close", "category", "next", "next-on"):
        assert f'hx-get="{reverse("deal_cell", args=["acme", row.id, field])}"' in html


def test_what_people_typed_is_text_and_no_markup() -> None:
    row = deal_row(
        name=NASTY, account_name=NASTY, owner_name=NASTY, stage_name=NASTY, next_step=NASTY, currency="<b>"
    )
    for can_edit in (True, False):
        html = row_html(row, replace(LOOK, can_edit=can_edit))
        assert "<script" not in html and "<b>" not in html and '"co"' not in html


def test_nothing_can_be_edited_without_leave_and_little_of_a_closed_deal() -> None:
    assert "hx-get" not in row_html(deal_row(), replace(LOOK, can_edit=False))
    closed = row_html(deal_row(outcome="won", category="closed"), LOOK)
    assert closed.count("hx-get") == 2 and "edit/amount/" in closed and "edit/close/" in closed


@pytest.mark.django_db(transaction=True)
def test_a_reps_list_takes_at_most_ten_queries(house: House) -> None:
    now = timezone.now()
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        for number in range(60):
            opportunity_create(name=f"Deal {number}", now=now, owner_id=house.ana.id, currency="EUR")
    browser = Client()
    ana = User.objects.get(email="ana@example.org")
    browser.force_login(ana, backend="allauth.account.auth_backends.AuthenticationBackend")
    browser.get(house.url("deals/"))
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(house.url("deals/"))
    assert answer.content.count(b"<tr id=") == 50
    assert len(captured) <= MOST_QUERIES, [query["sql"] for query in captured.captured_queries]
