"""What nobody keeps tidy. With their last edit a few open deals lost their owner, their close date, their amount or the
rate of their currency, or went to somebody who left; of some that were won the amount was corrected weeks later.

All of it is put on top of what was lived: it moves nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from otc.demo import market
from otc.demo.company import DemoCompany
from otc.demo.deals import DemoDeal, DemoState
from otc.demo.life import round_amount
from otc.demo.people import LEAD_TITLE

# Of so many deals in a row one of each kind, as far as those are open.
EVERY = 149
NO_OWNER, NO_DATE, NO_AMOUNT, NO_RATE = 31, 67, 101, 139
OF_THE_LEAD = (11, 53, 83, 113)
# A currency that the organization has no rate of.
RATELESS = "CHF"
# Of so many that were won one is corrected so many days later, to so much of it.
CORRECTED_EVERY, CORRECTED_AFTER_DAYS, CORRECTED_TO = 7, 18, 0.94


def left_loose(company: DemoCompany, deal: DemoDeal, *, number: int) -> DemoDeal:
    """The deal, or what became of it where it is one of the few. What is split or made of lines is kept."""
    last = deal.states[-1]
    if deal.splits or deal.lines:
        return deal
    if last.outcome == "won" and number % CORRECTED_EVERY == 0:
        return replace(deal, states=(*deal.states, *corrections(company, last)))
    if last.outcome is not None:
        return deal
    return replace(deal, states=(*deal.states[:-1], loose(company, last, kind=number % EVERY)))


def corrections(company: DemoCompany, won: DemoState) -> list[DemoState]:
    """The invoice was less than the order: said in the afternoon of a later working day, if that has come."""
    days = company.workdays
    day = days.on_or_after[(won.at.date() - days.first).days + CORRECTED_AFTER_DAYS]
    if day >= days.today or won.amount_minor is None:
        return []
    units = 10 ** market.MINOR_DIGITS[won.currency]
    amount = round_amount(won.amount_minor / units * CORRECTED_TO, currency=won.currency)
    return [replace(won, at=days.opens[day] + timedelta(hours=6), amount_minor=amount)]


def loose(company: DemoCompany, state: DemoState, *, kind: int) -> DemoState:
    """The state without what it lacks."""
    if kind == NO_OWNER:
        return replace(state, owner=None)
    if kind == NO_DATE:
        return replace(state, close_date=None)
    if kind == NO_AMOUNT:
        return replace(state, amount_minor=None)
    if kind == NO_RATE and state.amount_minor is not None:
        return replace(state, currency=RATELESS)
    if kind in OF_THE_LEAD:
        lead = next((one for one in company.people if one.title == LEAD_TITLE and one.left), None)
        if lead is not None and lead.left is not None and state.at.date() < lead.left:
            return replace(state, owner=lead.key)
    return state
