"""The grid with what people put on top: stored steps become the adjustments of the rules, and their effects rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from uuid import UUID

from forecasting.adjustments.models import AdjustmentStep
from forecasting.judgements.rules import Judged
from forecasting.rollup.queries import OwnRow
from forecasting.rollup.rules import Adjustment, Effect, Kind, Rollup, Tree, own_by_person, rollup
from otc.calendar.rules import Period
from otc.money.queries import shown_minor
from otc.tenancy.lines import Named


@dataclass(frozen=True)
class EffectRow:
    """What one adjustment does to the grid: who put what on whom, on top of what. Minor units of the report's currency.

    `amount_minor` is what was said, `below_minor` what it stands on now, `effect_minor` what it adds to the final
    amounts. `is_stale`: the amount below is no longer the one that the author saw. `deals` are those that
    judgements are made of.
    """

    step_id: UUID
    person_id: UUID
    person_name: str
    author_id: UUID
    author_name: str
    is_own: bool
    column: str
    kind: str
    amount_minor: int
    below_minor: int
    effect_minor: int
    reason: str
    made_at: datetime | None
    expires_on: date | None
    is_stale: bool
    is_from_former_manager: bool
    deals: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class OnTop:
    """What is put on a grid. `tree` is the scope's part of the line, `line` the whole: it says who adjusts whom.

    `judged` are judgements of deals in the grid's currency, and in the organization's where that is another one.
    """

    steps: tuple[AdjustmentStep, ...]
    tree: Tree
    line: Tree
    judged: tuple[Adjustment, ...] = ()
    judged_home: tuple[Adjustment, ...] = ()


def gone_by(period: Period, *, people: Mapping[UUID, Named], day: date) -> frozenset[UUID]:
    """Who had left on `day`, before the period began: they keep their past and are in no future period."""
    last = min(day, period.first)
    return frozenset(
        person.id for person in people.values() if person.left_on is not None and person.left_on <= last
    )


def without_gone(rows: Iterable[OwnRow], gone: frozenset[UUID]) -> list[OwnRow]:
    """The deals of those who are gone are nobody's: no money is dropped."""
    if not gone:
        return list(rows)
    return [row._replace(owner_id=None) if row.owner_id in gone else row for row in rows]


def tree_without(tree: Tree, gone: frozenset[UUID]) -> Tree:
    """The line without those who are gone; who reported to one of them has no line."""
    if not gone:
        return tree
    left = {
        person: manager
        for person, manager in tree.manager_of.items()
        if person not in gone and manager not in gone
    }
    return Tree(left, tree.vacant - gone)


def adjusted_grid(
    own: list[OwnRow], *, on_top: OnTop, home: list[OwnRow] | None, currency: str, day: date, known: datetime
) -> Rollup:
    """The grid of `own` with every step. Steps are in the organization's currency, in which `home` are the own amounts
    where the grid is in another one, `currency`: what is stale is found at home, where nothing is rounded anew. There
    they are converted at the rates of `day`, as quotas are.
    """
    adjustments = [_adjustment(step) for step in on_top.steps]
    if home is None or not adjustments:
        return _rollup(own, [*on_top.judged, *adjustments], on_top)
    stale = {
        effect.adjustment.step_id: effect.is_stale
        for effect in _rollup(home, [*on_top.judged_home, *adjustments], on_top).effects
    }
    said = {one.step_id: one.amount_minor for one in adjustments}
    shown = shown_minor(said, own=on_top.steps[0].currency, currency=currency, day=day, known=known)
    converted = [replace(one, amount_minor=shown[one.step_id]) for one in adjustments if one.step_id in shown]
    grid = _rollup(own, [*on_top.judged, *converted], on_top)
    effects = tuple(replace(one, is_stale=stale.get(one.adjustment.step_id, False)) for one in grid.effects)
    return replace(grid, effects=effects)


def effect_rows(effects: Iterable[Effect], *, people: Mapping[UUID, Named]) -> tuple[EffectRow, ...]:
    """Effects that a reader understands, in the order of the grid."""
    return tuple(
        EffectRow(
            step_id=one.adjustment.step_id,
            person_id=one.adjustment.person,
            person_name=people[one.adjustment.person].name,
            author_id=one.adjustment.author,
            author_name=people[one.adjustment.author].name,
            is_own=one.adjustment.is_own,
            column=one.adjustment.column,
            kind=str(one.adjustment.kind),
            amount_minor=one.adjustment.amount_minor,
            below_minor=one.below_minor,
            effect_minor=one.amount_minor,
            reason=one.adjustment.reason,
            made_at=one.adjustment.made_at,
            expires_on=one.adjustment.expires_on,
            is_stale=one.is_stale,
            is_from_former_manager=one.is_from_former_manager,
            deals=one.adjustment.deals,
        )
        for one in effects
    )


def _rollup(own: list[OwnRow], adjustments: list[Adjustment], on_top: OnTop) -> Rollup:
    """Whoever is adjusted is in the grid, without a deal and a line too."""
    parts = [(one.person, "commit", 0) for one in adjustments]
    amounts = own_by_person(chain(parts, (row[:3] for row in own)))
    return rollup(amounts, tree=on_top.tree, adjustments=adjustments, line=on_top.line)


def _adjustment(step: AdjustmentStep) -> Adjustment:
    return Adjustment(
        person=step.person_id,
        column=step.column,
        author=step.author_id,
        kind=Kind(step.kind),
        amount_minor=step.amount_minor,
        base_minor=step.base_minor,
        reason=step.reason,
        step_id=step.id,
        expires_on=step.expires_on,
        made_at=step.made_at,
    )
