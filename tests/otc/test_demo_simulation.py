"""Is the simulated organization the same every time, legal in every state, and shaped like a real one?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otc.calendar.rules import period_of
from otc.demo import market
from otc.demo.company import DemoCompany, build_company
from otc.demo.deals import DemoDeal
from otc.demo.loose_ends import RATELESS
from otc.demo.organizations import HALDEN, KITANO, PLANS, PRAIRIE
from otc.demo.people import LEAD_TITLE
from otc.demo.simulation import simulate

TODAY = date(2026, 11, 22)
CATEGORIES = {"omitted", "pipeline", "best_case", "most_likely", "commit", "closed"}


def company_of(deals: int, *, slug: str = "halden", seed: int = 1, today: date = TODAY) -> DemoCompany:
    return build_company(PLANS[slug], deals=deals, seed=seed, today=today)


@pytest.fixture(scope="module")
def halden() -> DemoCompany:
    return company_of(4000)


@pytest.fixture(scope="module")
def deals(halden: DemoCompany) -> list[DemoDeal]:
    return list(simulate(halden))


def check_team(company: DemoCompany, deal: DemoDeal) -> None:
    """Nobody owns the deal and sits beside it, who sits is here today, and shares make a whole or nothing."""
    morning = company.workdays.midnight(company.workdays.today)
    here = {person.key for person in company.people if person.left is None}
    owners = {state.owner for state in deal.states}
    assert len({seat.person for seat in deal.seats}) == len(deal.seats)
    for seat in deal.seats:
        assert seat.person in here - owners
        assert deal.created_at <= seat.at < (seat.until or morning) <= morning
    revenue = [split for split in deal.splits if split.kind == "revenue"]
    assert sum(split.share_bp for split in revenue) in (0, 10_000)
    assert not revenue or deal.states[-1].owner in {split.person for split in revenue}
    present = {seat.person for seat in deal.seats if seat.until is None}
    for split in deal.splits:
        assert split.person in present or split.person == deal.states[-1].owner
        assert split.by in here and deal.created_at <= split.at < morning


def check_deal(company: DemoCompany, deal: DemoDeal) -> None:
    """Every state legal, time rising, nothing at or after this morning, work done at work."""
    days = company.workdays
    zone, morning = ZoneInfo(company.plan.zone), days.midnight(days.today)
    people = {person.key for person in company.people}
    reasons = {reason.name: reason.outcomes for reason in company.reasons}
    check_team(company, deal)
    assert deal.states[0].at == deal.created_at
    assert deal.created_at >= days.midnight(0)
    assert all(before.at < after.at for before, after in pairwise(deal.states))
    for state in deal.states:
        local = state.at.astimezone(zone)
        assert state.at < morning
        assert local.weekday() < 5
        assert 8 <= local.hour < 18
        assert 0 <= state.stage <= market.SIGN
        assert state.category in CATEGORIES
        assert (state.outcome == "won") == (state.category == "closed")
        assert state.owner is None or state.owner in people
        assert state.actor in people
        assert state.amount_minor is None or state.amount_minor > 0
        assert (state.next_step == "") == (state.next_step_on is None)
        assert (state.outcome is None) == (state.reason is None) == (state.closed_at is None)
        if state.outcome is not None:
            assert state.outcome in reasons[state.reason or ""]
            # A correction keeps the day on which it was won.
            assert state.closed_at is not None and state.closed_at <= state.at
            assert state.close_date == state.closed_at.astimezone(zone).date()
        if state.outcome == "won":
            assert state.amount_minor is not None
    for before, after in pairwise(deal.states):
        assert before != after
    check_surroundings(company, deal)


def check_surroundings(company: DemoCompany, deal: DemoDeal) -> None:
    morning = company.workdays.midnight(company.workdays.today)
    contacts = {
        contact.external_id
        for account in company.accounts
        if account.external_id == deal.account
        for contact in account.contacts
    }
    assert all(before.at <= after.at for before, after in pairwise(deal.activities))
    for activity in deal.activities:
        assert deal.created_at < activity.at < morning
        assert activity.kind in {"call", "mail", "meeting"}
        assert activity.direction in {"in", "out"}
        assert activity.contact in contacts
    marks = [(mark.stage, mark.position) for mark in deal.milestones]
    assert len(marks) == len(set(marks))
    for mark in deal.milestones:
        assert deal.created_at < mark.at < morning
        assert mark.position < company.milestones_per_stage[mark.stage]


@settings(max_examples=25, deadline=None)
@given(
    slug=st.sampled_from(sorted(PLANS)),
    seed=st.integers(0, 2**63),
    count=st.integers(1, 60),
    today=st.dates(date(2020, 1, 1), date(2040, 12, 31)),
)
def test_every_deal_of_every_day_and_seed_is_legal(slug: str, seed: int, count: int, today: date) -> None:
    company = company_of(count, slug=slug, seed=seed, today=today)
    found = list(simulate(company))
    assert len(found) == count
    assert len({deal.external_id for deal in found}) == count
    for deal in found:
        check_deal(company, deal)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 40), slug=st.sampled_from(sorted(PLANS)))
def test_the_same_seed_and_day_give_the_same_data(seed: int, count: int, slug: str) -> None:
    once, again = (company_of(count, slug=slug, seed=seed) for _ in range(2))
    assert (once.people, once.lines, once.accounts, once.rates, once.quotas) == (
        again.people,
        again.lines,
        again.accounts,
        again.rates,
        again.quotas,
    )
    assert list(simulate(once)) == list(simulate(again))


def test_another_seed_gives_other_deals() -> None:
    assert list(simulate(company_of(20, seed=1))) != list(simulate(company_of(20, seed=2)))


def test_two_organizations_of_one_seed_live_different_lives() -> None:
    first, second = (
        [len(deal.states) for deal in simulate(company_of(40, slug=slug))] for slug in ("kitano", "prairie")
    )
    assert first != second


def test_the_check_notices_a_state_in_the_future(halden: DemoCompany, deals: list[DemoDeal]) -> None:
    earlier = company_of(4000, today=TODAY - timedelta(days=40))
    with pytest.raises(AssertionError):
        for deal in deals:
            check_deal(earlier, deal)


def test_a_million_deals_can_be_started_without_waiting_for_the_last() -> None:
    company = company_of(1_000_000)
    assert len(company.accounts) == market.MAX_ACCOUNTS
    assert len(list(islice(simulate(company), 50))) == 50


def test_a_third_of_the_wins_falls_into_the_last_two_weeks_of_a_quarter(deals: list[DemoDeal]) -> None:
    closings = [s.close_date for d in deals for s in d.states[-1:] if s.outcome == "won" and s.close_date]
    late = sum((period_of(day).end - day).days <= 14 for day in closings)
    assert 0.25 < late / len(closings) < 0.55  # 14 of 91 days would be 0.15


def test_deals_are_pushed_shrink_flip_and_come_back(deals: list[DemoDeal]) -> None:
    pairs = [pair for deal in deals for pair in pairwise(deal.states)]
    still_open = [(a, b) for a, b in pairs if a.outcome is None and b.outcome is None]
    pushes = sum(b.close_date > a.close_date for a, b in still_open if a.close_date and b.close_date)
    changed = [(a.amount_minor, b.amount_minor) for a, b in still_open if a.amount_minor and b.amount_minor]
    shrunk, grown = sum(b < a for a, b in changed), sum(b > a for a, b in changed)
    assert 0.2 < pushes / len(deals) < 1.0
    assert shrunk > grown > len(deals) * 0.02
    assert sum(a.category != b.category and a.stage == b.stage for a, b in still_open) > len(deals) * 0.05
    assert sum(b.stage < a.stage for a, b in still_open) > len(deals) * 0.01
    assert sum(a.outcome is not None and b.outcome is None for a, b in pairs) > len(deals) * 0.01


def test_open_deals_show_every_kind_of_neglect(deals: list[DemoDeal]) -> None:
    still_open = [deal.states[-1] for deal in deals if deal.states[-1].outcome is None]
    assert any(state.close_date and state.close_date < TODAY for state in still_open)
    assert any(state.next_step == "" for state in still_open)
    assert any(state.next_step_on and state.next_step_on < TODAY for state in still_open)
    assert any(state.amount_minor is None for state in still_open)
    assert any(state.owner is None for state in still_open)


def test_a_third_of_the_deals_has_a_team_and_a_few_are_split(deals: list[DemoDeal]) -> None:
    with_team = sum(bool(deal.seats) for deal in deals) / len(deals)
    shared = sum(bool(deal.splits) for deal in deals) / len(deals)
    assert 0.25 < with_team < 0.45 and 0.04 < shared < 0.10
    parts = Counter(seat.part for deal in deals for seat in deal.seats)
    assert set(parts) == {"Account manager", "Executive sponsor", "Deal desk"} and min(parts.values()) > 50
    kinds = Counter(split.kind for deal in deals for split in deal.splits)
    assert set(kinds) == {"revenue", "overlay"} and min(kinds.values()) > 10


def test_the_check_notices_shares_that_are_no_whole(halden: DemoCompany, deals: list[DemoDeal]) -> None:
    split = next(deal for deal in deals if any(one.kind == "revenue" for one in deal.splits))
    check_team(halden, split)
    with pytest.raises(AssertionError):
        check_team(halden, replace(split, splits=split.splits[:1]))
    with pytest.raises(AssertionError):
        check_team(halden, replace(split, seats=split.seats * 2))


def test_what_signals_a_win_is_in_the_data(deals: list[DemoDeal]) -> None:
    def with_role(outcome: str, role: str) -> float:
        closed = [deal for deal in deals if deal.states[-1].outcome == outcome]
        return sum(any(found.role == role for found in d.buying_roles) for d in closed) / len(closed)

    for role in ("champion", "decision_maker"):
        assert with_role("won", role) > 1.2 * with_role("lost", role)


@pytest.mark.parametrize("plan", [HALDEN, KITANO, PRAIRIE], ids=lambda plan: plan.slug)
def test_everybody_below_the_top_has_a_line_while_there(plan) -> None:
    company = company_of(plan.deals, slug=plan.slug)
    midnight = company.workdays.midnight(company.workdays.today)
    standing = {line.person for line in company.lines if line.valid_to is None or line.valid_to > midnight}
    sellers = {p.key for p in company.people if p.role in {"rep", "manager", "executive"} and p.left is None}
    empty_seats = {p.key for p in company.people if p.title == LEAD_TITLE and p.left is not None}
    assert standing - empty_seats == sellers
    assert len(empty_seats) == (plan is HALDEN)


def test_one_rep_left_and_one_changed_manager() -> None:
    company = company_of(400)
    assert any(person.left and (TODAY - person.left).days < 14 for person in company.people)
    moved = Counter(line.person for line in company.lines)
    assert max(moved.values()) == 2


def test_thirty_one_reps_five_managers_two_executives_at_the_default() -> None:
    present = [person for person in company_of(HALDEN.deals).people if person.left is None]
    counts = Counter(person.role for person in present)
    assert counts["rep"] == 31  # one of them hasn't a deal yet
    assert counts["manager"] == 5
    assert counts["executive"] == 2
    assert counts["administrator"] == counts["operations"] == counts["integration"] == 1


def test_a_managers_quota_is_a_tenth_less_than_the_reports_and_the_tops_their_sum() -> None:
    company = company_of(HALDEN.deals)
    quota = {q.person: q.amount_minor for q in company.quotas if q.period == "2026-Q2"}
    at = company.workdays.midnight((date(2026, 4, 1) - company.workdays.first).days)
    below: dict[str, list[str]] = {}
    for line in company.lines:
        if line.manager and line.valid_from <= at and (line.valid_to is None or at < line.valid_to):
            below.setdefault(line.manager, []).append(line.person)
    leads = {person.key for person in company.people if person.title == LEAD_TITLE}
    assert len(below) == 7 + len(leads) == 8
    for manager, reports in below.items():
        asked = sum(quota.get(report, 0) for report in reports)
        share = 1 if manager in leads or set(reports) & set(below) - leads else market.OVER_ASSIGNED
        assert quota[manager] == pytest.approx(asked * share, rel=0.01)


@pytest.mark.parametrize("plan", [HALDEN, KITANO, PRAIRIE], ids=lambda plan: plan.slug)
def test_every_currency_has_a_rate_for_every_month(plan) -> None:
    company = company_of(plan.deals, slug=plan.slug)
    used = {state.currency for deal in simulate(company) for state in deal.states}
    used -= {plan.currency, RATELESS}
    for currency in used:
        months = [rate.valid_from for rate in company.rates if rate.currency == currency]
        assert months[0] <= company.workdays.first
        assert months[-1] == TODAY.replace(day=1)
        assert len(months) == market.MONTHS + 2


def test_a_batch_of_deals_is_the_same_as_in_the_whole() -> None:
    company = company_of(60)
    parts = [deal for numbers in (range(25), range(25, 60)) for deal in simulate(company, numbers=numbers)]
    assert parts == list(simulate(company))


def test_who_plays_a_part_works_there_and_plays_it_once_at_a_time(
    halden: DemoCompany, deals: list[DemoDeal]
) -> None:
    contacts = {account.external_id: account.contacts for account in halden.accounts}
    for deal in deals:
        ends: dict[tuple[str, str], object] = {}
        for role in sorted(deal.buying_roles, key=lambda found: found.at):
            assert role.contact in {contact.external_id for contact in contacts[deal.account]}
            assert role.until is None or role.at < role.until
            before = ends.get((role.contact, role.role), role.at)
            assert before is not None and before <= role.at  # type: ignore[operator]  # None is forever
            ends[role.contact, role.role] = role.until
    named = [{role.role for role in deal.buying_roles} for deal in deals]
    assert 0.2 < sum("decision_maker" in roles for roles in named) / len(named) < 0.9
    assert 0.2 < sum("champion" in roles for roles in named) / len(named) < 0.95


def test_a_leavers_quota_is_shared_out_and_the_successor_has_one_from_the_next_quarter_on() -> None:
    company = company_of(HALDEN.deals)
    leaver = next(
        one for one in company.people if one.left and one.left.year == TODAY.year and one.role == "rep"
    )
    running = [quota for quota in company.quotas if quota.period == "2026-Q4"]
    dated = [quota for quota in running if quota.since]
    before = {quota.person: quota.amount_minor for quota in running if quota.until}
    assert len({(quota.since, quota.person) for quota in dated}) == len(before) > 3
    moved = {quota.person: quota.amount_minor - before[quota.person] for quota in dated}
    assert sum(moved.values()) == 0 and moved.pop(leaver.key) < 0 < min(moved.values())
    successor = max((one for one in company.people if one.role == "rep"), key=lambda one: one.joined)
    assert successor.territory == leaver.territory and (leaver.left or TODAY) <= successor.joined < TODAY
    assert {quota.period for quota in company.quotas if quota.person == successor.key} == {"2027-Q1"}


def test_a_few_open_deals_are_left_without_what_a_forecast_needs() -> None:
    last = [deal.states[-1] for deal in simulate(company_of(HALDEN.deals))]
    loose = [state for state in last if state.outcome is None]
    found = (
        sum(state.owner is None for state in loose),
        sum(state.close_date is None for state in loose),
        sum(state.currency == RATELESS for state in loose),
    )
    assert min(found) >= 1 and max(found) <= 15
    assert all(state.close_date and state.currency != RATELESS for state in last if state.outcome)
