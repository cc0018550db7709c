"""The cards of the board, written in Python like the rows of the list: a hundred cards in template tags cost half of a
page's time. Every text that people typed goes through `escape`.
"""

import datetime as dt
from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString

from otc.ui import format as fmt
from otc.ui.templatetags.otc_ui import delta_days, delta_money, icon
from pipeline.opportunities.report import DealRow
from pipeline.templatetags.deal_rows import GRAVE_PENALTY, Look, chip_of, mark_of

register = template.Library()

LIKELY_TO_SLIP = 0.5


@register.simple_tag(takes_context=True)
def deal_cards(context: template.Context, cards: Iterable[DealRow], look: Look) -> SafeString:
    """The cards of deals on the board; they can be moved where the context's `can_edit` says so.

    `look` comes from `deal_look`.
    """
    move_query = context.get("move_query") or ""
    return SafeString("".join(card_html(card, look, move_query) for card in cards))


def card_html(card: DealRow, look: Look, move_query: str) -> str:
    """Name and owner, amount and slip, close date and category, and what is new, moved or wrong about it."""
    name = escape(card.name)
    address = f"{look.deals_url}{card.id}/"
    account = f" · {escape(card.account_name)}" if card.account_name else ""
    move = f"{address}move/" + (f"?{escape(move_query)}" if move_query else "")
    moves = f' draggable="true" data-move-url="{move}"' if look.can_edit else ""
    href = f"{address}{escape(look.as_of_query)}"
    link = (
        f'<a class="board-name two-lines" href="{href}" title="{name}{account}" draggable="false">{name}</a>'
    )
    lines = (
        f"{link}{mark_of(card.owner_name, is_labelled=True)}",
        f'<span class="cell-line">{_amount(card, look.currency)}</span>{_slip(card, look.today)}',
        f'{_close(card, look.today)}<span class="small muted ellipsis">{card.category_label}</span>',
    )
    body = "".join(f'  <div class="board-line">{line}</div>\n' for line in lines)
    return (
        f'<article class="board-card" data-card="{card.id}"{moves} tabindex="-1" aria-label="{name}">\n'
        f"{body}{_chips(card)}</article>\n"
    )


@register.simple_tag
def won_cards(cards: Iterable[DealRow], look: Look) -> SafeString:
    """Won deals: what they are called, what they brought and when."""
    return SafeString("".join(_won_card(card, look) for card in cards))


def _won_card(card: DealRow, look: Look) -> str:
    name = escape(card.name)
    link = f'<a class="board-name two-lines" href="{look.deals_url}{card.id}/" title="{name}">{name}</a>'
    amount = f'<b class="num">{fmt.money_full(card.amount_minor, currency=card.currency)}</b>'
    day = f'<span class="small muted">{fmt.day(card.close_date, today=look.today)}</span>'
    return (
        f'<article class="board-card"><div class="board-line">{link}</div>'
        f'<div class="board-line">{amount}{day}</div></article>'
    )


def _amount(card: DealRow, currency: str) -> str:
    change = card.amount_change_minor
    moved = delta_money(change, card.currency) if change and not card.is_new else ""
    if card.amount_minor is None:
        return f'<b class="num"><span class="muted">no amount</span></b>{moved}'
    shown = fmt.money_full(card.amount_minor, currency=card.currency)
    if card.currency != currency:
        shown = f'<span class="muted small">{escape(card.currency)}</span> {shown}'
    exact = escape(fmt.money_exact(card.amount_minor, currency=card.currency))
    return f'<b class="num" title="{exact}">{shown}</b>{moved}'


def _slip(card: DealRow, today: dt.date) -> str:
    if card.p_slip is not None:
        colour = "bad" if card.p_slip >= LIKELY_TO_SLIP else "muted"
        return f'<span class="small {colour} nowrap">slip {fmt.percent(card.p_slip)}</span>'
    if card.close_date is not None and card.close_date < today:
        return '<span class="small bad nowrap">slipped</span>'
    return ""


def _close(card: DealRow, today: dt.date) -> str:
    day = fmt.day(card.close_date, today=today) if card.close_date else "no close date"
    moved = delta_days(card.days_moved) if card.days_moved else ""
    return f'<span class="cell-line small soft"><span class="nowrap">{day}</span>{moved}</span>'


def _chips(card: DealRow) -> str:
    chips = ""
    if card.is_new:
        chips = chip_of("New", "good")
    elif card.stages_moved:
        kind, arrow = ("good", "arrow-up") if card.stages_moved > 0 else ("bad", "arrow-down")
        chips = f'<span class="chip chip-{kind}">{icon(arrow, 12)}{escape(card.stage_before or "")}</span>'
    if worst := card.worst_failed:
        kind = "bad" if worst["penalty"] >= GRAVE_PENALTY else "neutral"
        chips += chip_of(worst["title"], kind, worst.get("detail", ""))
        chips += f'<span class="chip chip-neutral">+{card.more_failed}</span>' if card.more_failed else ""
    return f'  <div class="board-chips">{chips}</div>\n' if chips else ""
