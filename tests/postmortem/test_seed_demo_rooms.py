"""Do the demo's rooms hold what a deal, an account and a manager's day are made of, by the rules of each?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from otc.jobs.models import Job
from otc.notices.models import Notice
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Account
from pipeline.approvals.decisions import approval_grant
from pipeline.approvals.models import ApprovalRequest
from pipeline.approvals.queries import approvers_of
from pipeline.closeplan.models import ClosePlanEvent
from pipeline.comments.models import DealComment
from pipeline.comments.rules import Somebody, mentions_in
from pipeline.duplicates.sketches import accounts_compared
from pipeline.fit.queries import scorecard_now
from pipeline.fit.report import criteria_of, fit_preview
from pipeline.history.models import OpportunityVersion
from pipeline.lines.models import DealLine
from pipeline.lines.report import terms_of
from pipeline.lines.rules import line_terms, lines_sums
from pipeline.links.models import DealLink
from pipeline.opportunities.models import Opportunity, OpportunityMilestone, Product
from pipeline.plans.models import AccountPlan, PlannedTouch
from postmortem.demo.services import Seeded, demo_seed

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[Seeded]:
    """Kitano, seeded once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield demo_seed("kitano", deals=160, seed=3, now=NOW)
        transaction.set_rollback(True)


@pytest.fixture
def kitano(seeded: Seeded, db: None) -> Seeded:
    """What a test writes into it is rolled back at the test's end."""
    return seeded


def test_lines_come_to_the_amount_whenever_it_changed(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        by_deal: dict[Any, list[DealLine]] = {}
        for line in DealLine.objects.order_by("valid_from"):
            by_deal.setdefault(line.opportunity_id, []).append(line)
        assert len(by_deal) > 15
        compared = 0
        for deal_id, lines in by_deal.items():
            versions = OpportunityVersion.objects.filter(opportunity_id=deal_id, known_to=FOREVER)
            for version in versions.filter(valid_from__gte=lines[0].valid_from):
                at = version.valid_from
                present = [line for line in lines if line.valid_from <= at < line.valid_to]
                assert lines_sums(map(terms_of, present)).total_minor == version.amount_minor
                assert {line.currency for line in present} == {version.currency}
                compared += 1
            assert max(line.valid_from for line in lines) < NOW
        assert compared > len(by_deal)
        assert {line.charge for lines in by_deal.values() for line in lines} == {"once", "year"}
        follow = Opportunity.objects.filter(amount_follows_lines=True)
        assert 0 < follow.count() < len(by_deal)
        assert set(follow.values_list("id", flat=True)) < set(by_deal)


def test_a_line_is_one_that_could_have_been_typed(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        discounted = 0
        for line in DealLine.objects.select_related("product"):
            terms = terms_of(line)
            typed = line_terms(
                quantity_milli=terms.quantity_milli,
                charge=terms.charge,
                term_months=terms.term_months,
                list_price_minor=terms.list_price_minor,
                discount_bp=terms.discount_bp,
                price_minor=None if terms.discount_bp is not None else terms.price_minor,
            )
            assert typed == terms
            discounted += terms.discount_bp is not None
            if terms.list_price_minor is not None and line.product.currency == line.currency:
                assert line.list_price_minor == line.product.list_price_minor
        assert discounted > 5
        assert Product.objects.filter(list_price_minor__gt=0, currency="JPY").count() == 3


def test_comments_mention_whom_their_words_name(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        comments = list(DealComment.objects.select_related("author", "opportunity"))
        assert len(comments) > 5
        audience = [Somebody(one.id, one.name) for one in type(comments[0].author).objects.all()]
        for comment in comments:
            meant = mentions_in(comment.text, audience)
            assert [[one.start, one.end, str(one.person_id)] for one in meant.mentions] == comment.mentions
            assert meant.unknown == ()
            assert comment.author_id not in meant.people
            assert comment.opportunity.created_at < comment.created_at < NOW
        assert any(comment.mentions for comment in comments)
        asked = {one.opportunity_id: one for one in comments if one.author_id == one.opportunity.owner_id}
        answers = [one for one in comments if one.author_id != one.opportunity.owner_id]
        later = [
            one.created_at > asked[one.opportunity_id].created_at
            for one in answers
            if one.opportunity_id in asked
        ]
        assert later and all(later)


def test_papers_and_evidence_are_there(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        links = list(DealLink.objects.select_related("opportunity"))
        assert len(links) > 5
        assert all(link.opportunity.created_at < link.added_at < NOW for link in links)
        noted = OpportunityMilestone.objects.exclude(note="")
        assert 0 < noted.count() < OpportunityMilestone.objects.count() / 2


def test_a_large_deal_waits_for_its_manager_and_moves_once_granted(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        request = ApprovalRequest.objects.select_related("opportunity", "stage").get(state="asked")
        told = Notice.objects.get(kind="approval_asked")
        assert told.person_id == request.asked_of_id
        deal = request.opportunity
        assert approvers_of(deal.owner_id, now=NOW).asked_of == request.asked_of_id
        assert deal.amount_minor > (request.stage.approval_above_minor or 0) > 0
        assert (
            OpportunityVersion.objects.filter(opportunity=deal, valid_from__gt=request.asked_at).count() == 0
        )
    with use(kitano.organization.id, person_id=request.asked_of_id, channel="ui"):
        approval_grant(request.id, reason="", now=NOW)
        deal.refresh_from_db()
        assert deal.stage_id == request.stage_id


def test_a_buyer_opens_the_plan_by_the_link_that_is_shown_once(kitano: Seeded) -> None:
    assert kitano.link is not None
    page = Client().get(f"/plan/{kitano.link.token}/")
    assert page.status_code == 200
    assert "Legal has it since Monday" in page.text
    with use(kitano.organization.id):
        events = ClosePlanEvent.objects.order_by("at")
        assert [event.act for event in events][-2:] == ["comment", "comment"]
        assert all(event.opportunity.created_at < event.at < NOW for event in events)


def test_two_accounts_that_are_one_are_found(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        twin = Account.objects.get(external_id=None)
        original = Account.objects.get(external_id="A-00001")
        pairs = [{one.first_id, one.second_id} for one in accounts_compared().alike(lambda: None)]
        assert {twin.id, original.id} in pairs
        assert Job.objects.filter(kind="find_duplicates").exists()


def test_deals_fit_by_what_their_accounts_are(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        card = scorecard_now()
        assert card is not None and card.number == 2 and card.made_at < NOW
        found = fit_preview(criteria_of(card), fair_percent=card.fair_percent, good_percent=card.good_percent)
        assert all(count > 0 for count in found.counts.values())


def test_plans_are_of_accounts_that_bought_and_have_nothing_open(kitano: Seeded) -> None:
    with use(kitano.organization.id):
        planned = set(AccountPlan.objects.values_list("account_id", flat=True))
        assert planned
        assert not Opportunity.objects.filter(outcome=None, account_id__in=planned).exists()
        assert PlannedTouch.objects.filter(done_at=None, on__gte=NOW.date()).exists()
