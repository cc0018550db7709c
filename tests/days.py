"""Which day is it in the house? In Berlin, which late in the evening of UTC is already the next."""

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

BERLIN = ZoneInfo("Europe/Berlin")


def day_in_house() -> date:
    """Today, as the house of the tests sees it."""
    return timezone.now().astimezone(BERLIN).date()
