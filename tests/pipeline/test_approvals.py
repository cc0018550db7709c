"""Above an amount the manager or their delegate lets a deal on: asked, told, answered, and then moved once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.delegation.models import Delegation
from otc.notices.models import Notice
from otc.tenancy.context import use
from pipeline.approvals.decisions import (
    approval_ask,
    approval_decline,
    approval_grant,
    approval_withdraw,
)
from pipeline.approvals.models import ApprovalRequest
from pipeline.approvals.queries import approvers_of
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.process.models import Milestone, Stage

LIMIT, BIG = 100_000_00, 250_000_00


@pytest.fixture
def deal(house, make_deal):
    """ana's deal, worth more than Discover lets in unasked."""
    with use(house.organization.id, channel="ui"):
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(name="Discover").update(approval_above_minor=LIMIT)
        return make_deal(owner=house.ana, amount_minor=BIG)


def as_(house, person):
    return use(house.organization.id, person_id=person.id, channel="ui")


def stage(name):
    return Stage.objects.get(name=name)


def now():
    return timezone.now()


def ask(house, deal, **changes):
    with as_(house, house.ana):
        wanted = changes or {"stage_id": stage("Discover").id}
        return approval_ask(deal.id, changes=wanted, note="Renewal at stake", now=now())


def grant(house, request, person, reason=""):
    with as_(house, person):
        return approval_grant(request.id, reason=reason, now=now())


def stands_in(house, deal):
    with use(house.organization.id):
        return Opportunity.objects.select_related("stage").get(id=deal.id).stage.name


def let_stand_in(house, delegate, manager):
    today = now().date()
    with use(house.organization.id):
        Delegation(
            manager=manager,
            delegate=delegate,
            first_on=today - timedelta(days=1),
            last_on=today + timedelta(days=1),
        ).save()


def test_a_move_above_the_amount_is_refused_naming_limit_and_manager(house, deal):
    with as_(house, house.ana), pytest.raises(MoveRefused) as refused:
        opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    assert refused.value.reason == "Above 100,000 EUR, Discover needs the approval of Max Brandt"


def test_asking_tells_the_manager_and_is_on_the_audit(house, deal):
    request = ask(house, deal)
    assert (request.asked_of_id, request.amount_minor, request.currency) == (house.max.id, BIG, "EUR")
    assert stands_in(house, deal) == "Qualify"
    with use(house.organization.id):
        notice = Notice.objects.get(person=house.max)
        assert "waits for your approval" in notice.text and str(request.id) in notice.path
        assert AuditEntry.objects.filter(action="approval.asked", subject_id=deal.id).exists()


def test_a_delegate_hears_of_it_and_may_answer(house, deal):
    let_stand_in(house, house.jon, house.max)
    request = ask(house, deal)
    with use(house.organization.id):
        assert Notice.objects.filter(person=house.jon).exists()
    grant(house, request, house.jon)
    assert stands_in(house, deal) == "Discover"


def test_a_grant_moves_the_deal_once_and_tells_who_asked(house, deal):
    request = ask(house, deal)
    grant(house, request, house.max, "Go")
    assert stands_in(house, deal) == "Discover"
    with use(house.organization.id):
        assert Notice.objects.filter(person=house.ana, text__contains="granted: Go").exists()
        assert OpportunityVersion.objects.filter(opportunity=deal).count() == 2
    with pytest.raises(Refused, match="granted already"):
        grant(house, request, house.max)
    with as_(house, house.ana):
        opportunity_edit(deal.id, changes={"stage_id": stage("Qualify").id})
        with pytest.raises(MoveRefused):
            opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})


def test_declining_needs_a_reason_and_moves_nothing(house, deal):
    request = ask(house, deal)
    with as_(house, house.max):
        with pytest.raises(Refused, match="Say why"):
            approval_decline(request.id, reason=" ", now=now())
        approval_decline(request.id, reason="No budget named", now=now())
    assert stands_in(house, deal) == "Qualify"
    with use(house.organization.id):
        assert Notice.objects.get(person=house.ana).is_bad


@pytest.mark.parametrize("who", ["ana", "jon", "ops", "bot"])
def test_nobody_else_answers(house, deal, who):
    request = ask(house, deal)
    with pytest.raises(Refused, match="decides about this deal"):
        grant(house, request, house.people[who])
    assert stands_in(house, deal) == "Qualify"


