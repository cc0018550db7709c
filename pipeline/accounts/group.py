"""An account's group of companies: what is above it, what below, and the sums of the visible deals of all of it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, Sum

from otc.question import Question
from pipeline.accounts.hierarchy import MOST_BELOW, accounts_above, accounts_below
from pipeline.opportunities.asked import UNCONVERTIBLE
from pipeline.opportunities.queries import deals_of

SHOWN = 100


@dataclass(frozen=True)
class Sums:
    """Visible deals by how they stand; sums in corporate minor units. Not won are lost and no decision."""

    open_count: int = 0
    open_minor: int = 0
    won_count: int = 0
    won_minor: int = 0
    not_won_count: int = 0
    unconvertible: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.open_count + other.open_count,
            self.open_minor + other.open_minor,
            self.won_count + other.won_count,
            self.won_minor + other.won_minor,
            self.not_won_count + other.not_won_count,
            self.unconvertible + other.unconvertible,
        )


@dataclass(frozen=True)
class Member:
    """An account below, `depth` from 1, with the sums of its own deals."""

    id: UUID
    name: str
    parent_id: UUID
    depth: int
    sums: Sums


@dataclass(frozen=True)
class Group:
    """`above` from the top down; `members` as a tree is read, the first SHOWN of `count`; `total` with the account."""

    above: tuple[tuple[UUID, str], ...]
    members: tuple[Member, ...]
    count: int
    own: Sums
    total: Sums

    @property
    def is_alone(self) -> bool:
        return not self.above and not self.members

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST_BELOW


def group_report(account_id: UUID, question: Question) -> Group:
    """Three queries, whatever the depth."""
    below = accounts_below(account_id)
    sums = _sums([account_id, *(one.id for one in below)], question)
    members = tuple(
        Member(one.id, one.name, one.parent_id, one.depth, sums.get(one.id, Sums())) for one in below
    )
    return Group(
        above=tuple(accounts_above(account_id)),
        members=members[:SHOWN],
        count=len(members),
        own=sums.get(account_id, Sums()),
        total=sum(sums.values(), Sums()),
    )


def _sums(account_ids: list[UUID], question: Question) -> dict[UUID, Sums]:
    is_open, is_won = Q(outcome__isnull=True), Q(outcome="won")
    groups = (
        deals_of(question)
        .filter(account_id__in=account_ids)
        .values("account_id")
        .annotate(
            open_count=Count("deal_id", filter=is_open),
            open_minor=Sum("corporate_minor", filter=is_open),
            won_count=Count("deal_id", filter=is_won),
            won_minor=Sum("corporate_minor", filter=is_won),
            not_won_count=Count("deal_id", filter=~is_open & ~is_won),
            unconvertible=Count("deal_id", filter=UNCONVERTIBLE & (is_open | is_won)),
        )
        .order_by("account_id")
    )
    return {
        group["account_id"]: Sums(
            group["open_count"],
            int(group["open_minor"] or 0),
            group["won_count"],
            int(group["won_minor"] or 0),
            group["not_won_count"],
            group["unconvertible"],
        )
        for group in groups
    }
