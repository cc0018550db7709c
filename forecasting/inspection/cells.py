"""The rows of the inspection, written in Python: fifty rows in template tags cost more than all of a page's SQL.

Every text that people typed goes through `escape`; numbers, days and the words written here need none.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.safestring import SafeString

from forecasting.inspection.rows import DealRow
from otc.ui import format as fmt
from otc.ui.templatetags.otc_ui import activity_bars, delta_days, delta_money, delta_rank, icon
from pipeline.templatetags.deal_rows import (
    GRAVE_PENALTY,
    NOTHING,
    SICK_BELOW,
    UNCOMPUTED,
    chip_of,
    mark_of,
    slip_bar_of,
)

SILENT_DAYS = 14
TEAM = "Deal team: you see it for a seat on its team; it counts with its owner"
HIDDEN = '<span class="muted">A deal that somebody else has now</span>'


@dataclass(frozen=True, slots=True)
class Look:
    """What all rows of a page have in common. `deals_url` ends with a slash; `tells` adds who changed what and when."""

    deals_url: str
    as_of_query: str
    today: dt.date
    currency: str
    can_edit: bool
    is_by_category: bool
    tells: bool


def row_html(row: Mapping[str, Any], look: Look) -> SafeString:
    """One deal: `row` is what `deal_cells` says of it."""
    deal: DealRow = row["deal"]
    address = f"{look.deals_url}{deal.opportunity_id}/"
    opens = "" if deal.is_hidden else f' data-href="{address}{escape(look.as_of_query)}"'
    unassigned = "" if deal.owner_id else ' class="is-unassigned"'
    title = _title(row, f"{address}{escape(look.as_of_query)}")
    return SafeString(
        f"""<tr id="deal-{deal.opportunity_id}"{opens}{unassigned}>
