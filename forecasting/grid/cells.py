"""The rows of the forecast, written in Python: sixty rows in template tags cost more than all of the page's SQL.

Every text that people typed goes through `escape`; numbers, days and the words written here need none.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from forecasting.grid.addresses import Addresses
from forecasting.grid.queries import DEALS_OF_ONE, DealRow
from forecasting.grid.report import GridReport
from forecasting.grid.rules import Node, Rest
from forecasting.grid.said import Said
from forecasting.quotas.rules import State
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow
from forecasting.rollup.rules import ADJUSTABLE
from otc.tenancy.lines import UNASSIGNED
from otc.ui import format as fmt
from otc.ui.templatetags.otc_ui import chip, delta_money, icon
from pipeline.process.columns import COLUMNS, LABELS
from pipeline.templatetags.deal_rows import mark_of

DEEPEST = 7
EMPTY = "<td></td>"


@dataclass(frozen=True, slots=True)
class Look:
    """What all rows of a page have in common. `adjusters` says of whom the viewer may adjust."""

    grid: GridReport
    at: Addresses
    today: dt.date
    zone: ZoneInfo
    currency: str
    adjustable: frozenset[UUID]
    lacks_call: frozenset[UUID]


def rows_html(look: Look) -> SafeString:
    """Every row that stands open, with own deals and deals where they were asked for."""
    return SafeString("\n".join(html for entry in look.grid.rows for html in _entry(entry, look)))


def _entry(entry: Node | Rest, look: Look) -> list[str]:
    if isinstance(entry, Rest):
        return [_rest(entry, look)]
    row = look.grid.people[entry.person]
    rows = [person_row(row, look)]
    is_open = entry.person in look.grid.opened
    if row.reports and is_open and any(row.amounts[column].own for column, _ in look.grid.layout.columns):
        rows += own_rows(row, look)
    elif not row.reports and row.person_id in look.grid.asked.with_deals:
        rows += deal_rows(row.person_id, depth=row.depth + 1, look=look)
    return rows


def person_row(row: PersonRow, look: Look) -> str:
    """One person with everybody below."""
    grid, person_id = look.grid, row.person_id
    assert person_id is not None
    about = row.title or (fmt.plural(len(row.reports), "report") if row.reports else "")
    title = (
        f"{_toggle(row, look)}{mark_of(row.name)}<span>"
        f'<a href="{escape(look.at.scope(person_id))}">{escape(row.name)}</a><small class="wide-only">{escape(about)}'
        f"</small>{_way_to_cell(row, look)}</span>"
    )
    classes = f"depth-{min(row.depth, DEEPEST)}{' is-manager' if row.reports else ''}"
    return (
        f'<tr id="person-{person_id}" class="{classes}">{_head(title)}{_quota(row, look)}'
        f"{_amounts(row, look, key=str(person_id))}{_call(row, grid.calls.get(person_id), look)}"
        f"{_gap(row, grid.calls.get(person_id), look)}{_coverage(row)}</tr>"
    )


def _way_to_cell(row: PersonRow, look: Look) -> str:
    """On a phone, where the adjusted column has no room: the way to what the cell is made of, and to adjust it."""
    focus, person_id = look.grid.layout.focus, row.person_id
    if person_id is None:
        return ""
    is_adjusted = person_id in look.grid.effects or look.grid.effects_below.get(person_id)
    word = "Adjusted" if is_adjusted else "Adjust" if person_id in look.adjustable else "Five amounts"
    return f'<a class="way-to-cell" href="{escape(look.at.cell(person_id, focus))}">{word}</a>'


def own_rows(row: PersonRow, look: Look) -> list[str]:
    """A manager's own deals, apart from the branch."""
    assert row.person_id is not None
    cells = []
    for column, place in _places(look):
        shown = _money(row.amounts[column].own, look)
        cells.append(f'<td class="num pick pick-{place}">{shown}</td>')
        if column == look.grid.layout.focus:
            cells[-1:] = [f'<td class="num wide-only">{shown}</td>', _wide(), cells[-1]]
    toggle = _deals_toggle(row.person_id, row.name, look) if row.deal_count else ""
    title = f"{toggle}{mark_of(row.name)}<span>{escape(row.name)}<small>own deals</small></span>"
    depth = min(row.depth + 1, DEEPEST)
    html = f'<tr class="depth-{depth} is-own">{_head(title)}{_wide()}{"".join(cells)}{EMPTY}{EMPTY}{_wide()}</tr>'
    return [html, *deal_rows(row.person_id, depth=row.depth + 2, look=look)]


