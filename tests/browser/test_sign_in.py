"""The door: every role comes in by the real form, a wrong password says so, and a chosen theme stays."""

import re

import pytest

from otc.identity.models import User
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough passphrase"
# What each role finds in the navigation: administrators alone have the settings.
ROLES = ("ana", "max", "eve", "ops")


def with_password(email: str) -> None:
    user = User.objects.get(email=email)
    user.set_password(PASSWORD)
    user.save()


def come_in(seat, email: str, password: str) -> None:
    seat.page.fill("[name=login]", email)
    seat.page.fill("[name=password]", password)
    seat.page.press("[name=password]", "Enter")


def test_every_role_comes_in_by_the_form_and_goes_out_by_its_menu(sit, desk):
    house, _ = desk
    seen = {}
    for name in ROLES:
        with_password(f"{name}@example.org")
        seat = sit(None)
        seat.open(house.url("deals/"))
        assert "/accounts/login/" in seat.page.url
        come_in(seat, f"{name}@example.org", PASSWORD)
        seat.page.wait_for_url("**/o/halden/deals/", timeout=PATIENCE)
        seen[name] = seat.page.locator(".sidebar .nav a", has_text="Settings").count()
        seat.page.locator(".user-name").click()
        seat.page.get_by_role("button", name="Sign out").click()
        seat.page.wait_for_url("**/accounts/login/**", timeout=PATIENCE)
        assert seat.complaints == []
    assert seen == {"ana": 0, "max": 0, "eve": 0, "ops": 1}


def test_a_wrong_password_says_so_and_keeps_the_address(sit, desk):
    with_password("ana@example.org")
    seat = sit(None)
    seat.open("/accounts/login/")
    come_in(seat, "ana@example.org", "not it")
    said = seat.page.get_by_role("alert")
    said.wait_for(timeout=PATIENCE)
    assert re.search("password", said.inner_text())
    assert seat.page.locator("[name=login]").input_value() == "ana@example.org"
    assert seat.page.locator("[name=password]").input_value() == ""


def test_a_chosen_theme_is_remembered(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org", theme="light")

    def paper() -> str:
        return seat.page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")

    seat.open(house.url("deals/"))
    assert paper() == "rgb(255, 255, 255)"
    seat.page.locator(".user-name").click()
    seat.page.locator(".sidebar [data-theme-choice=dark]").click()
    assert paper() == "rgb(23, 23, 22)"
    seat.open(house.url("forecast/"))
    assert paper() == "rgb(23, 23, 22)"
    seat.page.locator(".user-name").click()
    seat.page.locator(".sidebar [data-theme-choice=system]").click()
    assert paper() == "rgb(255, 255, 255)"
