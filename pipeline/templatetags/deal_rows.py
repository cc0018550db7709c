"""The cells of a row of the deals list, written in Python: fifty rows in template tags cost half of a page's time.

Every text that people typed goes through `escape`; numbers, days and the words written here need none.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from otc.ui import format as fmt
from otc.ui.templatetags.otc_ui import chip, delta_days, delta_money, delta_rank, person_mark, slip_bar
from pipeline.opportunities.report import DealRow

register = template.Library()

SICK_BELOW = 60
GRAVE_PENALTY = 20
NOTHING = '<span class="muted">–</span>'
UNCOMPUTED = '<span class="muted" title="Not computed yet">–</span>'
EDITABLE = mark_safe(" data-cell")
FIXED = mark_safe("")
OUTCOMES = {"won": ("Won", "good"), "lost": ("Lost", "bad"), "no_decision": ("No decision", "neutral")}


@dataclass(frozen=True, slots=True)
class Look:
    """What all rows of a page have in common. `deals_url` ends with a slash; a deal's address is below it."""

    deals_url: str
    as_of_query: str
    today: dt.date
    currency: str
    can_edit: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """One row's cells as HTML. `edits` marks cells that can be edited, `edits_open` those only while it is open."""

    href: SafeString
    edits: SafeString
    edits_open: SafeString
    title: SafeString
    stage: SafeString
    amount: SafeString
    close: SafeString
    category: SafeString
    health: SafeString
    slip: SafeString
    next_step: SafeString
    next_step_on: SafeString


@register.simple_tag(takes_context=True)
def deal_look(context: template.Context) -> Look:
    """What the rows below have in common, from the organization, day and rights in the context."""
    return Look(
        deals_url=reverse("deals", args=[context["organization"].slug]),
        as_of_query=context.get("as_of_query") or "",
        today=context["today"],
        currency=context["currency"],
        can_edit=bool(context.get("can_edit")),
    )


@register.simple_tag(takes_context=True)
def deal_cells(context: template.Context, row: DealRow) -> Cells:
    """The cells of `row`. A page of many rows sets `look` once with `deal_look`."""
    return cells_of(row, context.get("look") or deal_look(context))


def cells_of(row: DealRow, look: Look) -> Cells:
    url = f"{look.deals_url}{row.id}/"
    href = f"{url}{escape(look.as_of_query)}"
    is_edited = look.can_edit and row.is_open
    parts = (
        href,
        EDITABLE if look.can_edit else FIXED,
        EDITABLE if is_edited else FIXED,
        _title(row, href),
        _stage(row, url if is_edited else None),
        _amount(row, url if look.can_edit else None, look.currency),
        _close(row, url if look.can_edit else None, look.today),
        _category(row, url if is_edited else None),
        _health(row),
        _slip(row, look.today),
        _next_step(row, url if is_edited else None),
        _next_step_on(row, url if is_edited else None, look.today),
    )
    return Cells(*map(SafeString, parts))


def _edit(url: str, field: str, shown: str, *, kind: str = "", more: str = "") -> str:
    """A value that becomes its editor; kind: further classes, more: further attributes, both written here."""
    address = f"{url}edit/{field}/"
    return (
        f'<a class="cell-value{kind}" href="{address}" hx-get="{address}" hx-target="closest td" '
        f'hx-swap="innerHTML"{more}>{shown}</a>'
    )


def _title(row: DealRow, href: str) -> str:
    name = escape(row.name)
    account = f" · {escape(row.account_name)}" if row.account_name else ""
    owner = escape(row.owner_name or "nobody’s")
    return f'{_mark(row.owner_name)}<a href="{href}" title="{name}{account} · {owner}">{name}</a>'


def _stage(row: DealRow, url: str | None) -> str:
    if url is None:
        return escape(row.stage_name or "–")
    moved = chip("New", "good") if row.is_new else _steps(row.stages_moved)
    return _edit(url, "stage", f"{escape(row.stage_name or 'Set stage')} {moved}")