def deal_rows(person_id: UUID | None, *, depth: int, look: Look) -> list[str]:
    """The deals that a person's own amounts are made of, where they were asked for."""
    deals = look.grid.deals.get(person_id, ())
    rows = [_deal(deal, depth, look) for deal in deals[:DEALS_OF_ONE]]
    if len(deals) > DEALS_OF_ONE:
        href = look.at.deals(str(person_id or UNASSIGNED), "open")
        link = f'<a href="{escape(href)}">All deals</a>'
        rows.append(
            f'<tr class="is-deal depth-{min(depth, DEEPEST)}"><th scope="row" colspan="{look.grid.layout.width}">'
            f'<div class="cell-line">{link}</div></th></tr>'
        )
    return rows


def unassigned_row(row: PersonRow, look: Look) -> SafeString:
    """What nobody holds; there whenever it holds money or deals."""
    toggle = _deals_toggle(None, "nobody", look) if row.deal_count else ""
    title = (
        f"{toggle}{icon('triangle')}{mark_of(None)}<span>"
        f'<a href="{escape(look.at.scope(UNASSIGNED))}">Unassigned</a>'
        f"<small>{fmt.plural(row.deal_count, 'deal')}</small></span>"
    )
    html = (
        f'<tr id="person-unassigned" class="is-unassigned">{_head(title)}<td class="num wide-only">–</td>'
        f"{_amounts(row, look, key=UNASSIGNED)}{EMPTY}{EMPTY}{_wide()}</tr>"
    )
    return SafeString(html + "".join(deal_rows(None, depth=1, look=look)))


def total_row(look: Look) -> SafeString:
    """The foot: everything in the scope."""
    grid, total = look.grid, look.grid.now.total
    cells = []
    for column, place in _places(look):
        amount = total.amounts[column].final
        change = _delta(grid.total_change(column), look)
        shown = f'<b title="{_exact(amount, look)}">{_k(amount, look)}</b>'
        cell = f'<td class="num pick pick-{place}">{shown}{change}</td>'
        if column == grid.layout.focus:
            reported = total.amounts[column].rolled_up
            first = (
                f'<td class="num wide-only"><b title="{_exact(reported, look)}">{_k(reported, look)}</b></td>'
            )
            effect = amount - reported
            said = _signed(effect, look) if effect else ""
            cells += [first, f'<td class="num wide-only">{said}</td>']
        cells.append(cell)
    return SafeString(
        f'<tr class="total"><th scope="row">Total</th>{_quota(total, look)}{"".join(cells)}'
        f"{EMPTY}{EMPTY}{_coverage(total)}</tr>"
    )


def _places(look: Look) -> list[tuple[str, int]]:
    """The columns with the number by which a phone picks one."""
    return [(column, place) for place, (column, _) in enumerate(look.grid.layout.columns, start=1)]


def _head(title: str) -> str:
    return f'<th scope="row" class="cell-title"><div class="cell-line">{title}</div></th>'


def _wide(content: str = "") -> str:
    return f'<td class="num wide-only">{content}</td>'


def _amounts(row: PersonRow, look: Look, *, key: str) -> str:
    grid, cells = look.grid, []
    for column, place in _places(look):
        amount, href = row.amounts[column].final, escape(look.at.deals(key, column))
        change = _delta(grid.change(row, column), look)
        link = f'<a href="{href}" title="{_exact(amount, look)}">{_k(amount, look)}</a>{change}'
        cell = f'<td class="num pick pick-{place}" data-column="{column}">{link}</td>'
        if column == grid.layout.focus:
            reported = row.amounts[column].rolled_up
            link = (
                f'<a href="{href}" title="{_exact(reported, look)}">{_k(reported, look)}</a>'
                f"{_delta(grid.reported_change(row), look)}"
            )
            cells.append(f'<td class="num wide-only">{link}</td>')
            cells.append(_adjustment(row, amount - reported, look))
            cell = cell.replace('class="num', 'class="num is-final', 1)
        cells.append(cell)
    return "".join(cells)


