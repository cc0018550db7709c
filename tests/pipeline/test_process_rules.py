"""The engine alone: what a process asks of a move, whole and no more."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.process.rules import (
    OUTSIDE,
    ApprovalAsked,
    DealFacts,
    Place,
    ProcessRules,
    StageMilestone,
    StageRules,
    judge_amount,
    judge_arrival,
    judge_emptying,
    judge_move,
    judge_removal,
    judge_winning,
    mapped_stage,
)


def stage(position, **rules):
    return StageRules(UUID(int=position), f"S{position}", position, **rules)


def milestone(number, position, *, is_required=True):
    return StageMilestone(UUID(int=100 + number), f"M{number}", position, f"S{position}", is_required)


PLAIN = tuple(stage(position) for position in (1, 2, 3, 4))


def process(*stages, milestones=(), gates_winning=False):
    own = {one.position: one for one in stages}
    return ProcessRules(tuple(own.get(one.position, one) for one in PLAIN), tuple(milestones), gates_winning)


def move(rules, *, leaving, entering, **facts):
    target = next(one for one in rules.stages if one.position == entering)
    return judge_move(rules, leaving=leaving, target=target, facts=DealFacts(**facts))


def test_a_process_without_rules_keeps_nobody():
    assert move(process(), leaving=1, entering=4).is_clear
    assert move(process(), leaving=4, entering=1).is_clear


def test_required_milestones_of_every_stage_left_are_missing_and_met_ones_are_told():
    rules = process(milestones=[milestone(1, 1), milestone(2, 2), milestone(3, 2), milestone(4, 3)])
    verdict = move(rules, leaving=1, entering=3, marked=frozenset({UUID(int=102)}))
    assert [one.name for one in verdict.milestones] == ["M1", "M3"]
    assert [one.name for one in verdict.met] == ["M2"]


def test_an_optional_milestone_keeps_nobody():
    assert move(process(milestones=[milestone(1, 1, is_required=False)]), leaving=1, entering=2).is_clear


def test_required_fields_of_every_stage_entered_are_missing_once():
    rules = process(stage(2, required_fields=("amount", "source")), stage(3, required_fields=("amount",)))
    assert move(rules, leaving=1, entering=3).fields == ("amount", "source")
    assert move(rules, leaving=1, entering=3, filled=frozenset({"amount"})).fields == ("source",)
    assert move(rules, leaving=2, entering=3).fields == ("amount",)


def test_a_stage_that_may_not_be_skipped_bars_a_jump_over_it():
    rules = process(stage(2, may_be_skipped=False))
    assert move(rules, leaving=1, entering=3).skipped == ("S2",)
    assert move(rules, leaving=1, entering=3).is_barred
    assert move(rules, leaving=1, entering=2).is_clear
    assert move(rules, leaving=2, entering=4).is_clear


def test_there_is_no_way_back_from_a_stage_nor_from_beyond_it_to_before_it():
    rules = process(stage(3, may_go_back=False))
    assert move(rules, leaving=3, entering=2).kept_by == "S3"
    assert move(rules, leaving=4, entering=2).kept_by == "S3"
    assert move(rules, leaving=4, entering=3).is_clear
    assert move(rules, leaving=2, entering=1).is_clear
    assert judge_removal(rules, leaving=4).kept_by == "S3"
    assert judge_removal(rules, leaving=2).is_clear


def test_above_the_amount_an_approval_is_asked_and_for_what_was_approved_it_is_not():
    rules = process(stage(2, approval_above_minor=100))
    assert move(rules, leaving=1, entering=3, amount_minor=101).approval == ApprovalAsked(
        UUID(int=2), "S2", 100
    )
    assert move(rules, leaving=1, entering=2, amount_minor=100).is_clear
    assert move(rules, leaving=1, entering=2).is_clear
    assert move(rules, leaving=2, entering=3, amount_minor=101).is_clear
    assert move(rules, leaving=1, entering=2, amount_minor=101, approved_minor=101).is_clear
    assert not move(rules, leaving=1, entering=2, amount_minor=102, approved_minor=101).is_clear


def test_a_verdict_names_everything_at_once():
    rules = process(
        stage(2, may_be_skipped=False, required_fields=("amount",), approval_above_minor=1),
        milestones=[milestone(1, 1)],
    )
    verdict = move(rules, leaving=1, entering=3, amount_minor=2)
    assert verdict.milestones and verdict.fields and verdict.skipped and verdict.approval
    assert not verdict.is_free


def test_worth_more_in_a_stage_asks_for_what_entering_it_would_have_asked():
    rules = process(stage(2, approval_above_minor=100))
    assert judge_amount(rules, standing=3, facts=DealFacts(amount_minor=500)).approval.stage == "S2"
    assert judge_amount(rules, standing=1, facts=DealFacts(amount_minor=500)).is_clear


def test_a_field_that_was_asked_for_is_not_emptied():
    rules = process(stage(2, required_fields=("amount",)))
    assert judge_emptying(rules, standing=3, emptied={"amount", "source"}) == ("amount",)
    assert judge_emptying(rules, standing=1, emptied={"amount"}) == ()


def test_a_new_deal_misses_no_milestone_but_everything_else():
    rules = process(
        stage(1, required_fields=("source",)),
        stage(2, may_be_skipped=False, approval_above_minor=1),
        milestones=[milestone(1, 1)],
    )
    verdict = judge_arrival(rules, mapped=None, target=rules.stages[2], facts=DealFacts(amount_minor=9))
    assert (verdict.milestones, verdict.fields, verdict.skipped) == ((), ("source",), ("S2",))
    assert verdict.approval is not None


def test_a_deal_of_another_process_goes_on_from_the_stage_it_is_mapped_to():
    rules = process(
        stage(1, required_fields=("source",)), milestones=[milestone(1, 1), milestone(2, 2), milestone(3, 3)]
    )
    _, second, third, _ = rules.stages
    at_home = judge_arrival(rules, mapped=second, target=second, facts=DealFacts())
    assert (at_home.milestones, at_home.fields) == ((), ("source",))
    further = judge_arrival(rules, mapped=second, target=third, facts=DealFacts())
    assert [one.name for one in further.milestones] == ["M2"]


def test_winning_asks_for_the_rest_of_the_way_only_where_the_process_says_so():
    milestones = [milestone(1, 1), milestone(4, 4)]
    free, gated = process(milestones=milestones), process(milestones=milestones, gates_winning=True)
    assert judge_winning(free, leaving=2, facts=DealFacts()).is_clear
    verdict = judge_winning(gated, leaving=2, facts=DealFacts())
    assert (verdict.target, [one.name for one in verdict.milestones]) == ("Won", ["M4"])


HERE = Place(UUID(int=1), "Pilot", 2, "best_case")


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([("A", 1, "pipeline"), ("pilot", 2, None)], "pilot"),
        ([("A", 1, "pipeline"), ("B", 2, "commit"), ("C", 3, "best_case")], "C"),
        ([("A", 1, "pipeline"), ("B", 2, "commit"), ("C", 3, "commit")], "B"),
        ([("A", 1, "pipeline")], "A"),
        ([], None),
    ],
)
def test_a_switch_maps_by_name_then_category_then_how_far(there, found):
    places = [Place(UUID(int=9), *one) for one in there]
    mapped = mapped_stage(HERE, stages=places)
    assert (mapped.name if mapped else None) == found


positions = st.integers(1, 4)
rule_sets = st.builds(
    StageRules,
    id=st.just(UUID(int=0)),
    name=st.just("S"),
    position=st.just(0),
    may_be_skipped=st.booleans(),
    may_go_back=st.booleans(),
    approval_above_minor=st.none() | st.integers(0, 3),
    required_fields=st.lists(st.sampled_from(["amount", "source"]), unique=True).map(tuple),
)


@given(
    rules=st.lists(rule_sets, min_size=4, max_size=4),
    required=st.sets(positions),
    marked=st.sets(positions),
    filled=st.sets(st.sampled_from(["amount", "source"])),
    amount=st.none() | st.integers(0, 4),
    leaving=st.integers(OUTSIDE, 4),
    entering=positions,
)
def test_a_jump_asks_for_no_less_than_its_steps_one_by_one(
    rules, required, marked, filled, amount, leaving, entering
):
    """No way through several stages is easier in one move than in many: else a jump would dodge the rules."""
    stages = tuple(
        replace(one, id=UUID(int=position), position=position) for position, one in enumerate(rules, start=1)
    )
    # Who comes from outside leaves no stage, and so misses no milestone, however far in.
    asked = sorted(required) if leaving != OUTSIDE else ()
    whole = ProcessRules(stages, tuple(milestone(one, one) for one in asked))
    facts = DealFacts(frozenset(filled), frozenset(UUID(int=100 + one) for one in marked), amount)
    jump = judge_move(whole, leaving=leaving, target=stages[entering - 1], facts=facts)
    if not jump.is_clear:
        return
    step = 1 if entering > leaving else -1
    for position in range(leaving + step, entering + step, step) if entering != leaving else ():
        if position == OUTSIDE:
            continue
        verdict = judge_move(whole, leaving=position - step, target=stages[position - 1], facts=facts)
        assert verdict.is_clear
