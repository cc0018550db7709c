"""What does a plan pay for what was won? Rates by tiers of attainment, in whole minor units. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

WHOLE_BP = 10_000
MOST_TIERS = 20
MOST_FROM_BP = 100 * WHOLE_BP


@dataclass(frozen=True, slots=True, order=True)
class Tier:
    """From this share of the quota on, in basis points, so many basis points of what is won are paid."""

    from_bp: int
    rate_bp: int


@dataclass(frozen=True, slots=True)
class PaidPart:
    """The part of a deal that lies in one tier, and what it pays."""

    tier: Tier
    amount_minor: int
    pay_minor: int


def tiers_fault(tiers: Sequence[Tier]) -> str | None:
    """Why a plan can't have these tiers, in words; None where it can.

    >>> tiers_fault([Tier(5_000, 100)])
    'The first tier begins at 0 %'
    """
    if not 1 <= len(tiers) <= MOST_TIERS:
        return f"A plan has 1 to {MOST_TIERS} tiers"
    if tiers[0].from_bp != 0:
        return "The first tier begins at 0 %"
    if any(after.from_bp <= before.from_bp for before, after in pairwise(tiers)):
        return "Each tier begins above the one before"
    if tiers[-1].from_bp > MOST_FROM_BP:
        return "A tier begins at 10,000 % at most"
    if any(not 0 <= tier.rate_bp <= WHOLE_BP for tier in tiers):
        return "A rate lies between 0 % and 100 %"
    return None


def attainment(won_minor: int, *, quota_minor: int | None) -> Fraction | None:
    """The share of the quota that is won; None without a quota.

    >>> attainment(90_000, quota_minor=120_000)
    Fraction(3, 4)
    """
    return Fraction(won_minor, quota_minor) if quota_minor else None


def starts_minor(tiers: Sequence[Tier], *, quota_minor: int) -> list[int]:
    """The smallest amounts won that reach each tier.

    A third of 100 is reached by 34:

    >>> starts_minor([Tier(0, 500), Tier(3_333, 800)], quota_minor=100)
    [0, 34]
    """
    return [-(-quota_minor * tier.from_bp // WHOLE_BP) for tier in tiers]


def pay_minor(won_minor: int, *, quota_minor: int | None, tiers: Sequence[Tier]) -> int | None:
    """What all that was won pays: each minor unit at the rate of the tier in which it lies, rounded half-even once.

    None where tiers need a quota and there is none; a plan of one tier pays without.

    5 % up to a quota of 1,000.00 and 8 % above pay for 1,500.00 won 50.00 and 40.00:

    >>> pay_minor(150_000, quota_minor=100_000, tiers=[Tier(0, 500), Tier(10_000, 800)])
    9000
    >>> pay_minor(150_000, quota_minor=None, tiers=[Tier(0, 500)])
    7500
    """
    if not quota_minor and len(tiers) > 1:
        return None
    starts = starts_minor(tiers, quota_minor=quota_minor or 0)
    ends = [*starts[1:], max(won_minor, starts[-1])]
    total = sum(
        tier.rate_bp * max(0, min(won_minor, end) - start)
        for tier, start, end in zip(tiers, starts, ends, strict=True)
    )
    return round(Fraction(total, WHOLE_BP))


def deal_parts(
    amount_minor: int, *, before_minor: int, quota_minor: int | None, tiers: Sequence[Tier]
) -> tuple[PaidPart, ...] | None:
    """What a deal pays on top of what was won before it, cut where it crosses a tier; None as `pay_minor`.

    A part pays what all that was won pays with it, less what it paid without: whatever the order, deals paid one by one
    come to what they pay together, to the minor unit.

    With 900.00 of a quota of 1,000.00 won, a deal of 300.00 pays 5 % of 100.00 and 8 % of 200.00:

    >>> tiers = [Tier(0, 500), Tier(10_000, 800)]
    >>> parts = deal_parts(30_000, before_minor=90_000, quota_minor=100_000, tiers=tiers)
    >>> [(part.amount_minor, part.pay_minor) for part in parts]
    [(10000, 500), (20000, 1600)]
    """
    if not quota_minor and len(tiers) > 1:
        return None
    after_minor = before_minor + amount_minor
    starts = starts_minor(tiers, quota_minor=quota_minor or 0)
    found = []
    for place, tier in enumerate(tiers):
        low = max(before_minor, starts[place]) if place else before_minor
        high = min(after_minor, starts[place + 1]) if place + 1 < len(tiers) else after_minor
        if low >= high:
            continue
        paid = [pay_minor(edge, quota_minor=quota_minor, tiers=tiers) or 0 for edge in (low, high)]
        found.append(PaidPart(tier, high - low, paid[1] - paid[0]))
    return tuple(found)