def _adjustment(row: PersonRow, effect_minor: int, look: Look) -> str:
    """What all adjustments here and below come to, whose it is, and whether what it was made on has moved."""
    person_id, grid = row.person_id, look.grid
    if person_id is None or grid.layout.focus not in ADJUSTABLE:
        return _wide(_signed(effect_minor, look) if effect_minor else "")
    effects, below = grid.effects.get(person_id, ()), grid.effects_below.get(person_id, 0)
    shown = _signed(effect_minor, look) if effects or below else ""
    is_stale = any(effect.is_stale for effect in effects)
    note = _who(effects, below=below, look=look)
    label = f"{'Adjust' if person_id in look.adjustable else 'Explain'} {row.name}: {grid.layout.focus_label}"
    href = escape(look.at.cell(person_id, grid.layout.focus))
    edit = ""
    if person_id in look.adjustable:
        place = escape(look.at.adjust(person_id))
        edit = f' hx-get="{place}" hx-target="closest [data-cell]" hx-swap="innerHTML" data-adjust'
    exact = f' data-exact="{_exact(effect_minor, look)}"' if shown else ""
    mark = icon("clock", 12) if is_stale else ""
    link = (
        f'<a class="cell-value grid-adjust{" is-stale" if is_stale else ""}" href="{href}"{edit}{exact} '
        f'aria-label="{escape(label)}{escape(": " + shown if shown else "")}" '
        f'title="{escape(_reasons(effects, look))}">{mark}{shown}</a>'
    )
    cell = " data-cell" if edit else ""
    return f'<td class="num wide-only"{cell}>{link}<small>{escape(note)}</small></td>'


def _who(effects: Sequence[EffectRow], *, below: int, look: Look) -> str:
    """Whose one adjustment it is; of several how many, for which the cell's page has the room."""
    if below:
        return f"{len(effects)} + {below} below" if effects else f"{below} below"
    if len(effects) > 1:
        return f"{len(effects)} here"
    return _author(effects[0], look) if effects else ""


def _author(effect: EffectRow, look: Look) -> str:
    is_mine = effect.author_id == look.grid.question.viewer.id
    who = "you" if is_mine else effect.author_name.split()[0]
    if effect.is_stale:
        return f"stale, {who}"
    if effect.is_from_former_manager:
        return f"formerly {who}"
    if effect.made_at is None:
        return who
    day = effect.made_at.astimezone(look.zone).date()
    return (
        f"{who}, {fmt.weekday(day) if 0 <= (look.today - day).days < 7 else fmt.day(day, today=look.today)}"
    )


def _reasons(effects: Iterable[EffectRow], look: Look) -> str:
    return "; ".join(f"{_signed(effect.effect_minor, look)}: {effect.reason}" for effect in effects)


def _quota(row: PersonRow, look: Look) -> str:
    if row.quota_minor is None:
        return '<td class="num wide-only">–</td>'
    attained = f"{fmt.percent(row.amounts['closed'].final / row.quota_minor)} won" if row.quota_minor else ""
    return (
        f'<td class="num wide-only"><span title="{_exact(row.quota_minor, look)}">{_k(row.quota_minor, look)}</span>'
        f"<small>{attained}</small></td>"
    )


def _call(row: PersonRow, said: Said | None, look: Look) -> str:
    if said is None:
        return f'<td class="num">{chip("No call", "bad") if row.person_id in look.lacks_call else "–"}</td>'
    call = said.call
    at = call.submitted_at.astimezone(look.zone)
    told = f"{fmt.money_exact(call.amount_minor, currency=call.currency)}, {fmt.moment(at, today=look.today)}"
    told += f": {call.note}" if call.note else ""
    late = '<small class="bad">late</small>' if said.is_late else ""
    # One line below the number, whatever there is to say.
    change = (
        "" if late or not said.change_minor else delta_money(said.change_minor, look.currency, unit_k=True)
    )
    day = "" if change or late else f"<small>{fmt.day(at.date(), today=look.today)}</small>"
    return f'<td class="num"><span title="{escape(told)}">{_k(said.amount_minor, look)}</span>{late}{change}{day}</td>'


def _gap(row: PersonRow, said: Said | None, look: Look) -> str:
    """The call less the quota, and how much of the quota the call is."""
    if said is None or said.amount_minor is None or row.quota_minor is None:
        return EMPTY
    gap = said.amount_minor - row.quota_minor
    share = fmt.percent(said.amount_minor / row.quota_minor) if row.quota_minor else ""
    tone = "bad" if gap < 0 else "good"
    return (
        f'<td class="num"><span class="{tone}" title="{_exact(gap, look)}">{_signed(gap, look)}</span>'
        f"<small>{share}</small></td>"
    )


