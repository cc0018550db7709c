"""No surface is a way around the process: page cell, board, API, bulk and the gate's own form."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.opportunities.services import opportunity_create
from pipeline.process.models import Milestone, Stage
from pipeline.process.queries import process_rulebook
from pipeline.process.rules import OUTSIDE, DealFacts, judge_move, judge_removal
from tests.api_client import NEXT_STEP, bearer, secret_of
from tests.conftest import House

HTMX = {"HTTP_HX_REQUEST": "true"}


@dataclass(frozen=True)
class Doors:
    """ana's browser and token."""

    house: House
    browser: Client
    api: Client

    def cell(self, deal: Opportunity, stage_id: Any) -> Any:
        url = self.house.url(f"deals/{deal.id}/edit/stage/")
        return self.browser.post(url, {"value": str(stage_id or "")}, **HTMX)

    def board(self, deal: Opportunity, stage_id: Any) -> Any:
        url = self.house.url(f"deals/{deal.id}/move/")
        return self.browser.post(url, {"stage": str(stage_id or "")}, **HTMX)

    def patch(self, deal: Opportunity, stage_id: Any) -> Any:
        return self.api.patch(
            f"/api/v1/opportunities/{deal.id}",
            json.dumps({"stage_id": str(stage_id) if stage_id else None}),
            content_type="application/json",
        )

    def bulk(self, deal: Opportunity, stage_id: Any) -> Any:
        asked = {"deal": str(deal.id), "field": "stage", "value": str(stage_id or "")}
        return self.browser.post(self.house.url("deals/bulk/"), asked)

    def gate(self, deal: Opportunity, stage_id: Any) -> Any:
        url = self.house.url(f"deals/{deal.id}/gate/")
        return self.browser.post(url, {"stage": str(stage_id or "")})


SURFACES = ("cell", "board", "patch", "bulk", "gate")


@pytest.fixture
def doors(house, signed_in, monkeypatch):
    monkeypatch.setattr("otc.api.auth.TokenThrottle.allow_request", lambda self, request, view: True)
    return Doors(house, signed_in(house.ana), Client(headers=bearer(secret_of(house.ana))))


rules = st.fixed_dictionaries(
    {
        "may_be_skipped": st.sampled_from([True, True, False]),
        "may_go_back": st.sampled_from([True, True, False]),
        "approval_above_minor": st.sampled_from([None, None, 50_00, 500_00]),
        "required_fields": st.sampled_from([[], [], ["source"], ["amount", "next_step"]]),
    }
)


def set_rules(drawn: list[dict[str, Any]], required: set[int]) -> list[Stage]:
    stages = list(Stage.objects.order_by("position"))
    for stage, own in zip(stages, drawn, strict=True):
        Stage.objects.filter(id=stage.id).update(**own)
        Milestone.objects.filter(stage=stage).update(is_required=stage.position in required)
    return stages


def verdict_of(deal: Opportunity, target: Stage | None) -> Any:
    """What the engine says, from facts that are read here and nowhere else."""
    found = process_rulebook(deal.process_id).rules
    here = found.stage(deal.stage_id)
    leaving = here.position if here else OUTSIDE
    if target is None:
        return judge_removal(found, leaving=leaving)
    marked = OpportunityMilestone.objects.filter(opportunity=deal).values_list("milestone_id", flat=True)
    columns = {"amount": deal.amount_minor, "source": deal.source, "next_step": deal.next_step}
    facts = DealFacts(
        frozenset(name for name, value in columns.items() if value not in (None, "")),
        frozenset(marked),
        deal.amount_minor,
    )
    there = found.stage(target.id)
    assert there is not None
    return judge_move(found, leaving=leaving, target=there, facts=facts)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    drawn=st.lists(rules, min_size=6, max_size=6),
    required=st.sets(st.integers(1, 6), max_size=2),
    start=st.integers(0, 5),
    goal=st.none() | st.integers(0, 5),
    amount=st.sampled_from([None, 10_00, 100_00, 1_000_00]),
    source=st.sampled_from(["", "Fair"]),
    surface=st.sampled_from(SURFACES),
)
def test_a_deal_ends_up_only_where_the_engine_lets_it(
    doors, drawn, required, start, goal, amount, source, surface
):
    with use(doors.house.organization.id, channel="ui"):
        stages = set_rules([{} for _ in drawn] and [dict(one) for one in drawn], required)
        with use(doors.house.organization.id, channel="import"):
            made = opportunity_create(
                name="Kestrel",
                owner_id=doors.house.ana.id,
                now=timezone.now(),
                stage_id=stages[start].id,
                amount_minor=amount,
                source=source,
            )
        deal = Opportunity.objects.get(id=made.opportunity.id)
        target = None if goal is None else stages[goal]
        verdict = verdict_of(deal, target)
    if target is None and surface != "patch":
        surface = "patch"
    getattr(doors, surface)(deal, target.id if target else None)
    with use(doors.house.organization.id):
        after = Opportunity.objects.get(id=deal.id)
    expected = (target.id if target else None) if verdict.is_clear else deal.stage_id
    assert after.stage_id == expected, (surface, verdict)