def test_who_stands_in_for_the_manager_does_not_decide_about_a_deal_of_their_own(house, make_deal):
    let_stand_in(house, house.jon, house.max)
    with use(house.organization.id):
        assert house.jon.id in approvers_of(house.ana.id, now=now()).deciders
        assert house.jon.id not in approvers_of(house.jon.id, now=now()).deciders


def test_a_managers_manager_may_answer_and_a_top_decides_alone(house):
    with use(house.organization.id):
        assert house.eve.id in approvers_of(house.ana.id, now=now()).deciders
        assert approvers_of(house.max.id, now=now()).asked_of == house.eve.id
        assert approvers_of(house.eve.id, now=now()).deciders == {house.eve.id}
        assert approvers_of(None, now=now()).deciders == {house.eve.id}


def test_the_manager_approves_by_moving_and_that_is_kept(house, deal):
    with as_(house, house.max):
        opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    with use(house.organization.id):
        kept = ApprovalRequest.objects.get(opportunity=deal)
        assert (kept.state, kept.decided_by_id, kept.amount_minor) == ("granted", house.max.id, BIG)
        assert AuditEntry.objects.filter(action="approval.given_by_moving").exists()


def test_a_question_is_asked_once_at_a_time_and_may_be_taken_back(house, deal):
    request = ask(house, deal)
    with pytest.raises(Refused, match="asked for already"):
        ask(house, deal)
    with as_(house, house.ana):
        approval_withdraw(request.id, now=now())
    assert ask(house, deal).id != request.id


def test_what_moved_meanwhile_is_overtaken(house, deal):
    request = ask(house, deal)
    with as_(house, house.max):
        opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    with use(house.organization.id):
        assert ApprovalRequest.objects.get(id=request.id).state == "overtaken"
    with pytest.raises(Refused):
        grant(house, request, house.max)


def test_a_deal_that_grew_since_it_was_asked_is_not_let_in(house, deal):
    request = ask(house, deal)
    with as_(house, house.ana):
        opportunity_edit(deal.id, changes={"amount_minor": BIG * 2})
    with pytest.raises(Refused, match="worth more by now"):
        grant(house, request, house.max)
    assert stands_in(house, deal) == "Qualify"


def test_an_approval_is_asked_for_last(house, deal):
    with use(house.organization.id):
        Milestone.objects.filter(name="Problem confirmed by the buyer").update(is_required=True)
    with pytest.raises(MoveRefused, match="meet or waive"):
        ask(house, deal)
    with use(house.organization.id):
        assert not ApprovalRequest.objects.exists()


def test_worth_more_than_the_stage_lets_in_is_asked_for_too(house, make_deal):
    with use(house.organization.id, channel="ui"):
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(name="Discover").update(approval_above_minor=LIMIT)
        small = make_deal(owner=house.ana, amount_minor=LIMIT)
    with as_(house, house.ana):
        opportunity_edit(small.id, changes={"stage_id": stage("Validate").id})
        with pytest.raises(MoveRefused):
            opportunity_edit(small.id, changes={"amount_minor": BIG})
        opportunity_edit(small.id, changes={"amount_minor": LIMIT - 1})
    request = ask(house, small, amount_minor=BIG)
    grant(house, request, house.max)
    with as_(house, house.ana):
        assert Opportunity.objects.get(id=small.id).amount_minor == BIG
        opportunity_edit(small.id, changes={"amount_minor": LIMIT})
        opportunity_edit(small.id, changes={"amount_minor": BIG})
        with pytest.raises(MoveRefused):
            opportunity_edit(small.id, changes={"amount_minor": BIG + 1})


def test_the_pages_ask_and_answer(house, deal, signed_in):
    with use(house.organization.id):
        discover = stage("Discover").id
    browser = signed_in(house.ana)
    url = house.url(f"deals/{deal.id}/gate/")
    assert "Ask for approval" in browser.get(f"{url}?stage={discover}").content.decode()
    assert browser.post(url, {"stage": discover, "note": "Please"}).status_code == 302
    with use(house.organization.id):
        request = ApprovalRequest.objects.get(opportunity=deal)
    page = house.url(f"approvals/{request.id}/")
    assert "Your answer" not in browser.get(page).content.decode()
    assert browser.post(page, {"answer": "granted"}).status_code == 422
    manager = signed_in(house.max)
    assert "Please" in manager.get(page).content.decode()
    assert manager.post(page, {"answer": "declined", "reason": ""}).status_code == 422
    assert manager.post(page, {"answer": "granted"}).status_code == 302
    assert stands_in(house, deal) == "Discover"
    assert "Granted" in manager.get(house.url("approvals/")).content.decode()
