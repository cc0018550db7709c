"""Changing a process: shown first, written whole, kept as a version, put back by Undo."""

import json
from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from otc.audit.models import AuditEntry
from otc.tenancy.context import use
from pipeline.approvals.decisions import approval_ask
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_delete,
    opportunity_edit,
    opportunity_reopen,
    opportunity_restore,
    opportunity_undo,
)
from pipeline.process.changing import process_add, process_make_default
from pipeline.process.document import Unfit, changes_between
from pipeline.process.impact import process_impact
from pipeline.process.models import CloseReason, Milestone, ProcessVersion, Stage
from pipeline.process.versions import base_number, document_of, document_then, stages_then
from tests.pipeline.process_changes import change, names, now, put_back, renamed, stage, the_process, without


@pytest.fixture
def at_work(house):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        yield house


def test_stages_are_added_renamed_and_reordered_at_once(at_work):
    def edit(document):
        first, *others = document["stages"]
        others[0]["name"], others[1]["name"] = others[1]["name"], others[0]["name"]
        return {**document, "stages": [*others, {"name": "Qualify more"}, first]}

    version, _ = change(edit)
    assert names() == [
        "Validate",
        "Discover",
        "Propose",
        "Negotiate",
        "Sign",
        "Qualify more",
        "Qualify",
    ]
    assert [one.position for one in Stage.objects.order_by("position")] == [1, 2, 3, 4, 5, 6, 7]
    assert "New stage Qualify more" in version.changes
    assert AuditEntry.objects.filter(action="process.changed").exists()


def test_a_removed_stage_says_where_its_open_deals_go(at_work, make_deal):
    deal = make_deal(stage_id=stage("Validate").id)
    with pytest.raises(Unfit, match="Say where the open deals of Validate go"):
        change(without("Validate"))
    assert "Validate" in names()
    gone, target = stage("Validate").id, stage("Discover").id
    change(without("Validate"), moves={str(gone): str(target)})
    moved = Opportunity.objects.get(id=deal.id)
    assert (moved.stage_id, moved.category) == (target, "pipeline")
    assert OpportunityVersion.objects.filter(opportunity=deal).count() == 2
    assert names() == ["Qualify", "Discover", "Propose", "Negotiate", "Sign"]


def test_deals_do_not_go_to_a_stage_that_goes_too_or_to_anothers(at_work, make_deal):
    make_deal(stage_id=stage("Validate").id)
    validate = str(stage("Validate").id)
    for target in (validate, str(Milestone.objects.first().id), "x"):
        with pytest.raises(Unfit):
            change(without("Validate"), moves={validate: target})


def test_closed_deals_keep_the_stage_they_ended_in_and_reopen_where_the_others_went(at_work, make_deal):
    deal = make_deal(stage_id=stage("Validate").id)
    reason = CloseReason.objects.get(name="Price").id
    opportunity_close(deal.id, outcome="lost", reason_id=reason, now=now(), today=now().date())
    gone, target = stage("Validate"), stage("Propose")
    change(without("Validate"), moves={str(gone.id): str(target.id)})
    assert Opportunity.objects.get(id=deal.id).stage_id == gone.id
    opportunity_reopen(deal.id)
    assert Opportunity.objects.get(id=deal.id).stage_id == target.id


def test_a_deal_from_the_trash_comes_back_into_a_stage_that_is_there(at_work, make_deal):
    deal = make_deal(stage_id=stage("Validate").id)
    opportunity_delete(deal.id, now=now())
    target = stage("Propose").id
    change(without("Validate"), moves={str(stage("Validate").id): str(target)})
    opportunity_restore(deal.id)
    assert Opportunity.objects.get(id=deal.id).stage_id == target


def test_undo_of_a_deal_does_not_bring_a_removed_stage_back(at_work, make_deal):
    deal = make_deal(stage_id=stage("Validate").id)
    before = OpportunityVersion.objects.get(opportunity=deal)
    change(without("Validate"), moves={str(stage("Validate").id): str(stage("Discover").id)})
    with pytest.raises(Refused, match="no longer has the stage Validate"):
        opportunity_undo(deal.id, to_version=before.id)


def test_undo_puts_process_and_deals_back_but_not_those_that_were_moved_since(at_work, make_deal):
    still, moved = make_deal(stage_id=stage("Validate").id), make_deal(stage_id=stage("Validate").id)
    gone, target = stage("Validate"), stage("Discover")
    before = document_of(the_process())
    _, step = change(without("Validate"), moves={str(gone.id): str(target.id)})
    opportunity_edit(moved.id, changes={"next_step": "Call"})
    put_back(at_work, step)
    assert document_of(the_process()) == before
    assert Opportunity.objects.get(id=still.id).stage_id == gone.id
    assert Opportunity.objects.get(id=still.id).category == "best_case"
    assert Opportunity.objects.get(id=moved.id).stage_id == target.id


