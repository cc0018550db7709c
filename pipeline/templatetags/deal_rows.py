"""The rows of the deals list, written in Python: fifty rows in template tags cost half of a page's time.

Every text that people typed goes through `escape`; numbers, days and the words written here need none.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from otc.fields.queries import Book
from otc.fields.rules import stored
from otc.fields.shown import label_of, typed_of
from otc.ui import format as fmt
from otc.ui.templatetags.otc_ui import chip, delta_days, delta_money, delta_rank, person_mark, slip_bar
from pipeline.fields.columns import ListColumn, list_columns
from pipeline.opportunities.cells import written_amount
from pipeline.opportunities.report import DealRow

register = template.Library()

SICK_BELOW = 60
GRAVE_PENALTY = 20
NOTHING = '<span class="muted">–</span>'
UNCOMPUTED = '<span class="muted" title="Not computed yet">–</span>'
FIT_KINDS = {"good": "good", "fair": "neutral", "poor": "bad"}
OUTCOMES = {"won": ("Won", "good"), "lost": ("Lost", "bad"), "no_decision": ("No decision", "neutral")}


@dataclass(frozen=True, slots=True)
class Look:
    """What all rows of a page have in common. `deals_url` ends with a slash; a deal's address is below it."""

    deals_url: str
    as_of_query: str
    today: dt.date
    currency: str
    can_edit: bool
    columns: tuple[ListColumn, ...] = field(default_factory=lambda: list_columns((), (), book=Book()))
    names: Mapping[str, str] = field(default_factory=dict)


@register.simple_tag(takes_context=True)
def deal_look(context: template.Context) -> Look:
    """What the rows below have in common, from the organization, day and rights in the context."""
    return Look(
        deals_url=reverse("deals", args=[context["organization"].slug]),
        as_of_query=context.get("as_of_query") or "",
        today=context["today"],
        currency=context["currency"],
        can_edit=bool(context.get("can_edit")),
        **{name: context[name] for name in ("columns", "names") if name in context},
    )


@register.simple_tag
def deal_rows(rows: Iterable[DealRow], look: Look) -> SafeString:
    """The rows of the deals; `look` comes from `deal_look`."""
    return SafeString("".join(row_html(row, look) for row in rows))


def row_html(row: DealRow, look: Look) -> SafeString:
    """Cells marked data-cell become their editors; of a closed deal only amount and close date can be edited."""
    address = f"{look.deals_url}{row.id}/"
    href = f"{address}{escape(look.as_of_query)}"
    url = address if look.can_edit else None
    open_url = url if row.is_open else None
    unassigned = "" if row.owner_id else ' class="is-unassigned"'
    cells = "".join(_cell(column, row, look, url, open_url) for column in look.columns)
    return SafeString(
        f"""<tr id="deal-{row.id}" data-href="{href}"{unassigned}>
  <td class="cell-title n1"><div class="cell-line">{_title(row, href, can_pick=look.can_edit)}</div></td>
{cells}</tr>
"""
    )


def _cell(column: ListColumn, row: DealRow, look: Look, url: str | None, open_url: str | None) -> str:
    """One cell; what the deal's state allows to be edited becomes its editor.

    `data-v` is what that editor begins with: what is copied, and what the reader saw when they write.
    """
    edits, edits_open = " data-cell" if url else "", " data-cell" if open_url else ""
    match column.name:
        case "stage":
            return (
                f'  <td class="n2"{edits_open} data-v="{row.stage_id or ""}">{_stage(row, open_url)}</td>\n'
            )
        case "amount":
            exact = written_amount(row.amount_minor, currency=row.currency)
            return f'  <td class="num n1r"{edits} data-v="{exact}">{_amount(row, url, look.currency)}</td>\n'
        case "close":
            return f'  <td class="n2r"{edits} data-v="{row.close_date or ""}">{_close(row, url, look.today)}</td>\n'
        case "category":
            return f'  <td class="n-hide"{edits_open} data-v="{row.category or ""}">{_category(row, open_url)}</td>\n'
        case "health":
            return f'  <td class="n3"><span class="cell-line">{_health(row)}</span></td>\n'
        case "slip":
            label = "" if row.p_slip is None else ' data-label="slip"'
            return f'  <td class="num n3r"{label}>{_slip(row, look.today)}</td>\n'
        case "fit":
            return f'  <td class="n-hide">{_fit(row)}</td>\n'
        case "next":
            step = escape(row.next_step)
            return f'  <td class="n-hide"{edits_open} data-v="{step}">{_next_step(row, open_url)}</td>\n'
        case "due":
            due, shown = row.next_step_on or "", _next_step_on(row, open_url, look.today)
            return f'  <td class="n-hide right"{edits_open} data-v="{due}">{shown}</td>\n'
    return _field_cell(column, row, look, url)


