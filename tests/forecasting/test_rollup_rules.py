"""No money is dropped on the way up, and final amounts are the unadjusted ones plus every effect shown."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.rollup.rules import (
    ADJUSTABLE,
    COLUMNS,
    SINGLE,
    Adjustment,
    Amounts,
    Kind,
    NotAdjustable,
    ReportingCycle,
    RollupError,
    Tree,
    rollup,
    unassigned_people,
)
from tests.forecasting.own_amounts import by_person

LINE = Tree({"eve": None, "max": "eve", "ana": "max", "bob": "max"})
OWN = by_person({("ana", "commit"): 100, ("bob", "commit"): 50, ("max", "commit"): 7, ("ana", "closed"): 30})
PEOPLE = [f"p{n}" for n in range(8)]


@st.composite
def trees(draw) -> Tree:
    """Each person reports to a later one, is a top, or has no line: never a cycle."""
    manager_of = {}
    for place, person in enumerate(PEOPLE):
        above = draw(st.sampled_from([*PEOPLE[place + 1 :], None, "no line"]))
        if above != "no line":
            manager_of[person] = above
    return Tree(manager_of, frozenset(draw(st.sets(st.sampled_from(PEOPLE), max_size=2))))


CATEGORIES = st.sampled_from(["omitted", None, "pipeline", "best_case", "most_likely", "commit", "closed"])
OWNS = st.dictionaries(
    st.tuples(st.sampled_from([*PEOPLE, None, "stranger"]), CATEGORIES), st.integers(-(10**9), 10**12)
)
ADJUSTMENTS = st.lists(
    st.builds(
        Adjustment,
        person=st.sampled_from(PEOPLE),
        column=st.sampled_from(sorted(ADJUSTABLE)),
        author=st.sampled_from(PEOPLE),
        kind=st.sampled_from(list(Kind)),
        amount_minor=st.integers(-(10**9), 10**9),
        base_minor=st.none() | st.integers(0, 3),
    ),
    max_size=8,
)


def in_column(own: dict, column: str, *, keep=lambda owner: True) -> int:
    return sum(
        amount
        for (owner, category), amount in own.items()
        if (category or "no_category") in COLUMNS[column] and keep(owner)
    )


def known(own: dict, tree: Tree) -> set:
    return {*tree.manager_of, *filter(None, tree.manager_of.values()), *(o for o, _ in own if o is not None)}


@given(own=OWNS, tree=trees())
def test_own_amounts_and_unassigned_sum_to_the_total(own, tree):
    grid = rollup(by_person(own), tree=tree)
    outside = unassigned_people(tree, people={owner for owner, _ in own if owner is not None})
    for column in COLUMNS:
        total = grid.total.amounts[column]
        assert total.rolled_up == total.final == in_column(own, column)
        assert sum(row.amounts[column].own for row in grid.rows) == in_column(own, column, keep=bool)
        lost = in_column(own, column, keep=lambda owner: owner is None or owner in outside)
        assert grid.unassigned.amounts[column].rolled_up == lost
        tops = [row for row in grid.rows if row.depth == 0 and not row.is_unassigned]
        assert sum(row.amounts[column].rolled_up for row in tops) + lost == total.rolled_up
    assert Counter(row.person for row in grid.rows) == Counter(known(own, tree))


@given(own=OWNS, tree=trees(), adjustments=ADJUSTMENTS)
def test_final_amounts_are_the_unadjusted_ones_plus_the_effects_shown(own, tree, adjustments):
    adjustments = [a for a in adjustments if a.person in known(own, tree)]
    grid, plain = (
        rollup(by_person(own), tree=tree, adjustments=adjustments),
        rollup(by_person(own), tree=tree),
    )
    for column in COLUMNS:
        total = grid.total.amounts[column]
        assert total.rolled_up == plain.total.amounts[column].rolled_up
        effects = sum(e.amount_minor for e in grid.effects if e.adjustment.column == column)
        assert total.final == total.rolled_up + effects


@given(own=OWNS, tree=trees())
def test_a_row_is_its_own_amount_and_the_final_amounts_of_its_reports(own, tree):
    grid = rollup(by_person(own), tree=tree)
    rows = {row.person: row for row in grid.rows}
    for row in grid.rows:
        for column in COLUMNS:
            below = sum(rows[report].amounts[column].final for report in row.reports)
            assert row.amounts[column].final == row.amounts[column].own + below
        if row.manager is not None:
            assert row.depth == rows[row.manager].depth + 1


def test_a_manager_sees_reports_and_own_deals():
    grid = rollup(OWN, tree=LINE)
    assert grid.row("max").amounts["commit"] == Amounts(7, 157, 157, 157, 157)
    assert grid.row("eve").amounts["commit"] == Amounts(0, 157, 157, 157, 157)
    assert [(row.person, row.depth) for row in grid.rows] == [("eve", 0), ("max", 1), ("ana", 2), ("bob", 2)]


def test_cumulative_columns_add_what_is_surer():
    own = {("ana", category): 10**place for place, category in enumerate(SINGLE)}
    amounts = rollup(by_person(own), tree=LINE).row("ana").amounts
    assert amounts["commit_cumulative"].own == 1_100_000
    assert amounts["most_likely_cumulative"].own == 1_110_000
    assert amounts["best_case_cumulative"].own == 1_111_000
    assert amounts["open"].own == 111_110


def test_a_deal_without_a_category_has_a_column_and_counts_as_open():
    amounts = rollup(by_person({("ana", None): 5}), tree=LINE).total.amounts
    assert (amounts["no_category"].rolled_up, amounts["open"].rolled_up) == (5, 5)


def test_what_nobody_owns_or_reports_lands_in_unassigned():
    tree = Tree({"eve": None, "lin": "kim"})
    own = {(None, "commit"): 1, ("zed", "commit"): 2, ("lin", "commit"): 4, ("eve", "commit"): 8}
    grid = rollup(by_person(own), tree=tree)
    assert grid.unassigned.amounts["commit"] == Amounts(1, 7, 7, 7, 7)
    assert grid.total.amounts["commit"].rolled_up == 15
    assert unassigned_people(tree, people={"zed"}) == {"zed", "lin", "kim"}


def test_a_vacant_managers_branch_lands_in_unassigned_and_keeps_its_shape():
    grid = rollup(OWN, tree=Tree(LINE.manager_of, frozenset({"max"})))
    assert grid.row("eve").amounts["commit"].rolled_up == 0
    assert grid.row("max").amounts["commit"].rolled_up == 157
    assert grid.unassigned.amounts["commit"].rolled_up == 157
    assert grid.row("ana").is_unassigned and grid.row("ana").manager == "max"


def adjust(person, author, amount, *, kind=Kind.DELTA, column="commit", base=None) -> Adjustment:
    return Adjustment(person, column, author, kind, amount, base)


def test_a_person_sees_their_own_adjustment_and_their_manager_sees_both():
    grid = rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", -15), adjust("ana", "ana", 20)])
    assert grid.row("ana").amounts["commit"] == Amounts(100, 100, 100, 120, 105)
    assert grid.row("max").amounts["commit"] == Amounts(7, 157, 162, 162, 162)


def test_an_absolute_adjustment_replaces_the_amount_below_it():
    grid = rollup(OWN, tree=LINE, adjustments=[adjust("max", "eve", 1000, kind=Kind.ABSOLUTE)])
    assert grid.row("max").amounts["commit"] == Amounts(7, 157, 157, 157, 1000)
    assert [(e.below_minor, e.amount_minor) for e in grid.effects] == [(157, 843)]


def test_an_adjustment_moves_no_other_column():
    grid, plain = (
        rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", 5)]),
        rollup(OWN, tree=LINE),
    )
    changed = {c for c in COLUMNS if grid.total.amounts[c] != plain.total.amounts[c]}
    assert changed == {"commit"}


def test_a_later_adjustment_replaces_the_earlier():
    grid = rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", 5), adjust("ana", "max", 9)])
    assert grid.row("ana").amounts["commit"].final == 109


def test_an_adjustment_whose_base_moved_is_stale_and_still_counts():
    grid = rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", 5, base=90)])
    assert grid.effects[0].is_stale and grid.row("ana").amounts["commit"].final == 105
    assert not rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", 5, base=100)]).effects[0].is_stale


def test_a_former_managers_adjustment_is_marked_and_still_counts():
    grid = rollup(OWN, tree=LINE, adjustments=[adjust("ana", "kim", 5)])
    assert grid.effects[0].is_from_former_manager and grid.row("ana").amounts["commit"].final == 105


def test_for_a_vacant_manager_the_next_occupied_one_above_adjusts():
    tree = Tree(LINE.manager_of, frozenset({"max"}))
    assert tree.adjuster_of("ana") == "eve"
    assert not rollup(OWN, tree=tree, adjustments=[adjust("ana", "eve", 5)]).effects[0].is_from_former_manager


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - ADJUSTABLE))
def test_pipeline_and_closed_and_what_holds_them_whole_cannot_be_adjusted(column):
    with pytest.raises(NotAdjustable, match=column):
        rollup(OWN, tree=LINE, adjustments=[adjust("ana", "max", 5, column=column)])


def test_an_adjustment_of_a_stranger_is_refused():
    with pytest.raises(NotAdjustable, match="zed"):
        rollup(OWN, tree=LINE, adjustments=[adjust("zed", "max", 5)])


@pytest.mark.parametrize("manager_of", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_cycle_is_refused_by_name(manager_of):
    with pytest.raises(ReportingCycle, match="->"):
        Tree(manager_of)


def test_an_unknown_category_is_refused():
    with pytest.raises(RollupError, match="upside"):
        rollup(by_person({("ana", "upside"): 1}), tree=LINE)
