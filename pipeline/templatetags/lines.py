"""A deal's products in words."""

from django import template

from otc.ui.format import money_full
from pipeline.lines.models import DealLine
from pipeline.lines.timeline import line_words as words_of

register = template.Library()


@register.filter
def line_words(line: DealLine) -> str:
    return words_of(line)


@register.filter
def money_difference(minor: int, currency: str) -> str:
    """“1,200 above”, “300 below”."""
    return f"{money_full(abs(minor), currency=currency)} {'above' if minor > 0 else 'below'}"
