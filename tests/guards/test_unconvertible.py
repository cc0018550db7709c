"""Deals that lost their rate stand beside every total that would hold them, with their own amounts, never as zero."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from otc.money.models import Rate
from otc.money.services import rate_withdraw, rate_write
from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_create,
    opportunity_delete,
    opportunity_edit,
    opportunity_reopen,
    opportunity_restore,
    opportunity_undo,
)
from pipeline.process.models import CloseReason
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

TODAY = day_in_house()
LONG_AGO = date(2020, 1, 1)
SAID = "1,200.00\xa0NOK"
PAGES = [
    "deals/",
    "deals/board/",
    "inspection/",
    "flow/",
    "trends/",
    "forecast/",
    "landing/",
    "funnel/",
    "health/?view=all",
    "integrity/",
    "winloss/",
    "accounts/",
]


@pytest.fixture
def lost(house: House) -> Iterator[House]:
    """An open and a won deal in NOK beside one each in EUR, all closing in this quarter; NOK lost its rate."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        rate = rate_write("NOK", valid_from=LONG_AGO, rate=Decimal("0.085"), now=timezone.now()).rate
        from pipeline.accounts.services import account_create

        account = account_create(name="Fjord Line")
        common = {
            "owner_id": house.ana.id,
            "close_date": TODAY,
            "account_id": account.id,
            "category": "commit",
        }
        won = {"outcome": "won", "closed_at": timezone.now(), "category": "closed"}
        for number, currency in enumerate(("NOK", "EUR")):
            deal_with(name=f"Open {currency}", amount_minor=1200_00 + number, currency=currency, **common)
            deal_with(name=f"Won {currency}", amount_minor=1200_00, currency=currency, **(common | won))
        assert rate is not None
        rate_withdraw(rate.id, now=timezone.now())
    yield house


def browser(house: House, signed_in) -> Client:
    return signed_in(house.eve)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_with_totals_says_what_it_leaves_out(lost, signed_in, page):
    text = signed_in(lost.eve).get(lost.url(page)).text
    assert "want of a rate" in text and SAID in text.replace("2,400.00", "1,200.00")
    assert "tab=no_rate" in text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_says_so_where_every_deal_has_its_rate(lost, signed_in, page):
    with use(lost.organization.id):
        Rate(currency="NOK", valid_from=LONG_AGO, rate="0.085").save()
    assert "want of a rate" not in signed_in(lost.eve).get(lost.url(page)).text


def test_the_link_leads_to_the_deals(lost, signed_in):
    page = signed_in(lost.eve).get(lost.url("deals/?tab=no_rate&state=any&scope=everyone"))
    assert sorted(row.name for row in page.context["report"].rows) == ["Open NOK", "Won NOK"]
    assert page.context["report"].sums.total_minor == 0


@pytest.mark.parametrize(
    ("endpoint", "count"),
    [("inspection", 1), ("waterfall", 2), ("forecast/rollup", 2), ("winloss", 1), ("funnel", 1)],
)
def test_every_report_of_the_api_has_the_sums_by_currency(lost, client, endpoint, count):
    found = client.get(f"/api/v1/{endpoint}", headers=bearer(secret_of(lost.eve))).json()
    assert found["unconvertible_sums"] == [
        {"currency": "NOK", "count": count, "amount_minor": 1200_00 * count}
    ]


def test_what_was_won_without_a_rate_makes_no_win_look_smaller(lost, client):
    found = client.get("/api/v1/funnel", headers=bearer(secret_of(lost.eve))).json()["velocity"]
    assert (found["won"], found["won_unconvertible"]) == (2, 1)
    assert found["mean_won_minor"] == found["won_minor"] == 1200_00


def test_an_account_says_that_its_sums_are_not_whole(lost, signed_in):
    with use(lost.organization.id):
        from pipeline.accounts.models import Account

        account = Account.objects.get(name="Fjord Line")
    text = signed_in(lost.eve).get(lost.url(f"accounts/{account.id}/")).text
    assert "2 deals without a rate" in text


