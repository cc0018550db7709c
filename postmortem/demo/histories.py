"""Writes simulated deals with their history, activities and milestones, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any
from uuid import UUID, uuid4

from otc.demo.deals import DemoDeal, DemoState
from otc.tenancy.services import fold
from pipeline.activities.models import Activity
from pipeline.history.models import STATE_COLUMNS, HistoryRow, Provenance
from pipeline.history.services import enter_staged
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from postmortem.demo.copying import copy_rows
from postmortem.demo.ground import Ground

# Entering history costs a scan of what was entered before, so few large batches beat many small ones.
BATCH_DEALS = 5000
Row = tuple[Any, ...]


class DealWriter:
    """Turns simulated deals into rows of the organization whose ids `ground` holds."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def write(self, deals: Iterable[DemoDeal]) -> Iterator[int]:
        """Write all deals; yields how many are written after each batch."""
        written = 0
        for batch in batched(deals, BATCH_DEALS):
            self.write_batch(batch)
            written += len(batch)
            yield written

    def write_batch(self, deals: tuple[DemoDeal, ...]) -> None:
        """The deals as they stand, then their history through the checked function, then what surrounds them."""
        ids = {deal.external_id: uuid4() for deal in deals}
        copy_rows(
            Opportunity,
            columns=(*STATE_COLUMNS, "id", "external_id", "name_folded", "created_at"),
            rows=(
                (
                    *self.state(deal, deal.states[-1]),
                    ids[deal.external_id],
                    deal.external_id,
                    fold(deal.name),
                    deal.created_at,
                )
                for deal in deals
            ),
        )
        run = uuid4()
        copy_rows(
            HistoryRow,
            columns=(*STATE_COLUMNS, "run", "opportunity_id", "at", "actor_id", "provenance"),
            rows=(row for deal in deals for row in self.history(deal, ids[deal.external_id], run=run)),
        )
        enter_staged(run)
        copy_rows(
            Activity,
            columns=(
                "opportunity_id",
                "external_id",
                "at",
                "kind",
                "direction",
                "subject",
                "person_id",
                "contact_id",
                "created_at",
            ),
            rows=(row for deal in deals for row in self.activities(deal, ids[deal.external_id])),
        )
        copy_rows(
            OpportunityMilestone,
            columns=("opportunity_id", "milestone_id", "met_at", "marked_by_id", "note"),
            rows=(row for deal in deals for row in self.milestones(deal, ids[deal.external_id])),
        )

    def state(self, deal: DemoDeal, state: DemoState) -> Row:
        """The values of STATE_COLUMNS, in its order."""
        ground = self.ground
        return (
            deal.name,
            ground.accounts[deal.account],
            ground.people[state.owner] if state.owner else None,
            ground.process,
            ground.stages[min(state.stage, len(ground.stages) - 1)],
            state.category,
            state.category_set_by_person,
            state.amount_minor,
            state.currency,
            state.close_date,
            state.outcome,
            state.closed_at,
            ground.reasons[state.reason] if state.reason else None,
            ground.competitors[state.competitor] if state.competitor else None,
            ground.products[deal.product],
            deal.source,
            deal.kind,
            state.next_step,
            state.next_step_on,
            deal.attributes,
            None,
        )

    def history(self, deal: DemoDeal, opportunity_id: UUID, *, run: UUID) -> Iterator[Row]:
        for state in deal.states:
            actor = self.ground.people[state.actor] if state.actor else None
            yield (*self.state(deal, state), run, opportunity_id, state.at, actor, Provenance.IMPORTED.value)

    def activities(self, deal: DemoDeal, opportunity_id: UUID) -> Iterator[Row]:
        ground = self.ground
        for number, activity in enumerate(deal.activities, start=1):
            yield (
                opportunity_id,
                f"{deal.external_id}-{number}",
                activity.at,
                activity.kind,
                activity.direction,
                activity.subject,
                ground.people[activity.person] if activity.person else None,
                ground.contacts[activity.contact],
                activity.at,
            )

    def milestones(self, deal: DemoDeal, opportunity_id: UUID) -> Iterator[Row]:
        ground = self.ground
        for mark in deal.milestones:
            person = ground.people[mark.person] if mark.person else None
            yield (opportunity_id, ground.milestones[mark.stage][mark.position], mark.at, person, "")
