"""Numbers, changes and small marks in templates: thin shells around otc.ui.format and otc.ui.charts."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from otc.calendar.rules import Calendar, year_of
from otc.glossary.terms import TERMS
from otc.money.rules import CurrencySum
from otc.ui import controls
from otc.ui import format as fmt
from otc.ui.charts import activity, bars

register = template.Library()

DEFAULT_CURRENCY = "EUR"
CHIP_KINDS = {"neutral", "bad", "good", "dashed", "selected"}


@register.filter
def money_full(minor: int | None, currency: str = DEFAULT_CURRENCY) -> str:
    """386,000"""
    return fmt.money_full(minor, currency=currency or DEFAULT_CURRENCY)


@register.filter
def money_short(minor: int | None, currency: str = DEFAULT_CURRENCY) -> str:
    """3.08 M"""
    return fmt.money_short(minor, currency=currency or DEFAULT_CURRENCY)


@register.filter
def money_exact(minor: int | None, currency: str = DEFAULT_CURRENCY) -> str:
    """386,000.00 EUR"""
    return fmt.money_exact(minor, currency=currency or DEFAULT_CURRENCY)


@register.filter
def money_k(minor: int | None, currency: str = DEFAULT_CURRENCY) -> str:
    """7,004 (thousands; the head names the unit)"""
    return fmt.money_k(minor, currency=currency or DEFAULT_CURRENCY)


@register.filter
def thousands(value: int | Decimal | None) -> str:
    """1,214"""
    return fmt.thousands(value)


@register.filter
def shape_on(calendar: Calendar, day: dt.date) -> str:
    """Twelve months from January"""
    return str(calendar.shape_of(year_of(day, calendar=calendar)))


@register.inclusion_tag("ui/unconvertible.html", takes_context=True)
def unconvertible(context: Any, sums: Sequence[CurrencySum], href: str = "") -> dict[str, Any]:
    """What stands beside a total for want of a rate: how many deals, their amounts, and where they are."""
    return {
        "sums": sums,
        "count": sum(one.count for one in sums),
        "currency": context.get("currency"),
        "href": href,
    }


@register.filter
def plain_number(value: Decimal) -> str:
    """Every digit that it has, never in powers of ten: 0.0000062"""
    return f"{value:f}"


@register.filter
def percent(share: float | None, decimals: int = 0) -> str:
    """0.38 -> 38 %"""
    return fmt.percent(share, decimals=decimals)


@register.filter
def basis_points(share_bp: int) -> str:
    """850 -> 8.5 %"""
    return fmt.basis_points(share_bp)


@register.filter
def times(ratio: float | None) -> str:
    """1.72 ×"""
    return fmt.times(ratio)


@register.filter
def age(days: int | None) -> str:
    """12 d"""
    return fmt.age(days)


@register.filter
def day(value: dt.date | None, today: dt.date | None = None) -> str:
    """18 Dec, with the year when it is not today's; without today always with the year."""
    return _day(value, today=today, write=fmt.day)


@register.filter
def day_near(value: dt.date | None, today: dt.date | None = None) -> str:
    """Fri 20 Nov within eight days, else like day."""
    return _day(value, today=today, write=fmt.day_near)


@register.filter
def moment(value: dt.datetime | None, today: dt.date | None = None) -> str:
    """Thu 19 Nov 09:42"""
    return _day(value, today=today, write=fmt.moment)


def _day(value: Any, *, today: dt.date | None, write: Any) -> str:
    # A missing `today` arrives as '' from the template engine; year one shows every year.
    return write(value or None, today=today or dt.date.min)


@register.simple_tag
def zoned_moment(value: dt.datetime, zone: ZoneInfo | None) -> SafeString:
    """The instant as a moment of the zone; without one in UTC, for the browser to show in its own."""
    text = fmt.moment(value.astimezone(zone or dt.UTC), today=_today(zone))
    return format_html('<time datetime="{}">{}</time>', value.astimezone(dt.UTC).isoformat(), text)


