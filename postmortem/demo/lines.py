"""A simulated deal as lines of COPY, by table. Asks no database: any process may write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import models

from otc.demo.deals import DemoDeal, DemoState
from otc.demo.ids import key_of, text_id
from otc.demo.talk import evidence
from otc.tenancy.models import FOREVER
from otc.tenancy.services import fold
from pipeline.activities.models import Activity
from pipeline.buying.models import BuyingRole
from pipeline.comments.models import DealComment
from pipeline.history.models import SPLIT_COLUMNS, STATE_COLUMNS, HistoryRow, Provenance
from pipeline.lines.models import DealLine
from pipeline.links.models import DealLink
from pipeline.opportunities.models import OpportunityMilestone
from pipeline.team.models import DealTeamMember, Split
from postmortem.demo.copying import NULL, cell
from postmortem.demo.ground import Ground

COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    HistoryRow: (
        *STATE_COLUMNS,
        *("id", "run", "opportunity_id", "at", "actor_id", "provenance"),
        *("external_id", "name_folded", "created_at"),
        *SPLIT_COLUMNS,
    ),
    Activity: (
        *("id", "opportunity_id", "external_id", "at", "kind", "direction", "subject", "person_id"),
        *("contact_id", "created_at"),
    ),
    OpportunityMilestone: ("id", "opportunity_id", "milestone_id", "met_at", "marked_by_id", "note"),
    BuyingRole: (
        *("id", "opportunity_id", "contact_id", "role", "influence", "stance", "valid_from", "valid_to"),
    ),
    DealTeamMember: (
        *("id", "opportunity_id", "person_id", "part", "added_by_id", "removed_by_id"),
        *("valid_from", "valid_to"),
    ),
    DealLine: (
        *("id", "opportunity_id", "product_id", "quantity_milli", "list_price_minor", "discount_bp"),
        *("price_minor", "currency", "charge", "term_months", "position", "set_by_id", "ended_by_id"),
        *("valid_from", "valid_to"),
    ),
    DealComment: ("id", "opportunity_id", "author_id", "text", "mentions", "created_at"),
    DealLink: ("id", "opportunity_id", "name", "url", "added_by_id", "added_at"),
    Split: ("id", "opportunity_id", "person_id", "kind", "share_bp", "set_by_id", "valid_from", "valid_to"),
}
ENDLESS = FOREVER.isoformat()
TAB = "\t"
kept_cell = lru_cache(maxsize=8192)(cell)


@dataclass
class Batch:
    """Some deals as lines, by table; `run` is under which their history is staged, `following` has the ids of those
    whose amount follows their products.
    """

    run: str
    count: int = 0
    following: list[str] = field(default_factory=list)
    lines: dict[type[models.Model], list[str]] = field(
        default_factory=lambda: {table: [] for table in COLUMNS}
    )


class Liner:
    """Writes the lines of deals of one company, whose references `ground` knows by id.

    Deals closed before `bare_before` come without contacts and milestones.
    """

    def __init__(self, ground: Ground, *, seed: int, bare_before: datetime | None = None) -> None:
        self.ground, self.seed, self.bare_before = ground, seed, bare_before

    def batch(self, deals: Iterable[DemoDeal], *, run: str) -> Batch:
        batch = Batch(run)
        for deal in deals:
            self.add(batch, deal)
        return batch

    def add(self, batch: Batch, deal: DemoDeal) -> None:
        key = key_of(self.seed, kind="deal", key=deal.external_id)
        deal_id = text_id(deal.created_at, key=key)
        batch.count += 1
        batch.lines[HistoryRow].extend(self.history(deal, key=key, deal_id=deal_id, run=batch.run))
        batch.lines[BuyingRole].extend(self.buying_roles(deal, key=key, deal_id=deal_id))
        batch.lines[DealTeamMember].extend(self.seats(deal, key=key, deal_id=deal_id))
        batch.lines[Split].extend(self.splits(deal, key=key, deal_id=deal_id))
        closed_at = deal.states[-1].closed_at
        if self.bare_before is None or closed_at is None or closed_at >= self.bare_before:
            batch.lines[Activity].extend(self.activities(deal, key=key, deal_id=deal_id))
            batch.lines[OpportunityMilestone].extend(self.milestones(deal, key=key, deal_id=deal_id))
            batch.lines[DealLine].extend(self.deal_lines(deal, key=key, deal_id=deal_id))
            batch.lines[DealComment].extend(self.comments(deal, key=key, deal_id=deal_id))
            batch.lines[DealLink].extend(self.links(deal, key=key, deal_id=deal_id))
            if deal.follows:
                batch.following.append(deal_id)

    # Ids, words of tables and instants hold nothing that COPY reads otherwise: only names and texts are escaped.
    # Each table counts on from a thousand of its own, so that no two rows of a deal share an id.

    def activities(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people, contacts = self.ground.people, self.ground.contacts
        for number, activity in enumerate(deal.activities, start=1):
            at = activity.at.isoformat()
            yield TAB.join(
                (
                    text_id(activity.at, key=key, number=1000 + number),
                    deal_id,
                    f"{deal.external_id}-{number}",
                    at,
                    activity.kind,
                    activity.direction,
                    kept_cell(activity.subject),
                    people[activity.person] if activity.person else NULL,
                    contacts[activity.contact],
                    at,
                )
            )

    def milestones(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people, milestones = self.ground.people, self.ground.milestones
        for number, mark in enumerate(deal.milestones):
            yield TAB.join(
                (
                    text_id(mark.at, key=key, number=2000 + number),
                    deal_id,
                    milestones[mark.stage][mark.position],
                    mark.at.isoformat(),
                    people[mark.person] if mark.person else NULL,
                    evidence(key + number * 7),
                )
            )

    def buying_roles(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        contacts = self.ground.contacts
        for number, part in enumerate(deal.buying_roles):
            yield TAB.join(
                (
                    text_id(part.at, key=key, number=3000 + number),
                    deal_id,
                    contacts[part.contact],
                    part.role,
                    part.influence,
                    part.stance,
                    part.at.isoformat(),
                    part.until.isoformat() if part.until else ENDLESS,
                )
            )

    def seats(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people = self.ground.people
        for number, seat in enumerate(deal.seats):
            by = people[seat.by] if seat.by else NULL
            yield TAB.join(
                (
                    text_id(seat.at, key=key, number=5000 + number),
                    deal_id,
                    people[seat.person],
                    seat.part,
                    by,
                    by if seat.until else NULL,
                    seat.at.isoformat(),
                    seat.until.isoformat() if seat.until else ENDLESS,
                )
            )

    def splits(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people = self.ground.people
        for number, split in enumerate(deal.splits):
            yield TAB.join(
                (
                    text_id(split.at, key=key, number=6000 + number),
                    deal_id,
                    people[split.person],
                    split.kind,
                    str(split.share_bp),
                    people[split.by],
                    split.at.isoformat(),
                    ENDLESS,
                )
            )

    def deal_lines(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people, products = self.ground.people, self.ground.products
        currency = deal.states[-1].currency
        for number, one in enumerate(deal.lines):
            yield TAB.join(
                (
                    text_id(one.at, key=key, number=7000 + number),
                    deal_id,
                    products[one.product],
                    *map(cell, (one.quantity_milli, one.list_price_minor, one.discount_bp, one.price_minor)),
                    currency,
                    one.charge,
                    cell(one.term_months),
                    str(one.position),
                    people[one.set_by] if one.set_by else NULL,
                    people[one.ended_by] if one.ended_by else NULL,
                    one.at.isoformat(),
                    one.until.isoformat() if one.until else ENDLESS,
                )
            )

    def comments(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people = self.ground.people
        for number, comment in enumerate(deal.comments):
            mentions = [[start, end, people[person]] for start, end, person in comment.mentions]
            yield TAB.join(
                (
                    text_id(comment.at, key=key, number=8000 + number),
                    deal_id,
                    people[comment.author] if comment.author else NULL,
                    cell(comment.text),
                    cell(mentions),
                    comment.at.isoformat(),
                )
            )

    def links(self, deal: DemoDeal, *, key: int, deal_id: str) -> Iterator[str]:
        people = self.ground.people
        for number, link in enumerate(deal.links):
            yield TAB.join(
                (
                    text_id(link.at, key=key, number=9000 + number),
                    deal_id,
                    link.name,
                    link.url,
                    people[link.by] if link.by else NULL,
                    link.at.isoformat(),
                )
            )

    def history(self, deal: DemoDeal, *, key: int, deal_id: str, run: str) -> Iterator[str]:
        """The deal's states; the last one makes the deal."""
        ground = self.ground
        first = TAB.join((cell(deal.name), ground.accounts[deal.account]))
        middle = TAB.join((ground.products[deal.product], kept_cell(deal.source), kept_cell(deal.kind)))
        attributes = cell(deal.attributes)
        last = len(deal.states) - 1
        shared_from, split = self.split(deal)
        for number, state in enumerate(deal.states):
            at = state.at.isoformat()
            made = (NULL, NULL, NULL)
            if number == last:
                made = (deal.external_id, cell(fold(deal.name)), deal.created_at.isoformat())
            actor = ground.people[state.actor] if state.actor else NULL
            yield TAB.join(
                (
                    first,
                    *self.state(state),
                    middle,
                    kept_cell(state.next_step),
                    kept_cell(state.next_step_on),
                    attributes,
                    NULL,
                    text_id(state.at, key=key, number=4000 + number),
                    run,
                    deal_id,
                    at,
                    actor,
                    Provenance.IMPORTED.value,
                    *made,
                    *(split if state.at >= shared_from else (NULL, NULL)),
                )
            )

    def split(self, deal: DemoDeal) -> tuple[datetime, tuple[str, str]]:
        """Since when the deal is split, and its people and shares as arrays, in the order in which the database has
        them. A deal is split once, with one of its states.
        """
        found = [split for split in deal.splits if split.kind == "revenue"]
        if not found:
            return FOREVER, (NULL, NULL)
        shares = sorted((-split.share_bp, self.ground.people[split.person]) for split in found)
        people = ",".join(person for _, person in shares)
        return found[0].at, (f"{{{people}}}", f"{{{','.join(str(-bp) for bp, _ in shares)}}}")

    def state(self, state: DemoState) -> tuple[Any, ...]:
        """The columns from owner to competitor, in the order of STATE_COLUMNS."""
        ground = self.ground
        return (
            ground.people[state.owner] if state.owner else NULL,
            ground.process,
            ground.stages[min(state.stage, len(ground.stages) - 1)],
            state.category,
            "t" if state.category_set_by_person else "f",
            NULL if state.amount_minor is None else str(state.amount_minor),
            state.currency,
            kept_cell(state.close_date),
            state.outcome or NULL,
            state.closed_at.isoformat() if state.closed_at else NULL,
            ground.reasons[state.reason] if state.reason else NULL,
            ground.competitors[state.competitor] if state.competitor else NULL,
        )
