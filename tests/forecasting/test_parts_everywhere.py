"""A split deal is the same number on every page: what a person has of it, and the whole for everybody."""

from datetime import UTC, datetime, timedelta

import pytest

from forecasting.flow.report import flow_report
from forecasting.funnel.queries import segment_rows
from forecasting.inspection.report import Asked, inspection_report
from forecasting.onetoone.queries import owner_sums, won_by_period
from forecasting.rollup.report import rollup_report
from forecasting.trends.make_up import present_of
from forecasting.waterfall.report import PATH, WEEK, waterfall_report
from otc.question import Question, ask
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.asked import read
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.report import deals_report
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from pipeline.today.queries import beside_of
from postmortem.winloss.queries import closed_by_group


@pytest.fixture
def deals(inside, make_deal) -> None:
    """One open and one won deal of ana's, a third of each jon's; one that is hers alone."""
    now = datetime.now(UTC)
    for amount_minor, is_won, is_split in ((1_000, False, True), (500, True, True), (100, False, False)):
        deal = make_deal(owner=inside.ana, amount_minor=amount_minor, close_date=now.date())
        opportunity_edit(deal.id, changes={"category": "commit"})
        if is_split:
            shares = [Share(inside.ana.id, "revenue", 6_667), Share(inside.jon.id, "revenue", 3_333)]
            splits_set(deal.id, shares=shares, now=now)
        if is_won:
            reason = CloseReason.objects.first()
            opportunity_close(deal.id, outcome="won", reason_id=reason.id, now=now, today=now.date())


def open_and_won(question: Question) -> dict[str, tuple[int, int]]:
    """What each page says is open and what is won, in minor units."""
    now = question.now
    frame = {"as_of": question.as_of, "known": question.known, "owners": question.owners}
    rollup = rollup_report(question.organization, period=question.period, **question.frame).total.amounts
    summary = inspection_report(question, since=now, asked=Asked()).summary.now
    present = present_of(question).sums
    sums = owner_sums(question, owners=question.owners).values()
    beside = beside_of(question, owners=question.owners, people=()).parts
    lists = [
        deals_report(question, read({"state": state, "period": question.period.key}, question), since=now)
        for state in ("open", "won")
    ]
    closed = closed_by_group(
        "source",
        period=question.period,
        chart=now,
        corporate=question.currency,
        timezone=question.organization.timezone,
        **frame,
    )
    segment = next(row for row in segment_rows(question, segment="owner") if row.is_total)
    open_minor = rollup["open"].rolled_up
    return {
        "forecast": (open_minor, rollup["closed"].rolled_up),
        "inspection": (summary.open_minor, summary.won_minor),
        "trends": (present.commit_minor, present.won_minor),
        "one to one": (sum(one.open_minor for one in sums), sum(one.won_minor for one in sums)),
        "won by period": (
            open_minor,
            won_by_period(question, periods=[question.period], owners=question.owners).get(
                question.period.key, 0
            ),
        ),
        "today": (beside.get("commit", 0), beside.get("closed", 0)),
        "list": (lists[0].sums.total_minor, lists[1].sums.total_minor),
        "win/loss": (open_minor, next(row.closed.won_minor for row in closed if row.is_total)),
        "funnel": (open_minor, segment.velocity.closed.won_minor),
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("everyone", (1_100, 500)), ("ana", (767, 333)), ("jon", (333, 167)), ("max", (1_100, 500))],
)
@pytest.mark.parametrize("is_past", [False, True])
def test_every_page_adds_up_the_same_parts(inside, deals, scope, expected, is_past) -> None:
    now = datetime.now(UTC)
    asked = {"scope": str(getattr(inside, scope).id) if scope != "everyone" else scope}
    if is_past:
        asked["as_of"] = now.isoformat()
    found = open_and_won(ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), asked))
    if is_past:
        # What is to be done today is of today.
        found.pop("today")
    assert found == dict.fromkeys(found, expected)


def test_overlay_splits_stand_beside_the_forecast_and_in_no_sum_of_it(inside, deals) -> None:
    for deal in Opportunity.objects.all():
        kept = [
            Share(person, "revenue", share)
            for person, share in zip(deal.split_people or (), deal.split_shares or (), strict=True)
        ]
        overlay = Share(inside.max.id, "overlay", 2_500)
        splits_set(deal.id, shares=[*kept, overlay], now=datetime.now(UTC))
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), {})
    report = rollup_report(question.organization, period=question.period, **question.frame)
    assert [(one.person_id, one.open_minor, one.won_minor, one.deal_count) for one in report.overlays] == [
        (inside.max.id, 275, 125, 3)
    ]
    own = {row.person_id: row.amounts["commit_cumulative"].own for row in report.rows}
    assert (own[inside.max.id], report.total.amounts["commit_cumulative"].final) == (0, 1_600)
    jons = ask(Tenant(inside.organization, inside.jon, datetime.now(UTC)), {})
    assert rollup_report(jons.organization, period=jons.period, **jons.frame).overlays == ()


@pytest.mark.parametrize("asked", [{}, {"mode": PATH}, {"group_by": "person"}, {"group_by": WEEK}])
def test_a_waterfall_counts_a_deal_once_however_many_parts_it_has(inside, deals, asked) -> None:
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), {"scope": "everyone"})
    yesterday = question.now - timedelta(days=1)
    frame = {"viewer": inside.eve, "period": question.period, "as_of": question.now, "now": question.now}
    found = waterfall_report(inside.organization, since=yesterday, **frame, **asked)
    assert (found.waterfall.closing.count, found.waterfall.closing.amount_minor) == (2, 1_100)
    # Each has its part of the deal that both have, and ana has one alone.
    groups = {str(inside.ana.id): (2, 767), str(inside.jon.id): (1, 333)}
    if asked.get("group_by") == "person":
        closings = {key: falls.closing for key, falls in found.groups.items()}
        assert {key: (one.count, one.amount_minor) for key, one in closings.items()} == groups
    if asked.get("group_by") == WEEK:
        assert [falls.closing.count for falls in found.groups.values()][-1] == 2


def test_a_cell_of_the_flow_counts_a_deal_once_and_lists_every_part(inside, deals) -> None:
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), {"scope": "everyone"})
    frame = {"viewer": inside.eve, "period": question.period, "as_of": question.now, "now": question.now}
    found = flow_report(inside.organization, since=question.now - timedelta(days=1), **frame)
    stays = {pair: cell for pair, cell in found.cells.items() if pair[1][0] == "group"}
    assert sum(cell.count for cell in stays.values()) == 2
    assert sum(len(found.lines(*pair)) for pair in stays) == 3
