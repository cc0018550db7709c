"""How is an amount shared between people, to the last minor unit? Pure."""

from collections.abc import Sequence

WHOLE_BP = 10_000


def shared(amount_minor: int, shares_bp: Sequence[int]) -> list[int]:
    """The shares of an amount in whole minor units that add up to it again, by largest remainder.

    Everybody gets what is whole of the own share; the units left over go to the largest remainders, of equal ones to
    whoever stands first. Shares come largest first, equal ones by the person's id. The database does the same where
    sums are added up (`pipeline_part`); of a negative amount the size is shared.

    >>> shared(100, [3_334, 3_333, 3_333])
    [34, 33, 33]
    >>> shared(1, [5_000, 5_000])
    [1, 0]
    """
    size = abs(amount_minor)
    wholes = [size * share // WHOLE_BP for share in shares_bp]
    by_remainder = sorted(
        range(len(shares_bp)), key=lambda place: (-(size * shares_bp[place] % WHOLE_BP), place)
    )
    for place in by_remainder[: size - sum(wholes)]:
        wholes[place] += 1
    return wholes if amount_minor >= 0 else [-one for one in wholes]
