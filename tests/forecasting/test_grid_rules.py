"""Which rows of the grid stand open, and what a typed adjustment means."""

import pytest

from forecasting.grid.rules import Node, Rest, Typed, below_counts, opened_by_default, read_typed, shown_rows
from otc.ui.amounts import AmountNotUnderstood, parse_amount


def chart(tops: int, *fans: int) -> list[Node]:
    """Lines in which everybody of a level has as many reports: depth first, named by their path."""
    nodes: list[Node] = []

    def grow(name: str, depth: int) -> None:
        reports = tuple(f"{name}.{place}" for place in range(fans[depth])) if depth < len(fans) else ()
        nodes.append(Node(name, depth, reports))
        for report in reports:
            grow(report, depth + 1)

    for top in range(tops):
        grow(str(top), 0)
    return nodes


def test_whole_levels_open_as_long_as_sixty_rows_hold_them():
    nodes = chart(1, 5, 5, 5)
    opened = opened_by_default(nodes)
    assert len(shown_rows(nodes, opened=opened)) == 1 + 5 + 25
    assert "0.0.0" not in opened


def test_more_than_sixty_tops_stand_behind_more():
    nodes = chart(75)
    rows = shown_rows(nodes, opened=opened_by_default(nodes))
    assert rows[-1] == Rest(None, 0, 15)
    assert len(rows) == 61
    assert len(shown_rows(nodes, opened=frozenset(), whole=frozenset([None]))) == 75


def test_of_many_reports_the_first_sixty_are_shown_and_the_others_on_demand():
    nodes = chart(2, 70)
    rows = shown_rows(nodes, opened=frozenset(["0"]))
    assert [row.person for row in rows[:2] if isinstance(row, Node)] == ["0", "0.0"]
    assert rows[61:] == [Rest("0", 1, 10), nodes[71]]
    assert len(shown_rows(nodes, opened=frozenset(["0"]), whole=frozenset(["0"]))) == 72


def test_reports_of_a_shut_manager_are_hidden_with_theirs():
    nodes = chart(1, 2, 2)
    rows = shown_rows(nodes, opened=frozenset(["0.0", "0.1"]))
    assert rows == [nodes[0]]


def test_adjustments_below_are_counted_along_the_line():
    parents = [("eve", None), ("max", "eve"), ("ana", "max"), ("bob", "max")]
    counts = below_counts(parents, effects={"ana": [1], "bob": [1, 1], "max": [1]})
    assert counts == {"max": 3, "eve": 4}


@pytest.mark.parametrize(
    ("text", "is_absolute", "minor"),
    [
        ("-40", False, -4_000_000),
        ("\N{MINUS SIGN}40", False, -4_000_000),
        ("+40k", False, 4_000_000),
        ("=660k", True, 66_000_000),
        ("= 660", True, 66_000_000),
        ("660", True, 66_000_000),
        ("1.2m", True, 120_000_000),
        ("-0.5", False, -50_000),
        ("=12.345", True, 1_234_500),
        ("386,000", True, 38_600_000),
        ("-1 200", False, -120_000_000),
        ("=-40", True, -4_000_000),
    ],
)
def test_what_is_typed_counts_in_the_thousands_of_the_grid(text, is_absolute, minor):
    def parse(typed: str) -> int:
        return parse_amount(typed, currency="EUR", allow_negative=True)

    assert read_typed(text, parse=parse, thousand=100_000) == Typed(is_absolute, minor)


@pytest.mark.parametrize("text", ["", "=", "forty", "4 000 000 000 000k", "12.3.4", "=1e9"])
def test_what_names_no_amount_is_said_to(text):
    with pytest.raises(AmountNotUnderstood):
        read_typed(text, parse=lambda typed: parse_amount(typed, currency="EUR"), thousand=100_000)
