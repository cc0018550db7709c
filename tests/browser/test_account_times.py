"""Whose clock the account page goes by: the organization's where there is one, else the browser's."""

from datetime import UTC, datetime

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.services import organization_create, person_create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def times_of(seat):
    """The account page's times, of a session that began at half past eleven on a January night in UTC."""
    UserSession.objects.create(
        user=User.objects.get(email="ana@example.org"),
        session_key=Session.objects.get().session_key,
        ip="127.0.0.1",
        created_at=datetime(2025, 1, 5, 23, 30, tzinfo=UTC),
    )
    seat.open("/accounts/")
    panel = seat.page.locator("section", has_text="Where you are signed in").inner_text()
    return " ".join(panel.split())


def test_the_organizations_clock_wins_over_the_browsers(sit, desk):
    ana = sit("ana@example.org", zone="Asia/Tokyo")
    told = times_of(ana)
    assert "Mon 6 Jan 2025 00:30" in told and "Times in Europe/Berlin." in told
    assert ana.complaints == []


def test_two_zones_leave_it_to_the_browser(sit, desk):
    other = organization_create(slug="kitano", name="Kitano", timezone_name="America/Denver")
    with use(other.id):
        person_create(name="Ana Ruiz", role="rep", user=User.objects.get(email="ana@example.org"))
    ana = sit("ana@example.org", zone="Asia/Tokyo")
    told = times_of(ana)
    assert "Mon 6 Jan 2025 08:30" in told and "Times in Asia/Tokyo." in told
    assert ana.complaints == []
