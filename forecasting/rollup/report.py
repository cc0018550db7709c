"""The forecast grid of a period: people by columns along the reporting line, as of any instant."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from forecasting.adjustments.models import AdjustmentStep
from forecasting.adjustments.queries import adjustments_at
from forecasting.judgements.models import DealJudgement
from forecasting.judgements.queries import judgements_at
from forecasting.quotas.queries import branch_quotas, quotas_of
from forecasting.quotas.rules import Coverage, coverage
from forecasting.rollup.adjusted import (
    EffectRow,
    OnTop,
    adjusted_grid,
    effect_rows,
    gone_by,
    tree_without,
    without_gone,
)
from forecasting.rollup.judged import judged_adjustments
from forecasting.rollup.overlay import Overlay, overlays_of
from forecasting.rollup.queries import OwnRow, UnconvertibleDeal, own_amounts, unconvertible_deals
from forecasting.rollup.rules import Adjustment, Amounts, Rollup, Row, Tree
from forecasting.rollup.scope import chart_for, tree_of
from forecasting.types.queries import TypeCondition, type_condition
from otc.calendar.rules import Period
from otc.money.rules import CurrencySum, sum_by_currency
from otc.tenancy.lines import EVERYONE, Chart, Named, Owners, people_by_id, scope_owners
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import visible_reach


class PersonRow(NamedTuple):
    """One line of the grid; amounts are corporate minor units by column, own and rolled up (see Amounts).

    `person_id` is None for "unassigned" and for the total. `deal_count` is of the person's own deals. A
    manager without a quota has the sum of the reports'.
    """

    person_id: UUID | None
    name: str
    title: str
    manager_id: UUID | None
    depth: int
    is_unassigned: bool
    reports: tuple[UUID, ...]
    amounts: Mapping[str, Amounts]
    deal_count: int
    quota_minor: int | None

    @property
    def coverage(self) -> Coverage:
        return coverage(
            self.amounts["open"].rolled_up,
            won_minor=self.amounts["closed"].rolled_up,
            quota_minor=self.quota_minor,
        )

    @property
    def commit_to_quota_minor(self) -> int | None:
        """Cumulative commit less quota: negative while the people's word falls short; None without a quota."""
        commit = self.amounts["commit_cumulative"].final
        return None if self.quota_minor is None else commit - self.quota_minor

    @property
    def gap_minor(self) -> int | None:
        """What is missing to the quota; negative once it is exceeded; None without one."""
        return None if self.quota_minor is None else self.quota_minor - self.amounts["closed"].final


@dataclass(frozen=True)
class RollupReport:
    """`total` is everything in the scope; `unassigned` the part of it that no line leads to. `overlays` are beside it,
    in no sum.
    """

    period: Period
    scope: str
    as_of: datetime
    org_chart: str
    currency: str
    rows: tuple[PersonRow, ...]
    unassigned: PersonRow
    total: PersonRow
    effects: tuple[EffectRow, ...]
    unconvertible: tuple[UnconvertibleDeal, ...]
    without_amount: int
    overlays: tuple[Overlay, ...]

    @property
    def unconvertible_sums(self) -> tuple[CurrencySum, ...]:
        return sum_by_currency((deal.currency, deal.amount_minor) for deal in self.unconvertible)


def rollup_report(
    organization: Organization,
    *,
    viewer: Person,
    period: Period,
    as_of: datetime,
    now: datetime,
    scope: str = EVERYONE,
    org_chart: str = "then",
    knowledge: str = "then",
    currency: str | None = None,
    type_id: UUID | None = None,
    condition: TypeCondition | None = None,
    is_compared: bool = False,
) -> RollupReport:
    """The grid of `period` as of an instant, as far as `viewer` may see today. Raises UnknownScope.

    What a manager put on top of the viewer's own amount is for the manager: the viewer sees the fourth of the amounts.
    `type_id` is the forecast type (None: all deals), by its filter as of the instant or the period's end; `condition`
    tries another filter.

    `knowledge` "now" shows the instant as it is known today, corrections included. `currency` is that of every amount,
    by default the organization's: each deal at the rates of its close date, each quota at that of the last day.
    One that is only compared with another has its amounts alone: no quotas, overlays, or deals without a rate.
    """
    corporate = currency or organization.currency
    chart = chart_for(as_of, org_chart=org_chart, now=now)
    visible = visible_reach(viewer, organization=organization, now=now).owners
    owners = scope_owners(scope, chart=chart, visible=visible)
    known = now if knowledge == "now" else as_of
    asked: dict[str, Any] = {
        "as_of": as_of,
        "known": known,
        "owners": owners,
        "corporate": corporate,
        "condition": condition
        or type_condition(organization, type_id=type_id, instant=rules_instant(period, as_of, organization)),
    }
    people = people_by_id()
    day = as_of.astimezone(ZoneInfo(organization.timezone)).date()
    gone = gone_by(period, people=people, day=day)
    own = without_gone(own_amounts(period, **asked), gone)
    told: dict[str, Any] = {"organization": organization, "viewer": viewer, "period": period, "chart": chart}
    grid = _adjusted(own, asked, gone=gone, day=day, type_id=type_id, **told)
    money = {"own": organization.currency, "currency": corporate}
    given = {} if is_compared else quotas_of(period, **money, known=known, at=as_of, type_id=type_id)
    lacks_rate = not is_compared and any(row.without_rate for row in own)
    rows, unassigned, total = _shown(grid, own, people=people, given=given, chart=chart)
    return RollupReport(
        period=period,
        scope=scope,
        as_of=as_of,
        org_chart=org_chart,
        currency=corporate,
        rows=rows,
        unassigned=unassigned,
        total=total,
        effects=effect_rows(grid.effects, people=people),
        unconvertible=tuple(unconvertible_deals(period, **asked)) if lacks_rate else (),
        without_amount=sum(row.without_amount for row in own),
        overlays=() if is_compared else overlays_of(period, **asked),
    )


