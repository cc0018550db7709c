"""What nobody keeps tidy: a few open deals lost their owner, their close date, their amount or the rate of their
currency with their last edit. They move nothing else.
"""

from __future__ import annotations

from dataclasses import replace

from otc.demo.deals import DemoDeal, DemoState

# Of so many deals in a row one of each kind, as far as those are open.
EVERY = 149
NO_OWNER, NO_DATE, NO_AMOUNT, NO_RATE = 31, 67, 101, 139
# A currency that the organization has no rate of.
RATELESS = "CHF"


def left_loose(deal: DemoDeal, *, number: int) -> DemoDeal:
    """The deal, or as its last edit left it where that is one of the few. What is signed, split or priced is kept."""
    last = deal.states[-1]
    if last.outcome is not None or deal.splits or deal.lines:
        return deal
    loose = _loose(last, kind=number % EVERY)
    return deal if loose is last else replace(deal, states=(*deal.states[:-1], loose))


def _loose(state: DemoState, *, kind: int) -> DemoState:
    if kind == NO_OWNER:
        return replace(state, owner=None)
    if kind == NO_DATE:
        return replace(state, close_date=None)
    if kind == NO_AMOUNT:
        return replace(state, amount_minor=None)
    if kind == NO_RATE and state.amount_minor is not None:
        return replace(state, currency=RATELESS)
    return state
