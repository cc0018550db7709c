"""The top bar's choices."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from otc.calendar.rules import parse_period
from otc.tenancy.lines import ALL_OWNERS, Chart, Owners
from otc.ui.bar import PEOPLE_OFFERED, in_line_order, people_offered, period_choices


@pytest.mark.parametrize("key", ["1900", "1900-Q1", "2200", "2200-Q4", "2200-12"])
def test_the_calendar_ends_and_the_choices_end_with_it(key):
    assert key in dict(period_choices(parse_period(key)))


def numbered(number: int) -> UUID:
    return UUID(int=number)


# A top, 40 leaders below, ten people each.
LEADERS = [numbered(number) for number in range(1, 41)]
CROWD = Chart(
    {numbered(0): None}
    | {leader: numbered(0) for leader in LEADERS}
    | {numbered(100 * leader.int + place): leader for leader in LEADERS for place in range(10)}
)


@dataclass
class Named:
    """As much of a person as the order asks for."""

    name_folded: str


def test_of_many_people_the_leaders_are_offered_and_whoever_is_asked_for():
    asked = numbered(1703)
    assert people_offered(CROWD, ALL_OWNERS, named={str(asked)}) == {numbered(0), *LEADERS, asked}


def test_everybody_is_offered_where_there_are_few():
    branch = CROWD.branch(LEADERS[0])
    assert people_offered(CROWD, Owners(branch, False), named=()) == set(branch)


def test_never_are_more_offered_than_a_list_can_hold():
    chart = Chart({numbered(number): numbered(number - 1) if number else None for number in range(1000)})
    assert len(people_offered(chart, ALL_OWNERS, named=())) == PEOPLE_OFFERED


def test_who_is_asked_for_stands_below_the_next_one_above_who_is_offered():
    deep = Chart({numbered(0): None, numbered(1): numbered(0), numbered(2): numbered(1)})
    people = {numbered(0): Named("top"), numbered(2): Named("deep")}
    assert in_line_order(deep, people) == [(numbered(0), 0), (numbered(2), 1)]
