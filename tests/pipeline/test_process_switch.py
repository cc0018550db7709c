"""A deal in another process, names of then, and processes and approvals over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.process.changing import process_add, process_change
from pipeline.process.models import Milestone, Process, ProcessVersion, Stage
from pipeline.process.versions import base_number, document_of
from tests.api_client import Caller


@pytest.fixture
def at_work(house):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        yield house


def now():
    return timezone.now()


def sales():
    return Process.objects.get(is_default=True)


def renewals(*stages):
    added = process_add(name="Renewals", like=None, now=now())
    document = {
        "name": "Renewals",
        "stages": [{"name": name, "category": category} for name, category in stages],
    }
    first = document_of(added)["stages"][0]["id"]
    document["stages"][0]["id"] = first
    process_change(added.id, document=document, base=base_number(added), moves={}, now=now())
    return added


def stage_of(deal):
    found = Opportunity.objects.select_related("stage__process").get(id=deal.id)
    return found.stage.process.name, found.stage.name, found.process_id == found.stage.process_id


def test_a_switch_maps_the_stage_and_a_switch_back_finds_the_old_one(at_work, make_deal):
    other = renewals(("Begin", "pipeline"), ("Quote", "best_case"), ("Sign", "commit"))
    deal = make_deal(stage_id=Stage.objects.get(name="Validate", process=sales()).id)
    opportunity_edit(deal.id, changes={"process_id": other.id})
    assert stage_of(deal) == ("Renewals", "Quote", True)
    opportunity_edit(deal.id, changes={"process_id": sales().id})
    assert stage_of(deal) == ("Sales process", "Validate", True)


def test_a_switch_is_no_way_around_milestones(at_work, make_deal):
    other = renewals(("Begin", "pipeline"), ("Sign", "commit"))
    deal = make_deal()
    opportunity_edit(deal.id, changes={"process_id": other.id})
    sign_there = Stage.objects.get(name="Sign", process=other)
    opportunity_edit(deal.id, changes={"stage_id": sign_there.id})
    with pytest.raises(MoveRefused, match="Problem confirmed"):
        opportunity_edit(deal.id, changes={"stage_id": Stage.objects.get(name="Sign", process=sales()).id})


def test_a_switch_asks_for_the_fields_of_the_whole_way(at_work, make_deal):
    other = renewals(("Qualify", "pipeline"), ("Sign", "commit"))
    Stage.objects.filter(process=other, name="Qualify").update(required_fields=["amount"])
    deal = make_deal()
    with pytest.raises(MoveRefused, match="fill in: Amount"):
        opportunity_edit(deal.id, changes={"process_id": other.id})
    opportunity_edit(deal.id, changes={"process_id": other.id, "amount_minor": 1_00})
    assert stage_of(deal)[0] == "Renewals"


def test_a_stage_of_another_process_than_named_is_refused(at_work, make_deal):
    other = renewals(("Begin", "pipeline"))
    with pytest.raises(Refused, match="no stage of Renewals"):
        opportunity_edit(
            make_deal().id, changes={"process_id": other.id, "stage_id": Stage.objects.get(name="Sign").id}
        )


def test_a_new_deal_may_begin_in_another_process(at_work, make_deal):
    other = renewals(("Begin", "pipeline"), ("Sign", "commit"))
    assert stage_of(make_deal(process_id=other.id)) == ("Renewals", "Begin", True)


def test_the_stage_cell_offers_the_other_process(house, make_deal, signed_in):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        renewals(("Begin", "pipeline"))
        deal = make_deal(owner=house.ana)
    page = signed_in(house.ana).get(house.url(f"deals/{deal.id}/edit/stage/"))
    assert "Switch to Renewals: Begin" in page.content.decode()


def test_a_past_day_shows_the_stages_of_then(house, make_deal, signed_in):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        deal = make_deal(owner=house.ana)
    before = now()
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        document = document_of(sales())
        document["stages"][0]["name"] = "Look"
        gone = document["stages"].pop(2)
        process_change(
            sales().id,
            document=document,
            base=base_number(sales()),
            moves={gone["id"]: document["stages"][0]["id"]},
            now=now(),
        )
    browser, then = signed_in(house.ana), {"as_of": before.isoformat()}
    path = [stage.name for stage in browser.get(house.url(f"deals/{deal.id}/"), then).context["report"].path]
    assert path == ["Qualify", "Discover", "Validate", "Propose", "Negotiate", "Sign"]
    path = [stage.name for stage in browser.get(house.url(f"deals/{deal.id}/")).context["report"].path]
    assert path == ["Look", "Discover", "Propose", "Negotiate", "Sign"]
    columns = browser.get(house.url("deals/board/"), then).context["report"].columns
    assert columns[0].name == "Qualify"
    assert browser.get(house.url("deals/board/")).context["report"].columns[0].name == "Look"


def test_guidance_and_aids_stand_on_the_deals_page(house, make_deal, signed_in):
    aid = {"title": "Checklist", "url": "https://example.org", "text": "", "competitor_id": None, "role": ""}
    with use(house.organization.id, channel="ui"):
        Stage.objects.filter(name="Qualify").update(guidance="Ask why <now>", aids=[aid])
        deal = make_deal(owner=house.ana)
    page = signed_in(house.ana).get(house.url(f"deals/{deal.id}/")).content.decode()
    assert "Ask why &lt;now&gt;" in page and 'href="https://example.org"' in page


def test_the_api_reads_processes_with_their_rules_now_and_then(house):
    before = now()
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        process = sales()
        document = document_of(process)
        document["stages"][1] |= {"may_be_skipped": False, "required_fields": ["amount"], "name": "Dig"}
        process_change(process.id, document=document, base=base_number(process), moves={}, now=now())
    caller = Caller(house.ana)
    listed = caller.get("processes").json()["results"]
    assert [one["name"] for one in listed] == ["Sales process"] and listed[0]["is_default"]
    stage = caller.get(f"processes/{process.id}").json()["stages"][1]
    assert (stage["name"], stage["may_be_skipped"], stage["required_fields"]) == ("Dig", False, ["amount"])
    then = caller.get(f"processes/{process.id}?as_of={before.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}").json()
    assert then["stages"][1]["name"] == "Discover"
    versions = caller.get(f"processes/{process.id}/versions").json()["results"]
    assert [one["number"] for one in versions] == [1, 2]


def test_the_api_asks_and_answers_approvals(house, make_deal):
    with use(house.organization.id, channel="ui"):
        Milestone.objects.update(is_required=False)
        discover = Stage.objects.get(name="Discover")
        Stage.objects.filter(id=discover.id).update(approval_above_minor=100_00)
        deal = make_deal(owner=house.ana, amount_minor=200_00)
    ana, manager = Caller(house.ana), Caller(house.max)
    refused = ana.patch(f"opportunities/{deal.id}", {"stage_id": str(discover.id)})
    assert "Max Brandt" in refused.json()["error"]["fields"]["approval"][0]
    asked = ana.post(f"opportunities/{deal.id}/approvals", {"stage_id": str(discover.id), "note": "Go?"})
    assert asked.status_code == 201 and asked.json()["state"] == "asked"
    url = f"approvals/{asked.json()['id']}"
    assert ana.post(url, {"state": "granted"}).status_code == 422
    assert manager.post(url, {"state": "declined"}).status_code == 422
    assert manager.post(url, {"state": "granted"}).json()["state"] == "granted"
    assert manager.get("approvals?state=granted").json()["results"][0]["amount_minor"] == 200_00
    with use(house.organization.id):
        assert Opportunity.objects.get(id=deal.id).stage_id == discover.id


def test_a_mark_on_a_removed_milestone_is_refused(at_work, make_deal):
    deal, gone = make_deal(), Milestone.objects.get(name="Problem confirmed by the buyer")
    Milestone.objects.filter(id=gone.id).update(retired_at=now() - timedelta(days=1))
    with pytest.raises(Refused):
        milestone_mark(deal.id, milestone_id=gone.id, state="met", now=now())
    assert ProcessVersion.objects.exists()
