"""The top bar's choices."""

import pytest

from otc.calendar.rules import parse_period
from otc.ui.bar import period_choices


@pytest.mark.parametrize("key", ["1900", "1900-Q1", "2200", "2200-Q4", "2200-12"])
def test_the_calendar_ends_and_the_choices_end_with_it(key):
    assert key in dict(period_choices(parse_period(key)))