def _amount(row: DealRow, url: str | None, currency: str) -> str:
    if row.amount_minor is None:
        return (
            _edit(url, "amount", "Set amount", kind=" cell-empty", more=' title=""')
            if url
            else ('<span class="muted">no amount</span>')
        )
    shown = fmt.money_full(row.amount_minor, currency=row.currency)
    if row.currency != currency:
        shown = f'<span class="muted small">{escape(row.currency)}</span> {shown}'
    if row.corporate_minor is None:
        shown += ' <span class="bad small">no rate</span>'
    change = row.amount_change_minor
    moved = delta_money(change, row.currency) if change and not row.is_new else ""
    shown = f'{moved}<span class="deal-amount">{shown}</span>'
    return _edit(url, "amount", shown, more=f' title="{_exactly(row, currency)}"') if url else shown


def _exactly(row: DealRow, currency: str) -> str:
    """The amount to the last minor unit, and what it is in corporate currency."""
    exact = escape(fmt.money_exact(row.amount_minor, currency=row.currency))
    if row.corporate_minor is None:
        return f"{exact}, no rate to {escape(currency)} is known"
    if row.currency != currency:
        return f"{exact} is {escape(fmt.money_exact(row.corporate_minor, currency=currency))}"
    return exact


def _close(row: DealRow, url: str | None, today: dt.date) -> str:
    if row.close_date is None:
        return (
            _edit(url, "close", "Set date", kind=" cell-empty")
            if url
            else ('<span class="muted">no close date</span>')
        )
    moved = delta_days(row.days_moved) if row.days_moved else ""
    passed = '<span class="bad small">passed</span>' if row.is_open and row.close_date < today else ""
    shown = f"<span>{fmt.day(row.close_date, today=today)}</span>{moved}{passed}"
    return _edit(url, "close", shown) if url else shown


def _category(row: DealRow, url: str | None) -> str:
    if url is not None:
        shown = f"{row.category_label or 'Set category'} {_steps(row.categories_moved)}"
        return _edit(url, "category", shown)
    return row.category_label or "–" if row.outcome is None else chip(*OUTCOMES[row.outcome])


def _health(row: DealRow) -> str:
    """The score, the worst of what failed in words, and how much else did."""
    if row.health is None:
        return UNCOMPUTED
    score = f'<span class="num deal-health{" bad" if row.health < SICK_BELOW else ""}">{row.health}</span>'
    worst = row.worst_failed
    if worst is None:
        return score
    kind = "bad" if worst["penalty"] >= GRAVE_PENALTY else "neutral"
    more = f'<span class="chip chip-neutral">+{row.more_failed}</span>' if row.more_failed else ""
    return f"{score}{chip(worst['title'], kind, title=worst.get('detail', ''))}{more}"


def _slip(row: DealRow, today: dt.date) -> str:
    if row.p_slip is not None:
        return _slip_bar(row.p_slip)
    has_slipped = row.is_open and row.close_date is not None and row.close_date < today
    return '<span class="bad">slipped</span>' if has_slipped else NOTHING


def _next_step(row: DealRow, url: str | None) -> str:
    step = escape(row.next_step)
    if url is None:
        return step or "–"
    shown = f'<span class="ellipsis">{step or "Add"}</span>'
    if not step:
        return _edit(url, "next", shown, kind=" cell-empty")
    return _edit(url, "next", shown, more=f' title="{step}"')


def _next_step_on(row: DealRow, url: str | None, today: dt.date) -> str:
    due = row.next_step_on
    day = fmt.day(due, today=today)
    if url is None:
        return day
    if due is None:
        label = ' aria-label="Set the next step’s day"'
        return _edit(url, "next-on", "Set", kind=" deal-day cell-empty", more=label)
    if due < today:
        day = f'<span class="bad">{day}<span class="visually-hidden">, overdue</span></span>'
    return _edit(url, "next-on", day, kind=" deal-day")


# The same few marks stand in most rows: the owners of a page, the steps moved, the chances of a stage.


@lru_cache(maxsize=1024)
def _mark(name: str | None) -> SafeString:
    return person_mark(name)


@lru_cache(maxsize=64)
def _steps(moved: int | None) -> str:
    return delta_rank(moved) if moved else ""


@lru_cache(maxsize=1024)
def _slip_bar(share: float) -> SafeString:
    return slip_bar(share)