def _shown(
    grid: Rollup,
    own: list[OwnRow],
    *,
    people: Mapping[UUID, Named],
    given: Mapping[UUID, int],
    chart: Chart,
) -> tuple[tuple[PersonRow, ...], PersonRow, PersonRow]:
    """The people's rows, unassigned and the total, with quotas and counts of deals."""
    quotas = branch_quotas(chart=chart, quotas=given)
    counts = _deal_counts(own)
    rows = tuple(_person_row(row, people=people, quotas=quotas, counts=counts) for row in grid.rows)
    deal_count = sum(row.first_count for row in own)
    return (
        rows,
        _heading(grid.unassigned, name="Unassigned", count=counts[None], quota_minor=None),
        _heading(grid.total, name="Total", count=deal_count, quota_minor=_whole_quota(rows)),
    )


def _adjusted(
    own: list[OwnRow],
    asked: Mapping[str, Any],
    *,
    organization: Organization,
    viewer: Person,
    period: Period,
    chart: Chart,
    gone: frozenset[UUID],
    day: date,
    type_id: UUID | None,
) -> Rollup:
    """The grid of the own amounts, asked by `asked`, with every adjustment and judgement that counts."""
    as_of, known, corporate = asked["as_of"], asked["known"], asked["corporate"]
    told: dict[str, Any] = {"viewer": viewer, "owners": asked["owners"], "gone": gone}
    steps = adjustments_at(period.key, as_of=as_of, day=day, type_id=type_id)
    counted = [step for step in steps if _counts(step, **told)]
    # Deals are judged in the forecast of all deals.
    said = judgements_at(period.key, as_of=as_of) if type_id is None else []
    verdicts = [step for step in said if _counts(step, **told)]
    judging: dict[str, Any] = {"period": period, "as_of": as_of, "known": known}
    line = Tree(chart.manager_of, chart.vacant)
    home = None
    judged_home: tuple[Adjustment, ...] = ()
    if counted and corporate != organization.currency:
        at_home = own_amounts(period, **{**asked, "corporate": organization.currency})
        home = without_gone(at_home, gone)
        judged_home = judged_adjustments(verdicts, currency=organization.currency, **judging)
    return adjusted_grid(
        own,
        on_top=OnTop(
            tuple(counted),
            tree=tree_without(tree_of(asked["owners"], chart=chart, line=line), gone),
            line=line,
            judged=judged_adjustments(verdicts, currency=corporate, **judging),
            judged_home=judged_home,
        ),
        home=home,
        currency=corporate,
        day=period.last,
        known=known,
    )


def _deal_counts(own: list[OwnRow]) -> Counter[UUID | None]:
    counts: Counter[UUID | None] = Counter()
    for row in own:
        counts[row.owner_id] += row.deal_count
    return counts


def _whole_quota(rows: tuple[PersonRow, ...]) -> int | None:
    """What the tops are asked for; None where nobody is."""
    tops = [row.quota_minor for row in rows if row.depth == 0 and not row.is_unassigned]
    targets = [quota_minor for quota_minor in tops if quota_minor is not None]
    return sum(targets) if targets else None


def rules_instant(period: Period, as_of: datetime, organization: Organization) -> datetime:
    """A period that is over keeps the rules of its time."""
    end = datetime.combine(period.end, time(), tzinfo=ZoneInfo(organization.timezone))
    return min(as_of, end.astimezone(UTC))


def _counts(
    step: AdjustmentStep | DealJudgement, *, viewer: Person, owners: Owners, gone: frozenset[UUID]
) -> bool:
    """Within the scope and of somebody who is there; and a manager's word on the viewer is for the manager."""
    if step.person_id in gone or not owners.contains(step.person_id):
        return False
    return step.author_id == step.person_id or step.person_id != viewer.id


def _person_row(
    row: Row,
    *,
    people: Mapping[UUID, Named],
    quotas: Mapping[UUID, int],
    counts: Mapping[UUID | None, int],
) -> PersonRow:
    person_id = row.person
    person = people[person_id]
    return PersonRow(
        person_id=person_id,
        name=person.name,
        title=person.title,
        manager_id=row.manager,
        depth=row.depth,
        is_unassigned=row.is_unassigned,
        reports=row.reports,
        amounts=row.amounts,
        deal_count=counts.get(person_id, 0),
        quota_minor=quotas.get(person_id),
    )


def _heading(row: Row, *, name: str, count: int, quota_minor: int | None) -> PersonRow:
    return PersonRow(
        person_id=None,
        name=name,
        title="",
        manager_id=None,
        depth=0,
        is_unassigned=row.is_unassigned,
        reports=row.reports,
        amounts=row.amounts,
        deal_count=count,
        quota_minor=quota_minor,
    )
