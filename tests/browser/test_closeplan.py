"""A close plan from the owner's hand into a buyer's phone and back; how one is told, chosen and stopped."""

from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from playwright.sync_api import expect

from otc.jobs.models import Job
from otc.jobs.services import run
from otc.notices.kinds import MENTION
from otc.notices.queries import choices_of
from otc.notices.services import notice_send
from otc.tenancy.context import use
from pipeline.closeplan.models import ClosePlanEvent
from pipeline.opportunities.models import OpportunityMilestone
from pipeline.process.models import Milestone
from tests.browser.conftest import Seat
from tests.browser.looking import troubles_of
from tests.conftest import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def buyers_step(house: House) -> Milestone:
    with use(house.organization.id):
        step: Milestone = Milestone.objects.filter(side="buyer").order_by("stage__position", "position")[0]
    return step


def link_from(seat: Seat, house: House, deal_id: UUID) -> str:
    """Make a link on the deal's page, as its owner does."""
    seat.open(house.url(f"deals/{deal_id}/"))
    seat.page.get_by_role("link", name="Close plan").first.click()
    seat.page.get_by_label("Name of the recipient").fill("Lena Vogt")
    seat.page.get_by_role("button", name="Make a link").click()
    return str(seat.page.locator("#plan-link").input_value()).removeprefix(seat.address)


def test_a_buyer_ticks_and_says_something_on_a_phone_and_the_owner_puts_it_back(
    sit: Any, desk: tuple[House, UUID]
) -> None:
    house, deal_id = desk
    owner = sit("ana@example.org")
    link = link_from(owner, house, deal_id)
    assert troubles_of(owner) + owner.complaints == []
    step = buyers_step(house)
    buyer = sit(None, width=390)
    buyer.open(link)
    assert troubles_of(buyer) + buyer.complaints == []
    tick = buyer.page.locator(f"#tick-{step.id}")
    assert tick.bounding_box()["height"] >= 44
    tick.click()
    buyer.page.locator(f"#tick-{step.id}[aria-pressed=true]").wait_for()
    assert buyer.page.evaluate("document.activeElement.id") == f"tick-{step.id}", "focus stays"
    buyer.page.get_by_role("textbox", name="Comment").fill("<b>Legal</b> is ready 🚂\nשלום")
    buyer.page.get_by_role("button", name="Send").click()
    buyer.page.locator(".plan-comments li").wait_for()
    assert "<b>Legal</b> is ready" in buyer.page.locator(".plan-said").inner_text()
    assert buyer.page.context.cookies() == [] and troubles_of(buyer) + buyer.complaints == []
    owner.open(house.url("notices/"))
    assert "Lena Vogt ticked" in owner.page.locator("main").inner_text()
    owner.open(house.url(f"deals/{deal_id}/close-plan/"))
    with owner.sending():
        owner.page.get_by_role("button", name=f"Undo: {step.name}").click()
    with use(house.organization.id):
        assert not OpportunityMilestone.objects.exists() and ClosePlanEvent.objects.count() == 3
    owner.page.get_by_role("button", name="Revoke the link for Lena Vogt").click()
    owner.page.get_by_text("no longer opens").first.wait_for()
    answer = buyer.open(link)
    assert answer.status == 410 and "can’t be opened" in buyer.page.locator("h1").inner_text()
    # The browser itself says that the answer was 410; nothing else may be wrong.
    buyer.complaints.clear()
    assert troubles_of(buyer) + buyer.complaints == []


def test_the_plan_works_without_scripts_and_prints_without_forms(
    sit: Any, desk: tuple[House, UUID], chromium: Any
) -> None:
    house, deal_id = desk
    link = link_from(sit("ana@example.org"), house, deal_id)
    step = buyers_step(house)
    address = sit(None).address
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address + link)
    page.locator(f"#tick-{step.id}").click()
    assert page.locator(f"#tick-{step.id}").get_attribute("aria-pressed") == "true"
    page.get_by_role("textbox", name="Comment").fill("x" * 10_001)
    page.get_by_role("button", name="Send").click()
    assert "10,001 characters" in page.locator(".field-error").inner_text()
    assert len(page.get_by_role("textbox", name="Comment").input_value()) == 10_001
    page.emulate_media(media="print")
    assert page.locator(".plan-form, .plan-foot").first.is_hidden()
    assert page.locator(f"#tick-{step.id}").is_visible()
    context.close()


def test_somebody_chooses_how_to_be_told_and_stops_a_mail_by_its_link(
    sit: Any, desk: tuple[House, UUID]
) -> None:
    house, _ = desk
    seat = sit("ana@example.org", width=390)
    seat.open(house.url("notices/choices/"))
    assert troubles_of(seat) + seat.complaints == []
    box = seat.page.get_by_label("In the digest when somebody mentions me in a comment")
    assert box.is_checked() and box.bounding_box()["x"] + 16 <= 390
    box.uncheck()
    seat.page.get_by_role("button", name="Save").click()
    seat.page.get_by_text("Saved: from now on").wait_for()
    with use(house.organization.id):
        ways = {kind.key: ways for kind, ways in choices_of(house.ana.id)}[MENTION]
        notice_send(house.ana.id, text="Max mentions you", path="deals/", kind=MENTION)
        job_id = Job.objects.get(kind="notice_mail").id
    assert (ways.in_app, ways.in_digest, ways.is_mailed) == (True, False, True)
    run(house.organization.id, job_id)
    (letter,) = mail.outbox
    link = letter.extra_headers["List-Unsubscribe"].strip("<>")
    stranger = sit(None, width=390)
    stranger.open("/mails/" + link.partition("/mails/")[2])
    assert troubles_of(stranger) + stranger.complaints == []
    stranger.page.get_by_role("button", name="Stop mails").click()
    stranger.page.get_by_role("heading", name="No more of").wait_for()
    assert troubles_of(stranger) + stranger.complaints == []


def test_an_administrator_says_what_is_big(sit: Any, desk: tuple[House, UUID]) -> None:
    house, _ = desk
    seat = sit("ops@example.org")
    seat.open(house.url("settings/big-deals/"))
    assert troubles_of(seat) + seat.complaints == []
    seat.page.get_by_label("A deal is big from this amount on").fill("1.2m")
    seat.page.get_by_label("And a chance").fill("40")
    seat.page.get_by_role("button", name="Save").click()
    heading = seat.page.get_by_role("heading", level=1)
    heading.get_by_text("1,200,000 EUR and a chance of 40 % on").wait_for()


def test_a_colleague_is_found_by_typing_ticked_and_shown_to_the_buyer(
    sit: Any, desk: tuple[House, UUID]
) -> None:
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/close-plan/"))
    page, add = seat.page, seat.page.get_by_label("Add a colleague")
    add.press_sequentially("bra")
    offered = page.get_by_role("option", name="Max Brandt")
    expect(offered).to_be_visible()
    assert troubles_of(seat, "a colleague offered") == []
    add.press("Enter")
    expect(page.get_by_label("Max Brandt")).to_be_checked()
    expect(add).to_have_value("")
    page.get_by_label("Ana Ruiz").uncheck()
    with seat.sending():
        add.press("Enter")
    expect(page.locator(".plan-preview")).to_contain_text("Max Brandt")
    assert "Ana Ruiz" not in page.locator(".plan-preview").inner_text()
    expect(page.get_by_label("Max Brandt")).to_be_checked()
    assert seat.complaints == []
