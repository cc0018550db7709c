"""What the writers of deals promise, whatever the surface."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from otc.money.models import Rate
from otc.tenancy.context import use
from pipeline.activities.models import Activity
from pipeline.activities.services import activity_log
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_edit,
    opportunity_reopen,
    opportunity_undo,
)
from pipeline.process.models import CloseReason, Milestone, Stage

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
TODAY = date(2026, 11, 19)


def stage(name):
    return Stage.objects.get(name=name)


def mark_required(deal, name, state="met"):
    for milestone in Milestone.objects.filter(stage__name=name, is_required=True):
        milestone_mark(deal.id, milestone_id=milestone.id, state=state, now=NOW)


def test_a_move_forward_is_refused_while_a_required_milestone_is_open(inside, make_deal):
    deal = make_deal(owner=inside.ana)
    with pytest.raises(MoveRefused) as refused:
        opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    assert [milestone.name for milestone in refused.value.missing] == ["Problem confirmed by the buyer"]


def test_a_refused_move_says_what_is_met_too(inside, make_deal):
    deal = make_deal(stage_id=stage("Validate").id)
    agreed = Milestone.objects.get(name="Success criteria agreed")
    milestone_mark(deal.id, milestone_id=agreed.id, state="met", now=NOW)
    with pytest.raises(MoveRefused) as refused:
        opportunity_edit(deal.id, changes={"stage_id": stage("Propose").id})
    assert [milestone.name for milestone in refused.value.met] == ["Success criteria agreed"]
    assert [milestone.name for milestone in refused.value.missing] == ["Economic buyer met"]


@pytest.mark.parametrize("state", ["met", "waived"])
def test_a_met_or_waived_milestone_lets_the_deal_pass(inside, make_deal, state):
    deal = make_deal()
    mark_required(deal, "Qualify", state)
    opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    assert Opportunity.objects.get(id=deal.id).stage.name == "Discover"


def test_a_jump_over_stages_asks_for_the_milestones_of_each_stage_left(inside, make_deal):
    deal = make_deal()
    mark_required(deal, "Qualify")
    with pytest.raises(MoveRefused) as refused:
        opportunity_edit(deal.id, changes={"stage_id": stage("Validate").id})
    assert {milestone.stage for milestone in refused.value.missing} == {"Discover"}


def test_a_move_backward_is_never_gated(inside, make_deal):
    deal = make_deal(stage_id=stage("Negotiate").id)
    opportunity_edit(deal.id, changes={"stage_id": stage("Qualify").id})
    assert Opportunity.objects.get(id=deal.id).stage.name == "Qualify"


def test_an_import_may_move_a_deal_past_open_milestones(inside, make_deal):
    deal = make_deal()
    with use(inside.organization.id, channel="import"):
        opportunity_edit(deal.id, changes={"stage_id": stage("Sign").id})
    assert Opportunity.objects.get(id=deal.id).stage.name == "Sign"


def test_a_refused_edit_writes_no_version(inside, make_deal):
    deal = make_deal()
    with pytest.raises(Refused):
        opportunity_edit(deal.id, changes={"stage_id": stage("Sign").id})
    assert OpportunityVersion.objects.filter(opportunity=deal).count() == 1


def test_an_amount_without_a_known_rate_is_refused_by_currency_and_day(inside, make_deal):
    with pytest.raises(Refused, match="No rate of GBP to EUR is known on 2026-12-18"):
        make_deal(amount_minor=100, currency="GBP", close_date=date(2026, 12, 18))


def test_an_amount_with_a_rate_is_accepted(inside, make_deal):
    Rate(currency="GBP", valid_from=date(2020, 1, 1), rate="1.2", known_from=NOW - timedelta(days=900)).save()
    assert make_deal(amount_minor=100, currency="GBP", close_date=date(2026, 12, 18)).currency == "GBP"


def test_a_closing_without_a_reason_is_refused(inside, make_deal):
    deal = make_deal()
    with pytest.raises(Refused, match="reason"):
        opportunity_close(deal.id, outcome="lost", reason_id=None, now=NOW, today=TODAY)


def test_a_closed_deal_keeps_its_stage_until_it_is_reopened(inside, make_deal):
    deal = make_deal()
    reason = CloseReason.objects.get(name="Price")
    opportunity_close(deal.id, outcome="lost", reason_id=reason.id, now=NOW, today=TODAY)
    with pytest.raises(Refused, match="reopen"):
        opportunity_edit(deal.id, changes={"category": "commit"})
    opportunity_reopen(deal.id)
    opportunity_edit(deal.id, changes={"category": "commit"})
    assert Opportunity.objects.get(id=deal.id).category == "commit"


def lose(deal, **fields):
    reason = CloseReason.objects.get(name="Price")
    return opportunity_close(deal.id, outcome="lost", reason_id=reason.id, now=NOW, today=TODAY, **fields)


def test_a_reopened_deal_has_the_close_date_from_before_its_closing(inside, make_deal):
    deal = make_deal(close_date=date(2026, 12, 18))
    assert lose(deal).opportunity.close_date == TODAY
    assert opportunity_reopen(deal.id).opportunity.close_date == date(2026, 12, 18)


def test_a_close_date_changed_after_the_closing_outlives_reopening(inside, make_deal):
    deal = make_deal(close_date=date(2026, 12, 18))
    lose(deal)
    opportunity_edit(deal.id, changes={"close_date": date(2027, 1, 15)})
    assert opportunity_reopen(deal.id).opportunity.close_date == date(2027, 1, 15)


def test_the_second_reopening_goes_back_to_the_second_closing(inside, make_deal):
    deal = make_deal(close_date=date(2026, 12, 18))
    lose(deal)
    opportunity_reopen(deal.id)
    opportunity_edit(deal.id, changes={"close_date": date(2027, 2, 1)})
    lose(deal)
    assert opportunity_reopen(deal.id).opportunity.close_date == date(2027, 2, 1)


def test_a_closing_before_the_deal_was_created_is_refused(inside, make_deal):
    deal = make_deal(now=datetime(2026, 11, 10, 12, tzinfo=UTC))
    with pytest.raises(Refused, match="before it was created, on 2026-11-10") as refused:
        lose(deal, close_date=date(2026, 11, 9))
    assert refused.value.field == "close_date"
    assert lose(deal, close_date=date(2026, 11, 10)).opportunity.close_date == date(2026, 11, 10)


def test_undo_puts_a_name_back_where_it_is_looked_up(inside, make_deal):
    deal = make_deal("Kestrel Rail")
    written = opportunity_edit(deal.id, changes={"name": "Sorrel"})
    opportunity_undo(deal.id, to_version=written.before)
    assert Opportunity.objects.get(id=deal.id).name_folded == "kestrel rail"


def test_undo_is_refused_once_somebody_else_changed_the_deal(inside, make_deal):
    deal = make_deal()
    written = opportunity_edit(deal.id, changes={"next_step": "Call Mats"})
    opportunity_edit(deal.id, changes={"next_step": "Call Helena"})
    with pytest.raises(Refused, match="changed this deal since"):
        opportunity_undo(deal.id, to_version=written.before)


def test_an_activity_is_logged_by_the_acting_person(inside, make_deal):
    deal = make_deal()
    with use(inside.organization.id, person_id=inside.ana.id, channel="ui"):
        activity_log(deal.id, kind="call", at=NOW, now=NOW, subject="Terms call")
    assert Activity.objects.get(opportunity=deal).person_id == inside.ana.id


def test_an_activity_that_lies_ahead_is_refused(inside, make_deal):
    deal = make_deal()
    with pytest.raises(Refused, match="next step"):
        activity_log(deal.id, kind="call", at=timezone.now() + timedelta(days=1), now=timezone.now())
