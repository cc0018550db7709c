"""Whose deals a waterfall counts, and in which team they are, while people change their lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from forecasting.rollup.scope import chart_for
from otc.tenancy.lines import Chart, Owners, chart_without, left_at_of, scope_owners
from otc.tenancy.models import FOREVER, ReportingLine
from otc.tenancy.reach import united

EVER = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """`owner_id` is in the scope in [starts, ends), in the team of `team_id`."""

    owner_id: UUID
    starts: datetime
    ends: datetime
    team_id: UUID | None


@dataclass(frozen=True)
class Piece:
    """The owners in scope from an instant on, and the chart that says so."""

    starts: datetime
    owners: Owners
    chart: Chart


@dataclass(frozen=True)
class ScopeInTime:
    """The scope's owners at both ends and ever between them; `spans` say when each of them belonged to it.

    Where everybody is in the scope, spans only say the teams.
    """

    before: Owners
    after: Owners
    ever: Owners
    spans: tuple[Span, ...]

    def moves_between(self, since: datetime, as_of: datetime) -> list[tuple[datetime, UUID]]:
        """Instants after `since`, up to `as_of`, at which an owner came into the scope, left it, or changed team."""
        found = {
            (at, span.owner_id)
            for span in self.spans
            for at in (span.starts, span.ends)
            if since < at <= as_of
        }
        return sorted(found)


def scope_in_time(
    scope: str,
    *,
    since: datetime,
    as_of: datetime,
    now: datetime,
    org_chart: str,
    visible: Owners,
    is_path: bool,
    with_teams: bool,
) -> ScopeInTime:
    """The scope at both ends, or at every instant between them for a path. Raises UnknownScope."""
    if is_path and org_chart == "then":
        charts = charts_between(since, as_of)
    else:
        ends = {since: chart_for(since, org_chart=org_chart, now=now)}
        ends[as_of] = chart_for(as_of, org_chart=org_chart, now=now)
        charts = list(ends.items())
    pieces = [
        Piece(starts, scope_owners(scope, chart=chart, visible=visible), chart) for starts, chart in charts
    ]
    return ScopeInTime(
        before=pieces[0].owners,
        after=pieces[-1].owners,
        ever=united(piece.owners for piece in pieces),
        spans=tuple(spans_of(pieces, with_teams=with_teams)),
    )


def charts_between(since: datetime, as_of: datetime) -> list[tuple[datetime, Chart]]:
    """The chart at `since` and after every change up to `as_of`, a manager who leaves among them. One query."""
    lines = list(
        ReportingLine.objects.filter(valid_from__lte=as_of, valid_to__gt=since).values_list(
            "person_id", "manager_id", "valid_from", "valid_to", "person__left_on"
        )
    )
    left_at = left_at_of((person, left_on) for person, *_, left_on in lines)
    changes = {at for *_, starts, ends, _ in lines for at in (starts, ends)}.union(left_at.values())
    return [
        (
            at,
            chart_without(
                {person: manager for person, manager, starts, ends, _ in lines if starts <= at < ends},
                gone={person for person, left in left_at.items() if left <= at},
            ),
        )
        for at in (since, *sorted(change for change in changes if since < change <= as_of))
    ]


def spans_of(pieces: Sequence[Piece], *, with_teams: bool) -> Iterable[Span]:
    """Each owner's time in the scope, as few spans as there are changes."""
    people: set[UUID] = set()
    for piece in pieces:
        if piece.owners.person_ids is not None:
            people |= piece.owners.person_ids
        elif with_teams:
            people |= set(piece.chart.manager_of)
    for owner_id in sorted(people):
        begun: tuple[datetime, UUID | None] | None = None
        for number, piece in enumerate(pieces):
            at = EVER if number == 0 else piece.starts
            is_in = piece.owners.contains(owner_id)
            team_id = team_of(owner_id, chart=piece.chart) if with_teams else None
            if begun and (not is_in or team_id != begun[1]):
                yield Span(owner_id, begun[0], at, begun[1])
                begun = None
            if is_in and begun is None:
                begun = (at, team_id)
        if begun:
            yield Span(owner_id, begun[0], FOREVER, begun[1])


def team_of(owner_id: UUID, *, chart: Chart) -> UUID | None:
    """A team bears its manager's name: whoever has reports is in the own one, everybody else in the manager's."""
    return owner_id if chart.reports.get(owner_id) else chart.manager_of.get(owner_id)
