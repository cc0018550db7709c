"""What the bar of the forecast's pages says of a period's lock."""

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html

from forecasting.locks.queries import lock_of
from forecasting.rhythm.queries import beat_now
from otc.question import Question
from otc.ui.bar import period_note
from otc.ui.format import day_near


def lock_note(question: Question, *, type_id: UUID | None = None) -> str:
    """Where in its period the shown day lies, and when that locks, or the lock with the way to its difference."""
    note, slug = period_note(question), question.organization.slug
    lock = lock_of(question.period.key, type_id=type_id, as_of=question.as_of if question.is_past else None)
    today = question.now.astimezone(question.zone).date()
    if lock is not None:
        locked_on = lock.locked_at.astimezone(question.zone).date()
        href = reverse("forecast_difference", args=[slug, lock.id])
        text = f"locked {day_near(locked_on, today=today)}, difference"
        return format_html('{}, <a href="{}">{}</a>', note, href, text)
    beat = beat_now()
    if question.period.end <= question.day or not beat.locks(question.period.kind):
        return note
    href = f"{reverse('forecast_locks', args=[slug])}?{urlencode({'period': question.period.key})}"
    text = f"locks {day_near(beat.lock_day(question.period.end), today=today)}"
    return format_html('{}, <a href="{}">{}</a>', note, href, text)