def test_undo_of_a_change_is_refused_after_another(at_work):
    _, step = change(renamed("Sign", "Signing"))
    change(renamed("Qualify", "Begin"))
    with pytest.raises(ValueError, match="changed this process since"):
        put_back(at_work, step)


def test_an_edit_that_began_before_anothers_change_is_refused(at_work):
    base = base_number(the_process())
    change(renamed("Sign", "Signing"))
    with pytest.raises(Unfit, match="Somebody changed this process since"):
        change(renamed("Qualify", "Begin"), base=base)


def test_what_an_import_added_is_kept_as_a_version_of_its_own(at_work):
    Stage(process=the_process(), name="Imported", position=7).save()
    assert base_number(the_process()) == 0
    change(renamed("Sign", "Signing"))
    said = [one.changes for one in ProcessVersion.objects.order_by("number")]
    assert said == [["As it was set up"], ["New stage Imported"], ["Renamed the stage Sign to Signing"]]


def test_every_version_stays_and_says_what_stood_then(at_work):
    before = now()
    change(renamed("Sign", "Signing"))
    middle = now()
    change(renamed("Signing", "Paper"))
    sign = stage("Paper").id
    assert stages_then(before)[sign].name == "Sign"
    assert stages_then(middle)[sign].name == "Signing"
    assert stages_then(before - timedelta(days=900))[sign].name == "Sign"
    assert document_then(the_process().id, now())["stages"][-1]["name"] == "Paper"


@pytest.mark.parametrize("write", ["update", "delete"])
def test_a_version_is_never_rewritten(at_work, write):
    versions = ProcessVersion.objects.all()
    with pytest.raises(ProgrammingError), transaction.atomic():
        versions.update(number=9) if write == "update" else versions.delete()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: {**d, "name": " "}, "A process needs a name"),
        (lambda d: {**d, "stages": []}, "needs a stage"),
        (lambda d: {**d, "stages": [*d["stages"], {"name": "sign"}]}, "one name"),
        (lambda d: {**d, "stages": [*d["stages"], d["stages"][0]]}, "one name"),
        (lambda d: {**d, "stages": [{"name": "A", "required_fields": ["field.gone"]}]}, "no field"),
        (lambda d: {**d, "stages": [{"name": "A", "win_percent": 101}]}, "0 to 100"),
        (lambda d: {**d, "stages": [{"name": "A", "category": "closed"}]}, "category"),
        (
            lambda d: {**d, "stages": [{"name": "A", "aids": [{"title": "x", "url": "javascript:1"}]}]},
            "https",
        ),
        (lambda d: {**d, "stages": [{"name": "A", "guidance": "x" * 10_000}]}, "At most 5000"),
        (lambda d: {**d, "stages": "x"}, "a name and its stages"),
        (lambda d: {**d, "stages": [{"id": "7", "name": "A"}]}, "no id"),
    ],
)
def test_what_can_not_be_is_refused_in_words(at_work, edit, said):
    with pytest.raises(Unfit, match=said):
        change(edit)
    assert ProcessVersion.objects.count() == 1


def test_markup_emoji_and_right_to_left_stay_text(at_work, signed_in):
    name = "<b>שלב</b> 🚀"
    change(renamed("Sign", name))
    page = signed_in(at_work.ops).get(at_work.url("settings/process/")).content.decode()
    assert "&lt;b&gt;שלב&lt;/b&gt; 🚀" in page


def test_a_milestone_that_is_taken_out_keeps_its_marks_and_comes_back_with_them(at_work, make_deal):
    deal = make_deal()
    met = Milestone.objects.get(name="Problem confirmed by the buyer")
    milestone_mark(deal.id, milestone_id=met.id, state="met", now=now())

    def edit(document):
        document["stages"][0]["milestones"] = []

    _, step = change(edit)
    opportunity_edit(make_deal().id, changes={"stage_id": stage("Discover").id})
    put_back(at_work, step)
    opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    assert Milestone.objects.get(id=met.id).retired_at is None


def impact_of(edit, moves=None):
    process = the_process()
    before = document_of(process)
    after = edit(json.loads(json.dumps(before))) or before
    return process_impact(process.id, before=before, after=after, moves=moves or {})


def test_the_impact_counts_who_would_miss_what(at_work, make_deal):
    make_deal(stage_id=stage("Discover").id)
    make_deal(stage_id=stage("Discover").id, amount_minor=5_00)
    met = make_deal(stage_id=stage("Validate").id, amount_minor=5_00)
    milestone = Milestone.objects.get(name="Current process mapped")
    milestone_mark(met.id, milestone_id=milestone.id, state="met", now=now())
    make_deal(stage_id=stage("Validate").id, amount_minor=5_00)
    make_deal(stage_id=stage("Qualify").id)

    def edit(document):
        document["stages"][1]["required_fields"] = ["amount"]
        document["stages"][1]["milestones"][0]["is_required"] = True
        document["stages"][0]["milestones"].append({"id": None, "name": "Fresh", "is_required": True})
        return document

    found = {one.name: {m.label: m.count for m in one.missing} for one in impact_of(edit).stages}
    assert found == {
        "Qualify": {},
        "Discover": {"Amount": 1, "Fresh (Qualify)": 2},
        "Validate": {"Current process mapped (Discover)": 1, "Fresh (Qualify)": 2},
    }