def stages_by_name() -> dict[str, Stage]:
    return {stage.name: stage for stage in Stage.objects.all()}


def test_a_stage_is_not_reached_by_way_of_no_stage(doors, make_deal):
    """Taken out of every stage and put back further on: what lies between is still asked for."""
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        sign = stages_by_name()["Sign"]
    assert doors.patch(deal, None).status_code == 200
    answer = doors.patch(deal, sign.id)
    assert answer.status_code == 422
    assert "Problem confirmed by the buyer" in answer.json()["error"]["fields"]["milestones"]


def test_a_refused_patch_names_every_missing_milestone_and_field(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        discover = stages_by_name()["Discover"]
        Stage.objects.filter(id=discover.id).update(required_fields=["amount", "source"])
    fields = doors.patch(deal, discover.id).json()["error"]["fields"]
    assert fields["milestones"] == ["Problem confirmed by the buyer"]
    assert fields["amount_minor"] == ["Discover asks for Amount"]
    assert fields["source"] == ["Discover asks for Source"]


def test_fields_that_come_with_the_move_count(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        discover = stages_by_name()["Discover"]
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(id=discover.id).update(required_fields=["amount"])
    answer = doors.api.patch(
        f"/api/v1/opportunities/{deal.id}",
        json.dumps({"stage_id": str(discover.id), "amount_minor": 5_00}),
        content_type="application/json",
    )
    assert answer.status_code == 200


def test_a_field_that_the_stage_asks_for_is_not_emptied_again(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        Stage.objects.filter(name="Qualify").update(required_fields=["amount"])
        deal = make_deal(owner=doors.house.ana, amount_minor=5_00)
    url = doors.house.url(f"deals/{deal.id}/edit/amount/")
    answer = doors.browser.post(url, {"value": ""}, **HTMX)
    assert answer.status_code == 422 and "asked for in Qualify" in answer.content.decode()
    assert doors.browser.post(url, {"value": "7"}, **HTMX).status_code == 200


def test_a_new_deal_is_asked_what_its_stage_asks_for(doors):
    with use(doors.house.organization.id):
        Stage.objects.filter(name="Qualify").update(required_fields=["amount"])
    wanted = {"name": "New", **NEXT_STEP}
    answer = doors.api.post("/api/v1/opportunities", wanted, content_type="application/json")
    assert answer.status_code == 422
    assert "amount_minor" in answer.json()["error"]["fields"]
    typed = {"name": "New", "currency": "EUR", "next_step": "Call", "next_step_on": "+1w"}
    page = doors.browser.post(doors.house.url("deals/new/"), typed)
    assert page.status_code == 422 and "fill in: Amount" in page.content.decode()


def test_a_custom_field_is_asked_for_and_filled_in_on_the_way(doors, make_deal):
    from otc.fields.services import field_create

    with use(doors.house.organization.id, channel="ui"):
        field_create(object="deal", label="Region", kind="text")
        deal = make_deal(owner=doors.house.ana)
        discover = stages_by_name()["Discover"]
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(id=discover.id).update(required_fields=["field.region"])
    assert doors.patch(deal, discover.id).json()["error"]["fields"]["fields.region"]
    url = doors.house.url(f"deals/{deal.id}/gate/")
    assert "Region" in doors.browser.get(f"{url}?stage={discover.id}").content.decode()
    answer = doors.browser.post(url, {"stage": discover.id, "field-region": "North"})
    assert answer.status_code == 302
    with use(doors.house.organization.id):
        after = Opportunity.objects.get(id=deal.id)
    assert after.stage_id == discover.id and "North" in after.attributes.values()


def test_the_board_shows_the_form_that_fills_in_what_is_missing(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        discover = stages_by_name()["Discover"]
        Stage.objects.filter(id=discover.id).update(required_fields=["amount"])
    text = doors.board(deal, discover.id).content.decode()
    assert "Problem confirmed by the buyer" in text and 'name="amount"' in text and "/gate/" in text
    with use(doors.house.organization.id):
        problem = Milestone.objects.get(name="Problem confirmed by the buyer")
    typed = {"stage": discover.id, "amount": "12k", f"milestone-{problem.id}": "met"}
    url = doors.house.url(f"deals/{deal.id}/gate/")
    assert doors.browser.post(url, typed | {"amount": "many"}).status_code == 422
    assert doors.browser.post(url, typed).status_code == 302
    with use(doors.house.organization.id):
        after = Opportunity.objects.get(id=deal.id)
        assert (after.stage_id, after.amount_minor) == (discover.id, 12_000_00)
        assert OpportunityMilestone.objects.filter(opportunity=deal, milestone=problem).exists()


def test_a_gate_that_is_not_passed_writes_nothing(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        stages = stages_by_name()
        Stage.objects.filter(id=stages["Discover"].id).update(
            may_be_skipped=False, required_fields=["amount"]
        )
    doors.browser.post(
        doors.house.url(f"deals/{deal.id}/gate/"), {"stage": stages["Validate"].id, "amount": "12k"}
    )
    with use(doors.house.organization.id):
        assert Opportunity.objects.get(id=deal.id).amount_minor is None


def test_the_stage_cell_leads_to_the_form(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        discover = stages_by_name()["Discover"]
    text = doors.cell(deal, discover.id).content.decode()
    assert f"/deals/{deal.id}/gate/?stage={discover.id}" in text


def test_a_retired_stage_takes_no_deal(doors, make_deal):
    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(name="Sign").update(retired_at=timezone.now())
        sign = stages_by_name()["Sign"]
    assert doors.patch(deal, sign.id).status_code == 422


def test_a_win_is_gated_only_where_the_process_says_so(doors, make_deal):
    from pipeline.process.models import CloseReason, Process

    with use(doors.house.organization.id, channel="ui"):
        deal = make_deal(owner=doors.house.ana)
        reason = CloseReason.objects.get(name="Best fit").id
        Process.objects.update(gates_winning=True)
    asked = {"outcome": "won", "reason_id": str(reason)}
    url = f"/api/v1/opportunities/{deal.id}/close"
    refused = doors.api.post(url, asked, content_type="application/json")
    assert refused.status_code == 422 and refused.json()["error"]["fields"]["milestones"]
    with use(doors.house.organization.id):
        Process.objects.update(gates_winning=False)
    assert doors.api.post(url, asked, content_type="application/json").status_code == 200


@pytest.fixture
def gated(doors, make_deal):
    """A deal in the last stage but one whose process wants of a win an amount, a competitor and the rest of the way."""
    from pipeline.process.models import Process

    with use(doors.house.organization.id, channel="ui"):
        Process.objects.update(gates_winning=True)
        stages = list(Stage.objects.order_by("position"))
        Milestone.objects.update(is_required=False)
        Milestone.objects.filter(stage=stages[-2]).update(is_required=True)
        deal = make_deal(owner=doors.house.ana, stage_id=stages[-2].id)
        Stage.objects.filter(id=stages[-1].id).update(required_fields=["amount", "competitor", "close_date"])
    return deal


@pytest.mark.parametrize("on_board", [True, False])
def test_the_closing_form_takes_what_a_win_misses_all_or_nothing(doors, gated, on_board):
    from pipeline.opportunities.models import Competitor
    from pipeline.process.models import CloseReason

    deal = gated
    with use(doors.house.organization.id):
        missing = list(Milestone.objects.filter(is_required=True).order_by("position"))
        rival = Competitor.objects.create(name="Rival", name_folded="rival")
        reason = CloseReason.objects.get(name="Best fit")
    extra = HTMX if on_board else {}
    url = doors.house.url(f"deals/{deal.id}/close/")
    shown = doors.browser.get(f"{url}?outcome=won", **extra).content.decode()
    assert all(f"milestone-{one.id}" in shown for one in missing) and 'name="amount"' in shown
    assert shown.count('name="close_date"') == shown.count('name="competitor"') == 1
    assert "milestone-" not in doors.browser.get(f"{url}?outcome=lost", **extra).content.decode()
    where = {"in": "board"} if on_board else {}
    typed = where | {"outcome": "won", "reason": str(reason.id), "amount": "12k"}
    typed |= {f"milestone-{one.id}": "met" for one in missing}
    typed |= {f"evidence-{missing[0].id}": "https://docs.example.org/x"}
    for lacking in ("reason", "amount", f"milestone-{missing[0].id}", "competitor"):
        sent = {
            key: value for key, value in (typed | {"competitor": str(rival.id)}).items() if key != lacking
        }
        assert doors.browser.post(url, sent, **extra).status_code == 422, lacking
        with use(doors.house.organization.id):
            assert Opportunity.objects.get(id=deal.id).amount_minor is None, lacking
            assert not OpportunityMilestone.objects.exists(), lacking
    answer = doors.browser.post(url, typed | {"competitor": str(rival.id)}, **extra)
    assert answer.status_code == (200 if on_board else 302)
    with use(doors.house.organization.id):
        after = Opportunity.objects.get(id=deal.id)
        first = OpportunityMilestone.objects.get(milestone=missing[0])
    assert (after.outcome, after.amount_minor, after.competitor_id) == ("won", 12_000_00, rival.id)
    assert (first.url, first.note, first.marked_by_id) == (
        "https://docs.example.org/x",
        "",
        doors.house.ana.id,
    )
