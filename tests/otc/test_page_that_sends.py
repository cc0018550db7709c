"""An address that only takes what is sent leads a browser to its page, and keeps its 405 for programs."""

import pytest
from django.conf import settings

from otc.ui.middleware import address_above

pytestmark = pytest.mark.django_db
ID = "0193f0a0-0000-7000-8000-000000000001"
NAVIGATES = {"Sec-Fetch-Mode": "navigate"}


@pytest.mark.parametrize(
    ("path", "above"),
    [
        (f"/o/acme/deals/{ID}/close-plan/links/", f"/o/acme/deals/{ID}/close-plan/"),
        (f"/o/acme/deals/{ID}/team/{ID}/remove/", f"/o/acme/deals/{ID}/team/"),
        (f"/o/acme/leads/{ID}/convert/", f"/o/acme/leads/{ID}/"),
        ("/nowhere/", ""),
    ],
)
def test_the_address_above_is_one_that_there_is(path, above):
    assert address_above(path) == above


def test_a_browser_is_led_to_the_page_and_a_program_is_told(house, signed_in):
    client = signed_in(house.ana)
    address = house.url("deals/block/")
    assert client.get(address).status_code == 405
    led = client.get(address, headers=NAVIGATES)
    assert (led.status_code, led.url) == (302, house.url("deals/"))
    assert client.post(house.url("deals/"), headers=NAVIGATES).status_code != 302


def test_a_refused_sign_in_is_asked_first(house, client):
    asked = client.get(house.url("deals/block/"), headers=NAVIGATES)
    assert settings.LOGIN_URL in asked.url or "/login" in asked.url