def test_a_deal_restored_without_its_rate_stands_beside_the_total(lost, signed_in):
    with use(lost.organization.id, person_id=lost.ana.id, channel="ui"):
        deal = Opportunity.objects.get(name="Open NOK")
        opportunity_delete(deal.id, now=timezone.now())
    browser = signed_in(lost.eve)
    address = "deals/?scope=everyone&state=any"
    before = browser.get(lost.url(address)).context["report"]
    assert [(one.currency, one.amount_minor) for one in before.unconvertible] == [("NOK", 1200_00)]
    page = browser.post(lost.url(f"deals/{deal.id}/restore/"), follow=True)
    assert "Open NOK" in page.text and page.status_code == 200
    after = browser.get(lost.url(address)).context["report"]
    assert after.sums.total_minor == before.sums.total_minor
    assert [(one.currency, one.amount_minor) for one in after.unconvertible] == [("NOK", 2400_00)]
    without_rate = browser.get(lost.url("deals/?tab=no_rate&scope=everyone")).context["report"]
    assert "Open NOK" in [row.name for row in without_rate.rows]
    row = next(row for row in without_rate.rows if row.name == "Open NOK")
    assert (row.amount_minor, row.corporate_minor) == (1200_00, None)


class TestWriters:
    """Each way to write a deal asks for the rate, and names currency and day."""

    @pytest.fixture
    def deal(self, inside: House):
        rate = rate_write("NOK", valid_from=LONG_AGO, rate=Decimal("0.085"), now=timezone.now()).rate
        made = opportunity_create(
            name="Fjord", owner_id=inside.ana.id, now=timezone.now(), amount_minor=5, currency="NOK",
            close_date=TODAY + timedelta(days=9),
        ).opportunity  # fmt: skip
        self.before = opportunity_edit(made.id, changes={"amount_minor": 6}).before
        assert rate is not None
        rate_withdraw(rate.id, now=timezone.now())
        return made

    def refused(self, write) -> None:
        with pytest.raises(Refused, match=r"No rate of NOK to EUR is known on \d{4}-\d\d-\d\d"):
            write()

    def test_creating(self, deal, inside):
        self.refused(
            lambda: opportunity_create(
                name="Two", now=timezone.now(), amount_minor=1, currency="NOK", close_date=TODAY
            )
        )

    @pytest.mark.parametrize("changes", [{"amount_minor": 7}, {"close_date": TODAY}])
    def test_editing(self, deal, changes):
        self.refused(lambda: opportunity_edit(deal.id, changes=changes))

    def test_closing_reopening_and_undoing(self, deal, inside):
        reason = CloseReason.objects.get(name="Price")
        close = {"outcome": "lost", "reason_id": reason.id, "now": timezone.now(), "today": TODAY}
        self.refused(lambda: opportunity_close(deal.id, **close))
        rate_write("NOK", valid_from=LONG_AGO, rate=Decimal("0.085"), now=timezone.now())
        opportunity_close(deal.id, **close)
        rate_withdraw(Rate.objects.order_by("-known_from").first().id, now=timezone.now())
        self.refused(lambda: opportunity_reopen(deal.id))
        rate_write("NOK", valid_from=LONG_AGO, rate=Decimal("0.085"), now=timezone.now())
        before = opportunity_reopen(deal.id).before
        rate_withdraw(Rate.objects.order_by("-known_from").first().id, now=timezone.now())
        self.refused(lambda: opportunity_undo(deal.id, to_version=before))

    def test_restoring_and_undoing_a_deletion_bring_it_back_as_it_stands(self, deal, inside):
        opportunity_delete(deal.id, now=timezone.now())
        opportunity_restore(deal.id)
        before = opportunity_delete(deal.id, now=timezone.now()).before
        assert opportunity_undo(deal.id, to_version=before).opportunity.deleted_at is None
        found = Opportunity.objects.get(id=deal.id)
        assert (found.amount_minor, found.currency, found.deleted_at) == (6, "NOK", None)

    def test_what_needs_no_rate_is_written(self, deal):
        opportunity_edit(deal.id, changes={"next_step": "Ask for the rate"})
        opportunity_edit(deal.id, changes={"amount_minor": None})

    def test_another_currency_with_other_decimals_needs_the_amount_too(self, deal):
        rate_write("JPY", valid_from=LONG_AGO, rate=Decimal("0.006"), now=timezone.now())
        with pytest.raises(Refused, match="other decimals"):
            opportunity_edit(deal.id, changes={"currency": "JPY"})
        opportunity_edit(deal.id, changes={"currency": "JPY", "amount_minor": 1000})