def test_the_impact_of_a_removed_stage_says_where_its_deals_go(at_work, make_deal):
    make_deal(stage_id=stage("Validate").id)
    gone, target = str(stage("Validate").id), str(stage("Propose").id)
    found = impact_of(without("Validate"), {gone: target})
    assert [(one.name, one.count, one.moves_to) for one in found.stages] == [("Validate", 1, "Propose")]
    assert found.moved == 1


def test_another_category_of_a_stage_moves_no_open_deal(at_work, make_deal):
    deal = make_deal(stage_id=stage("Discover").id)

    def edit(document):
        document["stages"][1]["category"] = "commit"
        return document

    (found,) = impact_of(edit).stages
    assert (found.name, found.count, found.keeps_category) == ("Discover", 1, True)
    before = deal.category
    change(edit)
    deal.refresh_from_db()
    assert deal.category == before and stage("Discover").category == "commit"
    assert not impact_of(renamed("Discover", "Find")).stages[0].keeps_category


def test_the_impact_counts_the_approvals_that_a_lower_limit_asks_for(at_work, make_deal):
    Stage.objects.filter(name="Propose").update(approval_above_minor=90_00)
    make_deal(stage_id=stage("Qualify").id, amount_minor=20_00)
    make_deal(stage_id=stage("Qualify").id, amount_minor=10_00)
    make_deal(stage_id=stage("Qualify").id, amount_minor=90_01)
    make_deal(stage_id=stage("Propose").id, amount_minor=20_00)

    def lowered(document):
        document["stages"][3]["approval_above_minor"] = 15_00
        return document

    def lifted(document):
        document["stages"][3]["approval_above_minor"] = 95_00
        return document

    assert document_of(the_process())["stages"][3]["name"] == "Propose"
    found = impact_of(lowered)
    assert {one.name: [(a.label, a.count) for a in one.approvals] for one in found.stages} == {
        "Qualify": [("Propose", 1)],
        "Propose": [],
    }
    assert (found.approvals, impact_of(lifted).approvals) == (1, 0)


def test_the_impact_counts_the_requests_that_need_no_answer_any_more(at_work, make_deal):
    Milestone.objects.update(is_required=False)
    Stage.objects.filter(name="Discover").update(approval_above_minor=10_00)
    deal = make_deal(owner=at_work.ana, amount_minor=20_00)
    approval_ask(deal.id, changes={"stage_id": stage("Discover").id}, note="", now=now())

    def freed(document):
        document["stages"][1]["approval_above_minor"] = None
        return document

    found = impact_of(freed)
    assert [(one.name, one.waiting) for one in found.stages] == [("Qualify", 0), ("Discover", 1)]
    assert impact_of(renamed("Sign", "Signing")).waiting == 0


def test_a_deals_page_of_the_past_calls_everything_as_it_was_called(at_work, make_deal, signed_in):
    deal = make_deal("Kestrel", owner=at_work.ana)
    met = Milestone.objects.get(name="Problem confirmed by the buyer")
    milestone_mark(deal.id, milestone_id=met.id, state="met", now=now())
    opportunity_edit(deal.id, changes={"stage_id": stage("Discover").id})
    then = now()

    def edit(document):
        document["stages"][1]["name"] = "Explore"
        document["stages"][0]["milestones"][0]["name"] = "Pain agreed"

    change(edit)
    url = at_work.url(f"deals/{deal.id}/")
    past = signed_in(at_work.ana).get(url, {"as_of": then.isoformat()}).content.decode()
    present = signed_in(at_work.ana).get(url).content.decode()
    assert "Discover" in past and "Problem confirmed by the buyer" in past
    assert "Explore" not in past and "Pain agreed" not in past
    assert "Explore" in present and "Pain agreed" in present


def test_another_process_is_a_copy_and_takes_new_deals_when_it_is_the_default(at_work, make_deal):
    added = process_add(name="Renewals", like=the_process().id, now=now())
    assert changes_between({**document_of(the_process()), "name": ""}, {**document_of(added), "name": ""})
    assert [one["name"] for one in document_of(added)["stages"]] == names()
    process_make_default(added.id)
    assert make_deal().process_id == added.id
    with pytest.raises(Unfit, match="already"):
        process_add(name="Renewals", like=None, now=now())
