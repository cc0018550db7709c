"""From an invitation to a second factor and in again, by hand; passkeys with the browser's own virtual key."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache

from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.services import organization_policy_set
from tests.browser.conftest import PATIENCE
from tests.browser.looking import troubles_at_both_widths, troubles_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough passphrase"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def ask_for(house, second_factor):
    with use(house.organization.id, channel="ui"):
        organization_policy_set(
            second_factor=second_factor, session_idle_minutes=None, session_length_hours=None
        )


def with_password(email):
    user = User.objects.get(email=email)
    user.set_password(PASSWORD)
    user.save()


def come_in(seat, email):
    seat.page.fill("[name=login]", email)
    seat.page.fill("[name=password]", PASSWORD)
    seat.page.press("[name=password]", "Enter")
    seat.page.wait_for_load_state("load")


def go_out(seat):
    seat.open("/accounts/")
    seat.page.get_by_role("button", name="Sign out").first.click()
    seat.page.wait_for_url("**/accounts/login/**", timeout=PATIENCE)


def prove_it(seat):
    """The password once more, where it is asked for."""
    seat.page.get_by_role("heading", name="Is it you?").wait_for(timeout=PATIENCE)
    seat.page.fill("[name=password]", PASSWORD)
    seat.page.press("[name=password]", "Enter")


def code_of(secret):
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def plug_in(seat, **changes):
    """A virtual security key in this browser."""
    channel = seat.page.context.new_cdp_session(seat.page)
    channel.send("WebAuthn.enable")
    return channel, channel.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | changes})


def test_an_invited_person_comes_in_sets_up_an_app_and_comes_in_again(sit, desk):
    house, _ = desk
    ask_for(house, "optional")
    ops = sit("ops@example.org")
    ops.open(house.url("settings/people/"))
    ops.page.keyboard.press("n")
    ops.page.wait_for_url("**/invite/", timeout=PATIENCE)
    ops.page.get_by_label("Name").fill("Nia Sol")
    ops.page.get_by_label("E-mail").fill("nia@example.org")
    ops.page.get_by_role("button", name="Invite").click()
    ops.page.locator("#invitation-link").wait_for(timeout=PATIENCE)
    link = ops.page.locator("#invitation-link").input_value()
    assert link in mail.outbox[0].body and troubles_of(ops) == []
    ask_for(house, "any")

    nia = sit(None)
    nia.open(re.sub(r"^https?://[^/]+", "", link))
    assert troubles_of(nia) == []
    nia.page.get_by_label("Password").fill(PASSWORD)
    nia.page.get_by_role("button", name="Come in").click()
    nia.page.wait_for_url("**/accounts/login/**", timeout=PATIENCE)
    come_in(nia, "nia@example.org")
    nia.page.wait_for_url("**/accounts/", timeout=PATIENCE)
    assert "asks for a second factor" in nia.page.locator("main").inner_text()
    nia.page.get_by_role("link", name="Set up").click()
    prove_it(nia)
    secret = nia.page.locator("#totp-secret").inner_text()
    assert nia.page.locator(".qr svg path").count() == 1 and troubles_of(nia) == []
    nia.page.fill("[name=code]", code_of(secret))
    nia.page.get_by_role("button", name="Turn on").click()
    nia.page.locator(".codes li").first.wait_for(timeout=PATIENCE)
    assert nia.page.locator(".codes li").count() == 10
    nia.page.get_by_role("link", name="I have kept them").click()
    nia.page.get_by_role("navigation", name="Main").get_by_role("link", name="Halden Systems").click()
    nia.page.wait_for_url("**/o/halden/today/**", timeout=PATIENCE)

    go_out(nia)
    cache.clear()
    come_in(nia, "nia@example.org")
    nia.page.wait_for_url("**/2fa/authenticate/", timeout=PATIENCE)
    nia.page.fill("[name=code]", code_of(secret))
    nia.page.keyboard.press("Enter")
    nia.page.wait_for_url("**/o/halden/today/**", timeout=PATIENCE)
    assert nia.complaints == [] and ops.complaints == []


def test_a_passkey_is_added_named_used_and_removed(sit, desk):
    house, _ = desk
    with_password("ana@example.org")
    ask_for(house, "passkey")
    seat = sit(None)
    plug_in(seat)
    seat.open("/accounts/login/")
    come_in(seat, "ana@example.org")
    seat.page.wait_for_url("**/accounts/", timeout=PATIENCE)
    seat.page.get_by_role("link", name="Add", exact=True).click()
    prove_it(seat)
    assert seat.page.get_by_label("Name").input_value() == "Chrome on Linux"
    seat.page.get_by_label("Name").fill("Laptop")
    assert troubles_of(seat) == []
    seat.page.get_by_role("button", name="Add passkey").click()
    seat.page.locator(".codes li").first.wait_for(timeout=PATIENCE)
    seat.open(house.url("deals/"))
    assert "/o/halden/deals/" in seat.page.url

    seat.open("/accounts/")
    seat.page.get_by_role("link", name="Rename Laptop").click()
    seat.page.get_by_label("Name").fill("Work laptop")
    seat.page.get_by_role("button", name="Save").click()
    seat.page.get_by_text("Work laptop").wait_for(timeout=PATIENCE)
    assert troubles_of(seat) == []

    go_out(seat)
    seat.page.get_by_role("button", name="Sign in with a passkey").click()
    seat.page.wait_for_url("**/o/halden/today/**", timeout=PATIENCE)

    seat.open("/accounts/")
    seat.page.get_by_role("button", name="Remove Work laptop").click()
    if seat.page.get_by_role("heading", name="Is it you?").count():
        prove_it(seat)
    seat.page.wait_for_url("**/accounts/", timeout=PATIENCE)
    assert not Authenticator.objects.exists()
    seat.open(house.url("deals/"))
    assert seat.page.url.endswith("/accounts/")
    assert seat.complaints == []


def test_a_key_that_knows_nobody_opens_nothing(sit, desk):
    """The negative control: another key than the registered one, and one that does not know its person."""
    with_password("ana@example.org")
    seat = sit(None)
    channel, key = plug_in(seat)
    seat.open("/accounts/login/")
    come_in(seat, "ana@example.org")
    seat.open("/accounts/2fa/webauthn/add/")
    prove_it(seat)
    seat.page.get_by_role("button", name="Add passkey").click()
    seat.page.locator(".codes li").first.wait_for(timeout=PATIENCE)
    go_out(seat)
    channel.send("WebAuthn.setUserVerified", {**key, "isUserVerified": False})
    seat.page.get_by_role("button", name="Sign in with a passkey").click()
    seat.page.locator("[data-passkey-error]:visible").wait_for(timeout=PATIENCE)
    channel.send("WebAuthn.clearCredentials", key)
    channel.send("WebAuthn.setUserVerified", {**key, "isUserVerified": True})
    seat.page.get_by_role("button", name="Sign in with a passkey").click()
    seat.page.locator("[data-passkey-error]:visible").wait_for(timeout=PATIENCE)
    assert "/accounts/login/" in seat.page.url


def test_a_passkey_is_the_second_step_after_a_password(sit, desk):
    with_password("ana@example.org")
    seat = sit(None)
    plug_in(seat)
    seat.open("/accounts/login/")
    come_in(seat, "ana@example.org")
    seat.open("/accounts/2fa/webauthn/add/")
    prove_it(seat)
    seat.page.get_by_role("button", name="Add passkey").click()
    seat.page.locator(".codes li").first.wait_for(timeout=PATIENCE)
    go_out(seat)
    cache.clear()
    come_in(seat, "ana@example.org")
    seat.page.get_by_role("button", name="Use a passkey").click()
    seat.page.wait_for_url("**/o/halden/today/**", timeout=PATIENCE)
    assert seat.complaints == []


def test_the_pages_of_identity_fit_and_can_be_read(sit, desk):
    house, _ = desk
    seat = sit("ops@example.org")
    paths = [
        "/accounts/",
        "/accounts/password/change/",
        "/accounts/email/",
        house.url("settings/people/"),
        house.url("settings/people/invite/"),
        house.url(f"settings/people/{house.jon.id}/"),
        house.url("settings/security/"),
    ]
    for path in paths:
        seat.open(path)
        assert troubles_at_both_widths(seat, path) == []
    assert seat.complaints == []