def _coverage(row: PersonRow) -> str:
    coverage = row.coverage
    if coverage.state == State.RATIO:
        return _wide(fmt.times(coverage.remaining, decimals=1))
    return _wide("met" if coverage.state == State.MET else "–")


def _toggle(row: PersonRow, look: Look) -> str:
    person_id = row.person_id
    assert person_id is not None
    if not row.reports:
        return (
            _deals_toggle(person_id, row.name, look) if row.deal_count else '<span class="grid-open"></span>'
        )
    is_open = person_id in look.grid.opened
    words = f"{'Close' if is_open else 'Open'} {row.name}’s reports"
    return _opener(f"open-{person_id}", look.at.toggled(person_id, look.grid), words, is_open=is_open)


def _deals_toggle(person_id: UUID | None, name: str, look: Look) -> str:
    is_open = person_id in look.grid.asked.with_deals
    words = f"{'Close' if is_open else 'Show'} {name}’s deals"
    return _opener(f"deals-{person_id}", look.at.deals_toggled(person_id, look.grid), words, is_open=is_open)


def _opener(key: str, href: str, words: str, *, is_open: bool) -> str:
    """A chevron that opens a branch: a link that works by itself, and quicker with htmx."""
    href = escape(href)
    return (
        f'<a class="grid-open" id="{key}" href="{href}" hx-get="{href}" hx-target="#forecast-grid" hx-swap="outerHTML" '
        f'hx-push-url="true" aria-expanded="{str(is_open).lower()}" aria-label="{escape(words)}">'
        f"{icon('down' if is_open else 'right', 12)}</a>"
    )


def _rest(rest: Rest, look: Look) -> str:
    href = escape(look.at.whole(rest.manager, look.grid))
    return (
        f'<tr class="depth-{min(rest.depth, DEEPEST)} is-rest"><th scope="row" colspan="{look.grid.layout.width}">'
        f'<div class="cell-line"><a href="{href}" hx-get="{href}" hx-target="#forecast-grid" hx-swap="outerHTML" '
        f'hx-push-url="true">{rest.count} more</a></div></th></tr>'
    )


def _deal(deal: DealRow, depth: int, look: Look) -> str:
    """A deal below its person: its amount in every column that counts it, and what it gained there."""
    then = look.grid.deals_before.get((deal.opportunity_id, deal.owner_id))
    cells = []
    for column, place in _places(look):
        counted = (deal.category or "no_category") in COLUMNS[column]
        amount = deal.corporate_minor or 0 if counted else 0
        was = then[1] if then and (then[0] or "no_category") in COLUMNS[column] else 0
        shown = _money(amount, look) if counted else ""
        shown += _delta(amount - was, look)
        cell = f'<td class="num pick pick-{place}">{shown}</td>'
        if column == look.grid.layout.focus:
            cells += [_wide(shown), _wide()]
        cells.append(cell)
    label = LABELS.get(deal.category or "no_category", "")
    about = f"{label}, {fmt.day(deal.close_date, today=look.today)}"
    title = (
        f'<span><a href="{escape(look.at.deal(deal.opportunity_id))}" title="{escape(deal.name)}">'
        f"{escape(deal.name)}</a><small>{about}</small></span>"
    )
    classes = f"is-deal depth-{min(depth, DEEPEST)}"
    return f'<tr class="{classes}">{_head(title)}{_wide()}{"".join(cells)}{EMPTY}{EMPTY}{_wide()}</tr>'


def _money(minor: int, look: Look) -> str:
    return f'<span title="{_exact(minor, look)}">{_k(minor, look)}</span>'


def _exact(minor: int, look: Look) -> str:
    return fmt.money_exact(minor, currency=look.currency)


def _k(minor: int | None, look: Look) -> str:
    return fmt.money_k(minor, currency=look.currency)


def _signed(minor: int, look: Look) -> str:
    return fmt.money_k(minor, currency=look.currency, plus=True)


def _delta(minor: int, look: Look) -> str:
    if not minor:
        return ""
    return f"<small>{delta_money(minor, look.currency, unit_k=True)}</small>"
