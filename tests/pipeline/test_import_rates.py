"""Rates from a file, and histories that would need rates which nobody knows."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from otc.audit.models import AuditEntry
from otc.money.models import Rate
from otc.money.queries import rate_on
from otc.money.services import rate_write
from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion
from tests.pipeline.loading import NOW, Load, load, refusals

__all__ = ["load"]

HEAD = "currency,from,rate\n"
JANUARY = date(2026, 1, 1)


def current() -> list[tuple[str, str, str]]:
    rows = Rate.objects.filter(known_to=FOREVER).order_by("currency", "valid_from")
    return [(row.currency, str(row.valid_from), f"{row.rate.normalize():f}") for row in rows]


def test_rates_are_added_and_corrected(load: Load) -> None:
    first = load("rates", HEAD + "USD,2026-01-01,0.92\nusd,2026-02-01,0.93\nJPY,2026-01-01,0.0061\n")
    second = load("rates", HEAD + "USD,2026-01-01,0.92\nUSD,2026-02-01,0.94\nUSD,2026-03-01,0.95\n")
    assert (first.created_count, first.updated_count) == (3, 0)
    assert (second.created_count, second.updated_count, second.unchanged_count) == (1, 1, 1)
    assert current() == [
        ("JPY", "2026-01-01", "0.0061"),
        ("USD", "2026-01-01", "0.92"),
        ("USD", "2026-02-01", "0.94"),
        ("USD", "2026-03-01", "0.95"),
    ]
    assert Rate.objects.filter(known_to=NOW).count() == 1
    assert AuditEntry.objects.filter(action="rate.imported").count() == 2


def test_rates_where_none_were_are_known_from_their_days(load: Load) -> None:
    load("rates", HEAD + "USD,2026-01-01,0.92\nUSD,2026-02-01,0.93\n")
    load("rates", HEAD + "USD,2026-01-15,0.95\nUSD,2025-01-01,0.91\n")
    assert rate_on("USD", date(2026, 1, 20), known=datetime(2026, 2, 2, tzinfo=UTC)) == Decimal("0.92")
    assert rate_on("USD", date(2026, 1, 20)) == Decimal("0.95")
    assert rate_on("USD", date(2025, 6, 1), known=datetime(2025, 7, 1, tzinfo=UTC)) == Decimal("0.91")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("EUR,2026-01-01,1", "currency"),
        ("XXQ,2026-01-01,1", "currency"),
        ("USD,2026-01-01,0", "rate"),
        ("USD,2026-01-01,-1", "rate"),
        ("USD,2026-01-01,0.00000000001", "rate"),
        ("USD,2026-01-01,1;1", "rate"),
        ("USD,yesterday,1", "from"),
        ("USD,,1", "from"),
    ],
)
def test_a_row_that_is_no_rate_is_refused(load: Load, row: str, column: str) -> None:
    report = load("rates", HEAD + row + "\n")
    assert [refused[1] for refused in refusals(report)] == [column]
    assert not Rate.objects.exists()


def test_a_slipped_decimal_point_is_refused_and_a_new_level_is_not(load: Load) -> None:
    report = load(
        "rates",
        HEAD + "USD,2026-01-01,0.92\nUSD,2026-02-01,93\nUSD,2026-03-01,0.94\n"
        "TRY,2004-11-01,0.00000054\nTRY,2004-12-01,0.00000055\nTRY,2005-01-01,0.55\nTRY,2005-02-01,0.56\n",
    )
    assert [(line, column) for line, column, _ in refusals(report)] == [(3, "rate")]
    assert "if it is right, add it on the page" in refusals(report)[0][2]


def test_the_second_row_of_a_day_is_refused(load: Load) -> None:
    report = load("rates", HEAD + "USD,2026-01-01,0.92\nUSD,2026-01-01,0.93\n")
    assert refusals(report) == [(3, "from", "stands on line 2 already")]


def test_a_dry_run_leaves_the_rates(load: Load) -> None:
    load("rates", HEAD + "USD,2026-01-01,0.92\n")
    report = load("rates", HEAD + "USD,2026-01-01,0.95\n", is_dry_run=True)
    assert report.updated_count == 1 and current() == [("USD", "2026-01-01", "0.92")]


DEALS = "external_id,stage,amount,currency,close_date,created_at\n"
HISTORY = "external_id,at,amount,close_date\n"


class TestHistoryWithoutRates:
    def deals(self, load: Load) -> None:
        rate_write("NOK", valid_from=JANUARY, rate=Decimal("0.085"), now=NOW)
        load(
            "opportunities",
            DEALS + "N1,Qualify,100,NOK,2026-05-01,2025-06-01\nE1,Qualify,100,EUR,2026-05-01,2025-06-01\n"
            "N2,Qualify,,NOK,,2025-06-01\n",
        )

    def test_a_row_whose_day_has_no_rate_refuses_its_deal_and_no_other(self, load: Load) -> None:
        self.deals(load)
        report = load(
            "history",
            HISTORY
            + "N1,2025-07-01,50,2025-12-31\nN1,2025-08-01,60,2026-02-01\nE1,2025-07-01,50,2025-12-31\n",
        )
        assert refusals(report) == [
            (2, "amount", "there is no rate for NOK on 2025-12-31"),
            (
                3,
                "amount",
                "there is no rate for NOK on 2025-12-31, which line 2 needs; a deal's history comes in whole",
            ),
        ]
        assert (
            OpportunityVersion.objects.filter(amount_minor=50_00).values_list("currency", flat=True).get()
            == "EUR"
        )

    def test_a_day_that_is_carried_forward_counts(self, load: Load) -> None:
        self.deals(load)
        report = load("history", HISTORY + "N1,2025-07-01,,2025-12-31\nN1,2025-08-01,60,\n")
        assert [line for line, *_ in refusals(report)] == [2, 3]
        assert refusals(report)[1][2] == "there is no rate for NOK on 2025-12-31"

    def test_without_an_amount_no_rate_is_needed(self, load: Load) -> None:
        self.deals(load)
        report = load("history", HISTORY + "N2,2025-07-01,,2025-12-31\nN2,2025-08-01,,2026-02-01\n")
        assert refusals(report) == []

    def test_with_rates_and_without_a_close_date_the_history_comes_in(self, load: Load) -> None:
        self.deals(load)
        report = load("history", HISTORY + "N1,2025-07-01,50,\nN1,2025-08-01,60,2026-02-01\n")
        assert refusals(report) == []

    def test_what_an_earlier_file_left_counts(self, load: Load) -> None:
        self.deals(load)
        load("history", HISTORY + "N1,2025-07-01,50,2026-02-01\nN1,2025-08-01,60,\n")
        Rate.objects.update(known_to=NOW)
        report = load("history", HISTORY + "N1,2025-09-01,70,\n")
        assert refusals(report) == [(2, "amount", "there is no rate for NOK on 2026-02-01")]