@register.simple_tag
def zoned_day(value: dt.datetime, zone: ZoneInfo | None) -> SafeString:
    """The same, but only the day."""
    text = fmt.day(value.astimezone(zone or dt.UTC).date(), today=_today(zone))
    return format_html('<time datetime="{}" data-day>{}</time>', value.astimezone(dt.UTC).isoformat(), text)


def _today(zone: ZoneInfo | None) -> dt.date:
    return timezone.now().astimezone(zone or dt.UTC).date()


@register.filter
def initials(name: str | None) -> str:
    """AR"""
    return fmt.initials(name)


@register.filter
def plural_of(count: int, noun: str) -> str:
    """9 deals"""
    return fmt.plural(count, noun)


@register.simple_tag
@lru_cache(maxsize=512)  # a page draws dozens of them, and looking up the sprite's address takes longest
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """An icon of the sprite; without a label it is decoration and a word must stand beside it."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" width="{}" height="{}" {}><use href="{}#{}"></use></svg>',
        size,
        size,
        meaning,
        static("icons.svg"),
        name,
    )


@register.simple_tag
def chip(text: str, kind: str = "neutral", title: str = "", href: str = "") -> SafeString:
    """A small labelled fact; bad ones bear a triangle so that colour is not alone."""
    kind = kind if kind in CHIP_KINDS else "neutral"
    mark = icon("triangle", 12) if kind == "bad" else ""
    hover = format_html(' title="{}"', title) if title else ""
    if href:
        return format_html('<a class="chip chip-{}" href="{}"{}>{}{}</a>', kind, href, hover, mark, text)
    return format_html('<span class="chip chip-{}"{}>{}{}</span>', kind, hover, mark, text)


@register.simple_tag
def person_mark(name: str | None, size: int = 20, labelled: bool = False) -> SafeString:
    """Initials in a circle; decoration unless labelled. Nobody is an empty dashed circle."""
    classes = f"person-mark person-mark-{28 if size >= 28 else 20}"
    if not name:
        return format_html('<span class="{} person-nobody" aria-hidden="true"></span>', classes)
    if labelled:
        return format_html(
            '<span class="{}" role="img" aria-label="{}" title="{}">{}</span>',
            classes,
            name,
            name,
            fmt.initials(name),
        )
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, fmt.initials(name))


@register.simple_tag
@lru_cache(maxsize=128)  # the dialog of keys stands on every page
def key(name: str) -> SafeString:
    """A key cap."""
    return format_html("<kbd>{}</kbd>", name)


@register.simple_tag
def delta(change: fmt.Delta | None, arrow: bool = True) -> SafeString:
    """A change that a report already prepared."""
    return _delta(change, arrow=arrow)


@register.simple_tag
def delta_money(
    minor: int | None,
    currency: str = DEFAULT_CURRENCY,
    good: str = "up",
    arrow: bool = True,
    full: bool = False,
    unit_k: bool = False,
) -> SafeString:
    """↓ −119 k; full: ↓ −119,000; unit_k: ↓ −119 (grids in thousands)."""
    write = fmt.money_full if full else fmt.money_k if unit_k else fmt.money_short
    text = write(minor, currency=currency or DEFAULT_CURRENCY, plus=True)
    return _delta(fmt.delta(minor, text=text, good=good), arrow=arrow)


@register.simple_tag
def delta_count(change: int | None, noun: str = "", good: str = "up", arrow: bool = True) -> SafeString:
    """↑ +2 deals"""
    if not change:
        return _delta(None, arrow=arrow)
    text = fmt.signed(change, plus=True)
    if noun:
        text += fmt.NBSP + fmt.plural(abs(change), noun).split(" ", 1)[1]
    return _delta(fmt.delta(change, text=text, good=good), arrow=arrow)


@register.simple_tag
def delta_number(
    change: float | None, decimals: int = 0, good: str = "up", arrow: bool = True, unit: str = ""
) -> SafeString:
    """↑ +0.12"""
    if not change:
        return _delta(None, arrow=arrow)
    text = fmt.signed(change, decimals=decimals, plus=True) + (fmt.NBSP + unit if unit else "")
    return _delta(fmt.delta(change, text=text, good=good), arrow=arrow)


@register.simple_tag
def delta_points(share: float | None, good: str = "up", arrow: bool = True) -> SafeString:
    """A difference of two shares: ↑ +3 points"""
    return _delta(fmt.delta_points(share, good=good), arrow=arrow)


@register.simple_tag
def delta_days(days: int | None, good: str = "earlier", arrow: bool = True) -> SafeString:
    """A moved date: → +14 d"""
    return _delta(fmt.delta_days(days, good=good), arrow=arrow)


@register.simple_tag
def delta_rank(steps: int | None, text: str = "", good: str = "up") -> SafeString:
    """Stages or categories moved: ↑ +1, or with words ↑ from best case"""
    if not steps:
        return _delta(None, arrow=True)
    return _delta(fmt.delta(steps, text=text or fmt.signed(steps, plus=True), good=good), arrow=True)


def _delta(change: fmt.Delta | None, *, arrow: bool) -> SafeString:
    if change is None:
        return mark_safe('<span class="visually-hidden"> unchanged</span>')
    # Written with `escape`: most rows and cards have one, and format_html takes four times as long.
    mark = icon(change.icon, 12) if arrow else ""
    hidden = f'<span class="visually-hidden"> {escape(change.words)} </span>' if arrow else ""
    return SafeString(
        f'<span class="delta delta-{escape(change.tone)}">{mark}{hidden}{escape(change.text)}</span>'
    )


@register.simple_tag
def slip_bar(share: float | None) -> SafeString:
    """57 % and its small bar; red and bold from one half."""
    if share is None:
        return mark_safe("–")
    is_bad = share >= 0.5
    return format_html(
        '<span class="barred{}"><span class="num">{}</span>{}</span>',
        mark_safe(" is-bad") if is_bad else "",
        fmt.percent(share),
        bars.small_bar(share, is_bad=is_bad),
    )


@register.simple_tag
def activity_bars(counts: Sequence[int], label: str = "") -> SafeString:
    """Contacts per week, twelve weeks, the latest on the right."""
    return activity.bars(counts, label=label)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's address with some parameters changed; None removes one."""
    request = context["request"]
    return controls.href_with(request.path, request.GET, **changes)


