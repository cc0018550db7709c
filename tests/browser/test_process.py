"""The process in the settings, the gate on the board and the approval: each flow once, and each page for everyone."""

import pytest
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.approvals.models import ApprovalRequest
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import CloseReason, Milestone, Process, Stage
from tests.browser.looking import troubles_at_both_widths, troubles_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def loosened(house, **of_discover):
    """No milestone holds a deal back, and Discover asks for what is given."""
    with use(house.organization.id):
        Milestone.objects.update(is_required=False)
        Stage.objects.filter(name="Discover").update(**of_discover)


def stage_of(house, deal_id):
    with use(house.organization.id):
        return Opportunity.objects.select_related("stage").get(id=deal_id).stage.name


def test_a_stage_is_changed_after_a_look_at_what_that_touches_and_undone(sit, desk):
    house, _ = desk
    loosened(house)
    seat = sit("ops@example.org")
    seat.open(house.url("settings/process/"))
    page = seat.page
    page.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Rules of Discover").click()
    page.get_by_label("Name", exact=True).fill("Explore")
    page.get_by_label("Close date").check()
    page.get_by_label("Needs the manager’s approval above").fill("50")
    page.get_by_role("button", name="See what it would touch").click()
    main = page.locator("main")
    expect(main).to_contain_text("Renamed the stage Discover to Explore")
    expect(main).to_contain_text("1 needs approval for Explore")
    with use(house.organization.id):
        assert Stage.objects.filter(name="Explore").count() == 0
    page.get_by_role("button", name="Change the process").click()
    expect(page.locator("#toasts, .toast").first).to_contain_text("changed")
    with use(house.organization.id):
        changed = Stage.objects.get(name="Explore")
    assert (changed.required_fields, changed.approval_above_minor) == (["close_date"], 50_00)
    page.keyboard.press("z")
    expect(page.locator("main")).to_contain_text("Discover")
    with use(house.organization.id):
        assert Stage.objects.filter(name="Discover").exists()
    assert seat.complaints == []


def test_a_reason_is_renamed_retired_and_taken_back(sit, desk):
    house, _ = desk
    seat = sit("ops@example.org")
    seat.open(house.url("settings/process/"))
    page = seat.page
    page.get_by_role("link", name="Price", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Too dear")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_role("link", name="Too dear").click()
    page.get_by_role("button", name="Retire it").click()
    expect(page.locator("tr", has_text="Too dear")).to_contain_text("Retired")
    page.keyboard.press("z")
    expect(page.locator("tr", has_text="Too dear")).not_to_contain_text("Retired")
    with use(house.organization.id):
        assert CloseReason.objects.get(name="Too dear").retired_at is None
    assert seat.complaints == []


def test_a_card_that_a_gate_refuses_springs_back_with_the_form_that_lets_it_on(sit, desk):
    house, deal_id = desk
    loosened(house, required_fields=["close_date"])
    with use(house.organization.id):
        Stage.objects.filter(name="Qualify").update(required_fields=["close_date"])
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    columns = seat.page.locator("[data-column]")
    card = seat.page.locator(f"[data-card='{deal_id}']")
    card.focus()
    card.press("Shift+ArrowRight")
    refusal = columns.nth(1).locator("[data-refusal]")
    expect(refusal).to_be_visible()
    expect(columns.nth(0).locator(f"[data-card='{deal_id}']")).to_have_count(1)
    assert stage_of(house, deal_id) == "Qualify"
    assert troubles_of(seat, "the refused card") == []
    refusal.get_by_label("Close date").fill("2031-03-31")
    refusal.get_by_role("button", name="Move to Discover").click()
    expect(columns.nth(1).locator(f"[data-card='{deal_id}']")).to_have_count(1)
    assert stage_of(house, deal_id) == "Discover"


def test_an_approval_is_asked_for_on_the_board_and_given(sit, desk):
    house, deal_id = desk
    loosened(house, approval_above_minor=50_00)
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    columns = seat.page.locator("[data-column]")
    card = seat.page.locator(f"[data-card='{deal_id}']")
    card.focus()
    card.press("Shift+ArrowRight")
    refusal = columns.nth(1).locator("[data-refusal]")
    ask = refusal.get_by_role("button", name="Ask for approval")
    # Its own refusal is an answer to a form too.
    ask.wait_for()
    ask.click()
    expect(seat.page.locator("#toasts")).to_contain_text("is asked")
    with use(house.organization.id):
        asked = ApprovalRequest.objects.get()
    assert asked.is_asked and stage_of(house, deal_id) == "Qualify"
    manager = sit("max@example.org")
    manager.open(house.url("approvals/"))
    found = troubles_at_both_widths(manager, "approvals")
    manager.page.get_by_role("link", name="Kestrel Rail").first.click()
    manager.open(house.url(f"approvals/{asked.id}/"))
    found += troubles_at_both_widths(manager, "an approval")
    with manager.sending():
        manager.page.get_by_role("button", name="Grant").click()
    assert stage_of(house, deal_id) == "Discover"
    manager.open(house.url(f"approvals/{asked.id}/"))
    found += troubles_at_both_widths(manager, "a granted approval")
    assert found + manager.complaints == []


def test_the_settings_of_a_process_are_for_everyone(sit, desk):
    house, _ = desk
    with use(house.organization.id):
        process = Process.objects.get(is_default=True)
        stage = Stage.objects.get(name="Discover")
        reason = CloseReason.objects.get(name="Price")
        version = process.versions.order_by("number").first() if hasattr(process, "versions") else None
    seat, found = sit("ops@example.org"), []
    home = f"settings/process/{process.id}/"
    paths = ["settings/process/", home, f"{home}stages/{stage.id}/", f"{home}versions/"]
    paths += ["settings/process/reasons/new/", f"settings/process/reasons/{reason.id}/"]
    for path in [*paths, *([f"{home}versions/{version.id}/"] if version else [])]:
        seat.open(house.url(path))
        found += troubles_at_both_widths(seat, path)
    seat.open(house.url(f"{home}stages/{stage.id}/"))
    seat.page.get_by_label("Name", exact=True).fill("Explore")
    seat.page.get_by_role("button", name="See what it would touch").click()
    seat.page.get_by_role("button", name="Change the process").wait_for()
    found += troubles_at_both_widths(seat, "the preview")
    assert found + seat.complaints == []
