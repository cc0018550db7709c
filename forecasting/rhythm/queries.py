"""Which rhythm holds in the organization in context?"""

from dataclasses import fields

from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.rules import Beat
from otc.tenancy.context import once_per_snapshot

NAMES = tuple(field.name for field in fields(Beat))


def beat_now() -> Beat:
    """The organization's choice, else the defaults. One query."""
    return once_per_snapshot("rhythm", _read)


def _read() -> Beat:
    row = Rhythm.objects.values(*NAMES).first()
    return Beat(**row) if row else Beat()