def _fit(row: DealRow) -> str:
    """The band, and the points behind it."""
    if row.fit is None:
        return NOTHING
    shown: str = chip(
        row.fit.words, FIT_KINDS[row.fit.band], title=f"{row.fit.points} of {row.fit.of} points"
    )
    return shown


def _field_cell(column: ListColumn, row: DealRow, look: Look, url: str | None) -> str:
    """A custom field; of a closed deal too, since it is no forecast."""
    found = column.field
    assert found is not None
    value = stored(found, row.attributes)
    shown = escape(label_of(found, value, names=look.names, today=look.today))
    typed = escape(typed_of(found, value))
    right = " num" if column.is_number else ""
    if url is None:
        return f'  <td class="n-hide{right}" data-v="{typed}">{shown or NOTHING}</td>\n'
    body = f'<span class="ellipsis">{shown}</span>' if shown else NOTHING
    title = f' title="{shown}"' if shown else f' aria-label="Set {escape(column.label)}"'
    cell = _edit(url, f"field-{found.key}", body, more=title)
    return f'  <td class="n-hide{right}" data-cell data-v="{typed}">{cell}</td>\n'


def _edit(url: str, field: str, shown: str, *, kind: str = "", more: str = "") -> str:
    """A value that becomes its editor; kind: further classes, more: further attributes, both written here."""
    address = f"{url}edit/{field}/"
    return (
        f'<a class="cell-value{kind}" href="{address}" hx-get="{address}" hx-target="closest td" '
        f'hx-swap="innerHTML"{more}>{shown}</a>'
    )


def _title(row: DealRow, href: str, *, can_pick: bool) -> str:
    """The owner's initials, which pick the deal for a change of many, and its name."""
    name = escape(row.name)
    account = f" · {escape(row.account_name)}" if row.account_name else ""
    owner = escape(row.owner_name or "nobody’s")
    mark: str = mark_of(row.owner_name)
    if can_pick:
        box = f'<input type="checkbox" form="picks" name="deal" value="{row.id}" aria-label="Pick {name}" data-pick>'
        mark = f'<label class="pick">{box}{mark}</label>'
    return f'{mark}<a href="{href}" title="{name}{account} · {owner}">{name}</a>'


def _stage(row: DealRow, url: str | None) -> str:
    if url is None:
        return escape(row.stage_name or "–")
    moved = chip_of("New", "good") if row.is_new else _steps(row.stages_moved)
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
    return row.category_label or "–" if row.outcome is None else chip_of(*OUTCOMES[row.outcome])


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
    return f"{score}{chip_of(worst['title'], kind, worst.get('detail', ''))}{more}"


def _slip(row: DealRow, today: dt.date) -> str:
    if row.p_slip is not None:
        return slip_bar_of(row.p_slip)
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


# The same few marks stand in most rows: owners, steps moved, the checks that fail most.


@lru_cache(maxsize=1024)
def mark_of(name: str | None, *, is_labelled: bool = False) -> SafeString:
    """A person's initials in a circle."""
    return person_mark(name, labelled=is_labelled)


@lru_cache(maxsize=1024)
def chip_of(text: str, kind: str, title: str = "") -> SafeString:
    """A small labelled fact."""
    return chip(text, kind, title=title)


@lru_cache(maxsize=64)
def _steps(moved: int | None) -> str:
    return delta_rank(moved) if moved else ""


@lru_cache(maxsize=1024)
def slip_bar_of(share: float) -> SafeString:
    return slip_bar(share)