<td class="cell-title n1"><div class="cell-line">{title}</div></td>
<td class="n2">{_stage(row)}</td>
<td class="num n1r">{_amount(row, look)}</td>
<td class="n2r">{_close(row, look)}</td>
<td class="n-hide">{_category(row, look)}</td>
<td class="n3">{_health(row)}</td>
<td class="num n3r">{_slip(row)}</td>
<td class="n-hide weeks">{_weeks(row)}</td>
<td class="n-hide">{_next(row, look, address)}</td>
</tr>
{_told(row) if look.tells else ""}"""
    )


def _who(row: Mapping[str, Any], key: str) -> str:
    """From what to what, who and when, as a title."""
    told = row["who"].get(key)
    return f' title="{escape(told)}"' if told else ""


def _title(row: Mapping[str, Any], href: str) -> str:
    deal: DealRow = row["deal"]
    mark = mark_of(deal.owner_name)
    if deal.is_hidden:
        return f"{mark}{HIDDEN}"
    name = escape(deal.name)
    account = f" · {escape(deal.account_name)}" if deal.account_name else ""
    owner = escape(deal.owner_name or "nobody’s")
    shown = f'{mark}<a class="two-lines" href="{href}" title="{name}{account} · {owner}">{name}</a>'
    if "owner" in row["who"]:
        shown += chip_of(f"from {deal.was_owner_name or 'nobody'}", "neutral", row["who"]["owner"])
    if deal.is_seated:
        shown += chip_of("Team", "dashed", TEAM)
    return shown


def _stage(row: Mapping[str, Any]) -> str:
    deal: DealRow = row["deal"]
    moved = chip_of("New", "good") if row["is_new"] else _steps(row["rank"])
    name = escape(deal.stage_name or "–")
    return (
        f'<span class="changed-line"{_who(row, "stage")}><span class="two-lines">{name}</span>{moved}</span>'
    )


@lru_cache(maxsize=64)
def _steps(moved: int | None) -> str:
    return delta_rank(moved) if moved else ""


def _amount(row: Mapping[str, Any], look: Look) -> str:
    deal: DealRow = row["deal"]
    exact = escape(fmt.money_exact(deal.amount_minor, currency=deal.currency))
    if deal.amount_minor is None:
        shown = '<span class="muted">no amount</span>'
    elif deal.corporate_minor is None:
        native = fmt.money_full(deal.amount_minor, currency=deal.currency)
        shown = f'<span class="bad">{escape(deal.currency)} {native}</span>'
    else:
        shown = fmt.money_full(deal.corporate_minor, currency=look.currency)
    if deal.share_bp is not None:
        whole = fmt.money_full(deal.amount_minor or 0, currency=deal.currency)
        shown = f'<small class="muted">{deal.share_bp / 100:g} % of {whole}</small> {shown}'
    change = row["amount_change"]
    moved = delta_money(change, look.currency) if change else ""
    return f'<div class="valued"><span title="{exact}">{shown}</span><span{_who(row, "amount")}>{moved}</span></div>'


def _close(row: Mapping[str, Any], look: Look) -> str:
    deal: DealRow = row["deal"]
    if row["is_overdue"]:
        moved = f'<span class="bad small">{fmt.age(row["days_overdue"])} ago</span>'
    else:
        moved = delta_days(row["days_change"]) if row["days_change"] else ""
    day = fmt.day(deal.close_date, today=look.today)
    return f'<div class="dated"{_who(row, "close")}><span>{day}</span>{moved}</div>'


def _category(row: Mapping[str, Any], look: Look) -> str:
    """What it is, unless its group says so; and what it was."""
    label, was = row["category_label"] or "none", row["was_category"]
    if not was:
        return (
            "" if look.is_by_category else f'<span class="ellipsis">{row["category_label"] or NOTHING}</span>'
        )
    tone, arrow = ("good", "arrow-up") if row["category_rose"] else ("bad", "arrow-down")
    words = f"from {was.lower()}" if look.is_by_category else label
    return (
        f'<span class="small changed-line {tone}"{_who(row, "category")}>{icon(arrow, 12)}'
        f'<span class="two-lines">{words}</span></span>'
    )


def _health(row: Mapping[str, Any]) -> str:
    """The score, the worst of what failed in words, and how much else did; all of it in the title."""
    deal: DealRow = row["deal"]
    if deal.health is None:
        return UNCOMPUTED
    shown = f'<span class="num deal-health{" bad" if deal.health < SICK_BELOW else ""}">{deal.health}</span>'
    worst = row["worst"]
    if worst is not None:
        kind = "bad" if worst["penalty"] >= GRAVE_PENALTY else "neutral"
        shown += chip_of(row["short_title"] or worst["title"], kind, worst["detail"])
        if row["more"] > 0:
            shown += f'<span class="chip chip-neutral" title="{escape(row["checks"])}">+{row["more"]}</span>'
    return f'<span class="cell-line">{shown}</span>'


def _slip(row: Mapping[str, Any]) -> str:
    deal: DealRow = row["deal"]
    if row["is_overdue"]:
        return '<span class="bad">slipped</span>'
    if deal.p_slip is None:
        return NOTHING
    return f'<span class="narrow-inline muted small">slip</span> {slip_bar_of(deal.p_slip)}'


def _weeks(row: Mapping[str, Any]) -> str:
    days = row["silent_days"]
    tone = "bad" if days is not None and days > SILENT_DAYS else "muted"
    silent = "" if days is None else f'<span class="small {tone}">{fmt.age(days)}</span>'
    return f'<span class="row row-nowrap">{_bars(row["weekly"])}{silent}</span>'


@lru_cache(maxsize=2048)
def _bars(weekly: tuple[int, ...]) -> SafeString:
    return activity_bars(weekly)


def _next(row: Mapping[str, Any], look: Look, address: str) -> str:
    deal: DealRow = row["deal"]
    step = escape(deal.next_step)
    if step:
        shown = f'<span class="ellipsis" title="{step}">{step}</span>'
    elif look.can_edit and not deal.is_hidden:
        shown = f'<span class="ellipsis"><a href="{address}">Add a next step</a></span>'
    else:
        shown = NOTHING
    if row["step_late_days"]:
        shown += f'<span class="small bad nowrap">{fmt.age(row["step_late_days"])} late</span>'
    elif deal.next_step_on:
        shown += f'<span class="small muted nowrap">{fmt.day(deal.next_step_on, today=look.today)}</span>'
    return f'<span class="spread">{shown}</span>'


def _told(row: Mapping[str, Any]) -> str:
    """The line below a deal: each thing that changed, from what to what, by whom and when."""
    lines = "".join(
        f'<li><span class="muted">{line["title"]}</span> {escape(line["before"])} → <b>{escape(line["after"])}</b> '
        f'<span class="muted">{escape(line["who"])}</span></li>'
        for line in row["told"]
    )
    if not lines:
        return ""
    return f'<tr class="changes-row"><td colspan="9" class="n1"><ul class="changes">{lines}</ul></td></tr>\n'
