"""The stage-rate risk: counted from versions with what was known then, and said in plain words."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache

from otc.tenancy.context import use
from pipeline.health.services import health_refresh
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage
from pipeline.risk.models import Risk, StageRate
from pipeline.risk.queries import count_endings, stage_rates
from pipeline.risk.rules import MODEL, Counts
from pipeline.risk.services import stage_rates_learn
from tests.pipeline.past_deals import lost, past_deal, won

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
ZONE = "Europe/Berlin"
CLOSE = datetime(2026, 9, 30, 12, tzinfo=UTC)
CLOSE_DATE = CLOSE.date()


@pytest.fixture(autouse=True)
def forgotten_thresholds():
    cache.clear()


def negotiating(close_date: date | None = CLOSE_DATE) -> dict:
    found = Stage.objects.get(name="Negotiate")
    return {
        "stage_id": found.id,
        "process_id": found.process_id,
        "category": "commit",
        "close_date": close_date,
    }


def before(days: float) -> datetime:
    """An instant this many days before the close date."""
    return CLOSE - timedelta(days=days)


def endings() -> dict[str, Counts]:
    """Counts by band; every deal here stands in one stage."""
    return {band: counts for _, band, counts in count_endings(zone=ZONE, now=NOW)}


def test_a_deal_counts_once_in_each_band_it_stood_in_by_how_it_ended(inside):
    past_deal(inside, (before(58), negotiating()), won(before(1)))
    assert endings() == {band: Counts(won=1) for band in ("31-60", "8-30", "0-7")}


def test_lost_and_no_decision_are_lost_and_still_open_is_slipped(inside):
    start = (before(28), negotiating())
    past_deal(inside, start, lost(before(2)))
    past_deal(inside, start, lost(before(2), outcome="no_decision"))
    past_deal(inside, start)
    assert endings()["8-30"] == Counts(lost=2, slipped=1)


def test_won_after_its_close_date_is_slipped(inside):
    late = won(CLOSE + timedelta(days=20))
    past_deal(inside, (before(28), negotiating()), late)
    assert endings()["8-30"] == Counts(slipped=1)


def test_won_on_the_evening_of_its_close_date_is_won_by_it(inside):
    """21:30 UTC is still the 30th of September in Berlin; 22:30 is not."""
    for minute, expected in ((30, Counts(won=1)), (90, Counts(won=1, slipped=1))):
        at = datetime(2026, 9, 30, 21, tzinfo=UTC) + timedelta(minutes=minute)
        past_deal(inside, (before(28), negotiating()), won(at, close_date=CLOSE.date()))
        assert endings()["8-30"] == expected


def test_a_pushed_deal_slipped_past_the_date_it_had_and_met_the_one_it_got(inside):
    pushed = (before(9), {"close_date": CLOSE.date() + timedelta(days=20)})
    past_deal(inside, (before(27), negotiating()), pushed, won(CLOSE + timedelta(days=19)))
    assert endings() == {"8-30": Counts(slipped=1), "0-7": Counts(won=1)}


def test_a_close_date_that_first_appears_at_closing_is_no_input(inside):
    past_deal(inside, (before(40), negotiating(close_date=None)), won(CLOSE))
    assert endings() == {}


def test_a_state_made_up_from_the_end_is_no_input(inside):
    past_deal(inside, (before(40), negotiating()), won(CLOSE), provenance="reconstructed")
    assert endings() == {}


def test_a_close_date_that_lies_ahead_says_nothing_yet(inside):
    past_deal(inside, (before(40), negotiating(close_date=TODAY)))
    assert endings() == {}


def test_a_deleted_deal_is_not_counted(inside):
    past_deal(inside, (before(40), negotiating()), (before(5), {"deleted_at": before(5)}))
    assert endings() == {}


def test_what_was_corrected_later_does_not_change_what_was_known_then(inside):
    """The corrected history says another stage; the count was made with the one that was known."""
    deal = past_deal(inside, (before(28), negotiating()), won(before(1)))
    with use(inside.organization.id, channel="import"):
        fixed = {column: getattr(deal, column) for column in STATE_COLUMNS}
        other = Stage.objects.get(name="Qualify").id
        opened = fixed | negotiating() | {"stage_id": other, "outcome": None, "closed_at": None}
        rows = [
            HistoryRow(opportunity_id=deal.id, at=before(28), provenance="imported", **opened),
            HistoryRow(opportunity_id=deal.id, at=before(1), provenance="imported", **fixed),
        ]
        enter_history(rows)
    assert [stage for stage, _, _ in count_endings(zone=ZONE, now=NOW)] == [
        Stage.objects.get(name="Negotiate").id
    ] * len(endings())
    assert endings()["8-30"] == Counts(won=1)


def test_learning_again_replaces_what_was_learned(inside):
    past_deal(inside, (before(28), negotiating()), won(before(1)))
    assert stage_rates_learn(zone=ZONE, now=NOW) == stage_rates_learn(zone=ZONE, now=NOW) == 2
    assert StageRate.objects.count() == 2
    assert stage_rates()[Stage.objects.get(name="Negotiate").id]["8-30"] == Counts(won=1)


def scored(close_date: date | None) -> Risk:
    """The risk of a deal in Negotiate, open since ten days."""
    house_deal = Opportunity(
        name="Kestrel", name_folded="kestrel", currency="EUR", created_at=NOW, **negotiating(close_date)
    )
    house_deal.save()
    health_refresh([house_deal.id], now=NOW)
    return Risk.objects.get(opportunity_id=house_deal.id)


def test_the_three_chances_sum_to_one_and_say_their_counts(inside):
    for number in range(35):
        end = won(before(1)) if number < 20 else lost(before(1)) if number < 30 else (CLOSE, {})
        past_deal(inside, (before(28), negotiating()), end)
    stage_rates_learn(zone=ZONE, now=NOW)
    found = scored(TODAY + timedelta(days=20))
    assert found.p_won + found.p_lost + found.p_slip == pytest.approx(1, abs=1e-12)
    assert found.p_won > found.p_lost > found.p_slip > 0
    assert found.model == MODEL
    assert found.reasons == [
        "35 past deals stood in Negotiate with 8 to 30 days to the close date: "
        "20 won by it, 10 lost by it, 5 still open after it."
    ]


def test_without_history_the_published_prior_is_assumed_and_said(inside):
    found = scored(TODAY)
    assert (found.p_won, found.p_lost, found.p_slip) == (0.3, 0.3, 0.4)
    assert "is assumed" in found.reasons[0]


@pytest.mark.parametrize("close_date", [None, TODAY - timedelta(days=1)])
def test_without_a_close_date_ahead_the_three_are_empty(inside, close_date):
    found = scored(close_date)
    assert (found.p_won, found.p_lost, found.p_slip) == (None, None, None)
    assert found.reasons


def test_today_ends_in_the_organizations_zone(inside):
    """At 23:30 UTC on the 20th it is the 21st in Berlin: a close date of the 20th has passed."""
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    deal = Opportunity(
        name="Kestrel", name_folded="kestrel", currency="EUR", created_at=NOW, **negotiating(TODAY)
    )
    deal.save()
    health_refresh([deal.id], now=late)
    assert Risk.objects.get(opportunity_id=deal.id).p_won is None
