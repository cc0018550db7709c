"""What may be on a deal's team and in its splits? Pure: values in, refusals out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

WHOLE_BP = 10_000
REVENUE, OVERLAY = "revenue", "overlay"
LONGEST_PART = 60
MOST_SPLITS = 20
_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?", re.ASCII)


class TeamRefused(ValueError):
    """A team or a set of splits that can't be: which field, and what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Share:
    """One person's share of a deal in basis points: 2,500 are 25 %."""

    person_id: UUID
    kind: str
    share_bp: int


def checked_part(part: str) -> str:
    """The part in the words of the deal's team, trimmed."""
    told = " ".join(part.split())
    if not told:
        raise TeamRefused("part", "Say what the person does here, e.g. Sales engineer")
    if len(told) > LONGEST_PART:
        raise TeamRefused("part", f"Say it in at most {LONGEST_PART} letters")
    return told


def read_share(typed: str) -> int:
    """Basis points of a typed percentage: “33.33”, “25 %”, “12,5”.

    >>> read_share("33.33 %")
    3333
    """
    match = _PERCENT.fullmatch(typed.replace("%", "").strip())
    if match is None:
        raise TeamRefused("splits", f"“{typed.strip()[:20]}” is not a share like 25 or 33.33")
    return int(match[1] + (match[2] or "").ljust(2, "0"))


def check_shares(shares: Sequence[Share]) -> None:
    """Nobody twice in a kind; every share from 0.01 to 100 %; revenue shares sum to 100 % or there are none.

    >>> check_shares([Share(ana, "revenue", 7_500), Share(jon, "revenue", 2_500)])
    """
    if len(shares) > MOST_SPLITS:
        raise TeamRefused("splits", f"Split a deal between at most {MOST_SPLITS} shares")
    seen = set()
    for share in shares:
        if share.kind not in (REVENUE, OVERLAY):
            raise TeamRefused("splits", f"A split is {REVENUE} or {OVERLAY}, not “{share.kind}”")
        if not 1 <= share.share_bp <= WHOLE_BP:
            raise TeamRefused("splits", "A share is from 1 to 10,000 basis points: 0.01 to 100 %")
        if (share.person_id, share.kind) in seen:
            raise TeamRefused("splits", f"Somebody has two {share.kind} shares; add them up")
        seen.add((share.person_id, share.kind))
    revenue = [share.share_bp for share in shares if share.kind == REVENUE]
    if revenue and sum(revenue) != WHOLE_BP:
        has = f"{sum(revenue) / 100:g} %"
        raise TeamRefused("splits", f"Revenue shares sum to 100 %, these to {has}; change one of them")
