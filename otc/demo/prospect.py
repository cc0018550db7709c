"""What is so about a deal from the day on which it is found: worth, kind, competitor, how well it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random

from otc.demo import hazards, market
from otc.demo.draw import Weighted

CHOICE_OF_COMPETITOR = Weighted(list(enumerate(market.COMPETITOR_WEIGHTS)))
KIND = Weighted(market.KINDS)


@dataclass(frozen=True, slots=True)
class Prospect:
    """`eur` its first worth, `size` ln(eur / median), `stage` where it is first seen, `created` a day number.

    `competitor` is a position in the plan's competitors, or None.
    """

    eur: float
    size: float
    kind: str
    competitor: int | None
    is_sloppy: bool
    created: int
    stage: int

    def own_factors(self, *, skill: float) -> hazards.Rates:
        """What multiplies this deal's rates when a rep of `skill` works it."""
        rival = hazards.NOBODY
        if self.competitor is not None:
            rival = hazards.STRONGEST if self.competitor == 0 else hazards.ANOTHER
        return hazards.own_factors(
            size=self.size, skill=skill, kind=self.kind, competitor=rival, is_sloppy=self.is_sloppy
        )


def draw_prospect(rng: Random, *, created: int, is_backlog: bool) -> Prospect:
    """A deal found on day `created`; one of the backlog came over from a former system, further on."""
    eur = min(market.MEDIAN_AMOUNT * exp(rng.gauss(0, market.AMOUNT_SIGMA)), market.MAX_AMOUNT)
    return Prospect(
        eur=eur,
        size=log(eur / market.MEDIAN_AMOUNT),
        kind=KIND.draw(rng),
        competitor=CHOICE_OF_COMPETITOR.draw(rng) if rng.random() < market.COMPETITOR_KNOWN else None,
        is_sloppy=rng.random() < market.SLOPPY,
        created=created,
        stage=int(rng.random() * hazards.SIGN) if is_backlog else hazards.QUALIFY,
    )
