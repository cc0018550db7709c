"""Do deals live by the rates that are written down, and is the truth what becomes of them?"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from otc.demo import hazards
from otc.demo.calls import BEST_CASE, COMMIT, MOST_LIKELY, CallDays, Ledger, build_calls
from otc.demo.company import DemoCompany, build_company
from otc.demo.course import Log, Standing, run
from otc.demo.hazards import EVENTS, NEGOTIATE, Situation, day_chances
from otc.demo.ids import demo_id, text_id
from otc.demo.organizations import PLANS
from otc.demo.prospect import Prospect
from otc.demo.simulation import lives, simulate
from otc.demo.truth import standing_on, truths
from tests.nightly import IS_NIGHTLY

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
AT = date(2026, 5, 18)  # a Monday in mid-quarter
TABLES = {
    "BASE": hazards.BASE,
    "ACTIVITY": hazards.ACTIVITY,
    "CHAMPION": hazards.CHAMPION,
    "DECISION_MAKER": hazards.DECISION_MAKER,
    "PUSHES": hazards.PUSHES,
    "AGE": hazards.AGE,
    "SEASON": hazards.SEASON,
    "CLOSENESS": hazards.CLOSENESS,
    "COMPETITOR": hazards.COMPETITOR,
    "KIND": tuple(hazards.KIND.values()),
    "SLOPPY": (hazards.SLOPPY,),
    "PER_SIZE": (hazards.PER_SIZE,),
    "PER_SKILL": (hazards.PER_SKILL,),
}


@pytest.fixture(scope="module")
def halden() -> DemoCompany:
    return build_company(PLANS["halden"], deals=800, seed=1, today=TODAY)


def plain_prospect() -> Prospect:
    return Prospect(112_000, 0.0, "New business", None, False, created=10, stage=0)


def test_chances_of_a_day_sum_to_one_and_rise_with_what_helps() -> None:
    own = plain_prospect().own_factors(skill=0)
    without = day_chances(NEGOTIATE, Situation(), own)
    with_both = day_chances(NEGOTIATE, Situation(champion=1, decision_maker=1), own)
    assert sum(without.values()) == pytest.approx(1)
    assert with_both["won"] > 2 * without["won"] and with_both["lost"] < without["lost"]


@pytest.mark.parametrize(("stage", "closes_in"), [(NEGOTIATE, 2), (hazards.DISCOVER, 20), (hazards.SIGN, -9)])
def test_what_happens_on_a_day_has_the_stated_chances(
    halden: DemoCompany, stage: int, closes_in: int
) -> None:
    days = halden.workdays
    day = next(
        n
        for n in range(300, 330)
        if days.season[n] == hazards.ANY_DAY and days.worked[n + 1] > days.worked[n]
    )
    prospect = replace(plain_prospect(), created=day - 40)
    own = prospect.own_factors(skill=0.2)
    standing = Standing(
        day=day, stage=stage, close_day=day + closes_in, week_ends=day + 5, age_weeks=5, pushes=1, champion=1
    )
    closeness = {2: hazards.AT_HAND, 20: hazards.NEAR, -9: hazards.PASSED}[closes_in]
    at = Situation(activity=1, champion=1, pushes=1, age=1, season=hazards.ANY_DAY, closeness=closeness)
    stated = day_chances(stage, at, own)
    rng, seen, total = Random(4), Counter[str](), 40_000
    for _ in range(total):
        log = Log([], [], [])
        run(rng, prospect, replace(standing), own=own, until=day + 1, days=days, log=log)
        for _, what, value in log.events:
            seen[kind_of(what, value, stage=stage, closes=day + closes_in)] += 1
    for name in EVENTS:
        error = 4 * (stated[name] * (1 - stated[name]) / total) ** 0.5 + 1e-9
        assert abs(seen[name] / total - stated[name]) <= error, name


def kind_of(what: str, value: object, *, stage: int, closes: int) -> str:
    if what == "close":
        return str(value)
    assert isinstance(value, int)
    if what == "stage":
        return "advance" if value > stage else "back"
    return "push" if value > closes else "pull"


def test_the_truth_is_what_becomes_of_deals(halden: DemoCompany) -> None:
    """Over many organizations of other seeds, the mean truth of a morning is the share that came true."""
    said = came = count = 0.0
    for seed in range(2, 12 if IS_NIGHTLY else 7):
        company = build_company(PLANS["halden"], deals=500, seed=seed, today=TODAY)
        end = (date(2026, 7, 1) - company.workdays.first).days
        won = {
            f"D-{lived.number + 1:06}": (found := standing_on(lived, end)) is not None
            and found.outcome == "won"
            for lived in lives(company, keeps_standings=True)
        }
        for truth in truths(company, at=AT, futures=40):
            said += truth.by_period_end.p_won
            came += won[truth.external_id]
            count += 1
    assert count > 150
    assert abs(said / count - came / count) < 3.5 * (0.2 * 0.8 / count) ** 0.5


def test_the_truth_knows_nothing_of_later_days(halden: DemoCompany) -> None:
    """The same morning seen from a simulation that ends on it, and from one that goes on."""
    later = list(truths(halden, at=AT, futures=5))
    assert later
    for truth in later:
        by_close = truth.by_close_date
        assert (by_close is None) == (truth.close_date < AT)
        for chances in filter(None, (by_close, truth.by_period_end)):
            assert chances.p_won + chances.p_lost + chances.p_open == pytest.approx(1)


def test_a_morning_outside_of_the_simulation_is_refused(halden: DemoCompany) -> None:
    with pytest.raises(ValueError, match="runs from"):
        next(truths(halden, at=TODAY + timedelta(days=1), futures=1))


def test_the_documented_tables_are_those_that_deals_live_by() -> None:
    text = (ROOT / "docs" / "demo.md").read_text()
    for name, rows in TABLES.items():
        section = text.split(f"<!-- {name} -->", 1)[1].split("\n\n", 1)[0]
        written = [line.split("|")[2:-1] for line in section.strip().splitlines()[2:]]
        assert [tuple(float(value) for value in row) for row in written] == [tuple(row) for row in rows], name


def test_the_same_data_whatever_the_process_and_its_hash_seed() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from hashlib import sha256; from datetime import date\n"
        "from otc.demo.company import build_company; from otc.demo.organizations import PLANS\n"
        "from otc.demo.simulation import simulate\n"
        "from otc.demo.calls import CallDays, Ledger, build_calls\n"
        "c = build_company(PLANS['halden'], deals=150, seed=5, today=date(2026, 11, 22))\n"
        "ledger = Ledger(c, call_days=CallDays(c)); d = list(simulate(c)); [ledger.add(x) for x in d]\n"
        "print(sha256(repr((c, d, build_calls(c, ledger))).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(digests) == 1


def test_ids_look_like_uuid7_follow_from_the_seed_and_differ_by_row(halden: DemoCompany) -> None:
    at = halden.workdays.midnight(9)
    one = demo_id(1, kind="account", key="A-1", at=at)
    assert one == demo_id(1, kind="account", key="A-1", at=at) and one.version == 7
    assert one != demo_id(2, kind="account", key="A-1", at=at) != demo_id(1, kind="contact", key="A-1", at=at)
    assert len({text_id(at, key=77, number=number) for number in range(5000)}) == 5000


# Calls


@pytest.fixture(scope="module")
def ledger(halden: DemoCompany) -> Ledger:
    found = Ledger(halden, call_days=CallDays(halden))
    for deal in simulate(halden):
        found.add(deal)
    return found


def test_everybody_calls_most_fridays_and_nobody_before_joining(halden: DemoCompany, ledger: Ledger) -> None:
    calls = build_calls(halden, ledger)
    days = Counter(call.at.weekday() for call in calls)
    assert set(days) == {0, 4} and days[4] > 10 * days[0]
    assert all(call.amount_minor >= 0 for call in calls)
    assert {call.column for call in calls} == {COMMIT, MOST_LIKELY, BEST_CASE}
    quarter = [call for call in calls if call.period == "2026-Q2" and call.column == COMMIT]
    people = {p.key: p for p in halden.people}
    assert {people[call.person].role for call in quarter} == {"rep", "manager", "executive"}
    top = sum(call.person == halden.people[0].key for call in quarter)
    assert 10 <= top <= 13
    keys = [(call.person, call.period, call.column, call.at) for call in calls]
    assert len(keys) == len(set(keys))


def test_a_best_case_call_is_no_less_than_the_commit_beside_it(halden: DemoCompany, ledger: Ledger) -> None:
    by_moment: dict[tuple[str, date], dict[str, int]] = {}
    for call in build_calls(halden, ledger):
        by_moment.setdefault((call.person, call.at.date()), {})[call.column] = call.amount_minor
    assert all(found[BEST_CASE] >= found[MOST_LIKELY] >= found[COMMIT] for found in by_moment.values())


def test_some_people_call_too_little_again_and_again_and_some_too_much(
    halden: DemoCompany, ledger: Ledger
) -> None:
    """The persistent part of the errors is what a track record can find."""
    errors: dict[str, list[float]] = {}
    for call in build_calls(halden, ledger):
        if call.column != COMMIT:
            continue
        period = next(n for n, p in enumerate(ledger.call_days.periods) if p.key == call.period)
        fridays = ledger.call_days.fridays[period]
        if len(fridays) < 13 or (call.at.date() - halden.workdays.dates[fridays[6]]).days:
            continue
        is_manager = next(p.role for p in halden.people if p.key == call.person) == "manager"
        if is_manager:
            team = [p.key for p in halden.people if p.manager == call.person] + [call.person]
            won = sum(ledger.standing(person, period)[-1][0] for person in team)
            errors.setdefault(call.person, []).append(call.amount_minor / max(won, 1) - 1)
    means = [sum(found) / len(found) for found in errors.values() if len(found) >= 4]
    assert max(means) > 0.05


def test_a_merged_ledger_is_that_of_the_whole(halden: DemoCompany, ledger: Ledger) -> None:
    merged = Ledger(halden, call_days=CallDays(halden))
    for numbers in (range(300), range(300, 800)):
        part = Ledger(halden, call_days=CallDays(halden))
        for deal in simulate(halden, numbers=numbers):
            part.add(deal)
        merged.merge(part.changes)
    assert merged.changes == ledger.changes
    assert build_calls(halden, merged) == build_calls(halden, ledger)
