"""Every page, wide and narrow, light and dark: it answers, fits, is readable by everyone and has a clean console."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forecasting.locks.models import Lock
from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.health.services import health_refresh
from pipeline.opportunities.models import Opportunity
from postmortem.demo.services import demo_seed
from tests.browser.looking import troubles_at_both_widths
from tests.nightly import IS_NIGHTLY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = """
    today/ deals/ deals/board/ deals/new/ accounts/ inspection/ flow/ flow/matrix/
    forecast/cell/{person}/ forecast/calls/ forecast/history/ forecast/quotas/ forecast/locks/
    forecast/locks/{lock}/ forecast/?type=renewal deals/{deal}/pay/ settings/pay/ settings/rhythm/
    settings/forecasts/ forecast/ landing/ health/ integrity/?finding=no_owner settings/health/
    forecast/?view=single winloss/ settings/ settings/tokens/ inspection/?as_of={past} deals/{deal}/
    deals/{deal}/close/ deals/{deal}/close-plan/ accounts/new/ settings/people/ settings/process/
    settings/imports/ settings/people/lines/ settings/people/invite/ settings/roles/ settings/delegates/
    settings/security/ settings/fields/ settings/calendar/ settings/currencies/ settings/audit/ glossary/
    trash/ notices/ notices/choices/ settings/big-deals/ find/ shown-currency/ deals/?group=account
    deals/views/?query=q deals/exports/ approvals/
"""


def seeded() -> tuple[str, dict[str, str]]:
    """A small demo organization: an administrator's e-mail; a deal that is open, a day in the past, an executive and
    the last quarter's lock, by the names that addresses have for them.
    """
    done = demo_seed("looked-at", deals=24, seed=3, now=timezone.now())
    with use(done.organization.id):
        deals = list(Opportunity.objects.filter(outcome=None).values_list("id", flat=True))
        health_refresh(deals, now=timezone.now())
        top = Person.objects.filter(role="executive").values_list("id", flat=True)[0]
        person = Person.objects.filter(role="administrator", user__isnull=False).first()
        lock = Lock.objects.order_by("-locked_at").values_list("id", flat=True)[0]
    past = (timezone.now() - timedelta(days=20)).date().isoformat()
    named = {"deal": str(deals[0]), "past": past, "person": str(top), "lock": str(lock)}
    return User.objects.get(id=person.user_id).email, named


# Where a narrow page has parts of its own, their colours are looked at too.
OWN_PARTS = ("deals/", "deals/board/", "deals/{deal}/", "forecast/", "settings/")


def test_every_page_fits_and_is_readable_in_light_and_dark(sit):
    email, named = seeded()
    seat = sit(email)
    troubles = []
    for path in PAGES.split():
        answer = seat.open("/o/looked-at/" + path.format(**named))
        if answer.status != 200:
            troubles.append(f"{path}: {answer.status}")
        is_special = path in OWN_PARTS
        troubles += troubles_at_both_widths(
            seat, path, has_own_parts=is_special, in_both_themes=is_special or IS_NIGHTLY
        )
    assert troubles + seat.complaints == []