@register.simple_tag(takes_context=True)
def sort_link(context: template.Context, field: str, label: str, numeric: bool = False) -> SafeString:
    """A table head that sorts: numbers descend first, the rest ascends; then the reverse."""
    request = context["request"]
    current = context.get("sort") or request.GET.get("sort", "")
    is_sorted = current.lstrip("-") == field
    is_descending = is_sorted and current.startswith("-")
    first = f"-{field}" if numeric else field
    other = field if is_descending else f"-{field}"
    href = controls.href_with(request.path, request.GET, sort=other if is_sorted else first)
    mark = icon("delta-down" if is_descending else "delta-up", 12) if is_sorted else ""
    state = ("sorted descending" if is_descending else "sorted ascending") if is_sorted else ""
    hidden = format_html('<span class="visually-hidden">, {}</span>', state) if state else ""
    return format_html(
        '<a class="sort{}" href="{}">{}{}{}</a>',
        mark_safe(" is-sorted") if is_sorted else "",
        href,
        label,
        mark,
        hidden,
    )


@register.simple_tag(takes_context=True)
def help_on(context: template.Context, key: str) -> SafeString:
    """The "?" beside a number: its term's meaning and function, and the way to the glossary. Raises KeyError.

    Without the template's last line end, which would be a gap before a comma. It can't stand in a <p>.
    """
    term = TERMS[key]
    function = term.function.rpartition(".")[2]
    shown = {"term": term, "function": function, "org_url": context.get("org_url", "")}
    return SafeString(render_to_string("ui/help.html", shown).strip())


@register.simple_tag
def term_label(key: str) -> str:
    """coverage_remaining -> Coverage, remaining"""
    return TERMS[key].label
