"""One deal as of an instant: is it real, what is next, who is there, what changed, why this risk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from otc.fields.queries import Book, field_book
from otc.fields.shown import ShownField, shown_fields
from otc.money.queries import rate_on
from otc.money.rules import MoneyError, convert
from otc.question import Question
from otc.ui.charts.svg import Chart
from pipeline.accounts.models import Contact
from pipeline.activities.models import Activity
from pipeline.buying.report import BuyingTeam, buying_team_report
from pipeline.closeplan.queries import events_of
from pipeline.closeplan.timeline import plan_entries
from pipeline.comments.queries import latest_comments
from pipeline.comments.timeline import comment_entries
from pipeline.fit.report import FitReport, fit_report
from pipeline.health.models import Health, HealthChange
from pipeline.health.past import health_then
from pipeline.health.timeline import health_changes, health_entries, health_line
from pipeline.history.queries import timeline
from pipeline.lines.models import DealLine
from pipeline.lines.queries import lines_at, lines_ever
from pipeline.lines.report import LinesReport, lines_report
from pipeline.lines.timeline import line_entries
from pipeline.links.models import DealLink
from pipeline.links.queries import link_entries, links_at, links_ever
from pipeline.opportunities.marks import mark_entries, marks_at, marks_ended, marks_standing
from pipeline.opportunities.models import EndedMark, MarkState, Opportunity, OpportunityMilestone
from pipeline.opportunities.path import PathStage, path_of, stages_at_hand
from pipeline.opportunities.queries import CHECK_TITLES, visible_opportunity
from pipeline.opportunities.timeline import MILESTONE, SHOWN_ENTRIES, Entry, Page, entries, page_of
from pipeline.process.models import Category
from pipeline.process.versions import documents_then, names_in
from pipeline.risk.models import Risk
from pipeline.team.models import DealTeamMember, Split
from pipeline.team.queries import splits_of, team_of

MOST_ACTIVITIES = 500


@dataclass(frozen=True)
class FailedCheck:
    title: str
    penalty: int
    detail: str

    @property
    def is_bad(self) -> bool:
        """From 20 points up a check is drawn as bad."""
        return self.penalty >= 20


@dataclass(frozen=True)
class DealReport:
    """`state` is the deal, or its version where a past instant is shown; both have the same fields."""

    deal: Opportunity
    state: Any
    is_past: bool
    shown_day: date
    corporate_minor: int | None
    path: tuple[PathStage, ...]
    timeline: Page
    health: Health | None
    health_line: Chart | None
    failed: tuple[FailedCheck, ...]
    risk: Risk | None
    team: BuyingTeam
    deal_team: tuple[DealTeamMember, ...]
    splits: tuple[Split, ...]
    fit: FitReport | None
    lines: LinesReport
    links: tuple[tuple[DealLink, str], ...]
    since: Any
    book: Book

    @property
    def fields(self) -> tuple[ShownField, ...]:
        """The custom fields in their order, set or not."""
        return shown_fields(self.book, self.state.attributes, today=self.shown_day)

    @property
    def untyped(self) -> dict[str, Any]:
        """What an import brought under no field."""
        return self.book.others(self.state.attributes)

    @property
    def at_hand(self) -> tuple[PathStage, ...]:
        """This stage and the next, where they have milestones."""
        return tuple(stage for stage in stages_at_hand(self.path) if stage.milestones)

    @property
    def is_open(self) -> bool:
        return self.state.outcome is None

    @property
    def name_after_account(self) -> str:
        """“Depot telemetry” of “Kestrel Rail: Depot telemetry” at Kestrel Rail; empty where it isn't so named."""
        account = self.state.account.name if self.state.account else ""
        if not account or not self.state.name.startswith(account):
            return ""
        return str(self.state.name[len(account) :].lstrip(" :,–-"))

    @property
    def category_label(self) -> str:
        return Category(self.state.category).label if self.state.category else ""

    @property
    def days_moved(self) -> int | None:
        if self.since is None or self.since.close_date is None or self.state.close_date is None:
            return None
        return (self.state.close_date - self.since.close_date).days

    @property
    def amount_change_minor(self) -> int | None:
        if self.since is None or self.since.currency != self.state.currency:
            return None
        return (self.state.amount_minor or 0) - (self.since.amount_minor or 0)


def deal_report(
    question: Question, deal_id: UUID, *, since: datetime, tab: str = "all", shown: int = SHOWN_ENTRIES
) -> DealReport | None:
    """The deal, or None: not there, not visible, and not there yet at that instant. Thirteen queries, fourteen where a
    custom field means people.
    """
    deal = visible_opportunity(deal_id, visible=question.visible)
    if deal is None:
        return None
    versions = _versions(deal_id, question)
    state = _state(deal, versions, question)
    if state is None:
        return None
    standing, ended = marks_standing(deal_id), marks_ended(deal_id)
    processes = documents_then(question.as_of) if question.is_past else {}
    _call_as_then(names_in(processes.values()), versions=versions, marks=[*standing, *ended])
    activities = _activities(deal_id, question)
    book = field_book("deal", question.organization).naming(
        [deal.attributes, *(version.attributes for version in versions)]
    )
    seats = [seat for seat in team_of(deal_id) if seat.valid_from <= question.as_of]
    lines, links = lines_ever(deal_id), links_ever(deal_id)
    moves = health_changes(deal_id, until=question.as_of)
    told = entries(
        versions=versions,
        activities=activities,
        seats=[seat for seat in seats if seat.valid_to > seat.valid_from],
        today=question.day,
        until=question.as_of,
        book=book,
        beside=(
            *_milestone_entries(deal_id, standing, ended, until=question.as_of),
            *_rooms_entries(deal_id, lines, links, moves, until=question.as_of),
        ),
    )
    marks = marks_at(standing, ended, question.as_of)
    health, risk = _scores(deal_id, state, question)
    return DealReport(
        deal=deal,
        state=state,
        is_past=question.is_past,
        shown_day=question.day,
        corporate_minor=_corporate(state, question),
        path=path_of(question, state, marks, versions, document=processes.get(state.process_id)),
        timeline=page_of(told, tab=tab, shown=shown, cut_at=_cut_at(activities)),
        health=health,
        health_line=_health_line(deal, health, moves, question),
        failed=_failed(health),
        risk=risk,
        deal_team=tuple(seat for seat in seats if seat.valid_to > question.as_of),
        splits=tuple(splits_of(deal_id)) if not question.is_past else (),
        fit=_fit(state, question),
        lines=_lines(deal, lines, state, question),
        team=_team(deal_id, state.account_id, activities, as_of=question.as_of),
        links=links_at(links, question.as_of),
        since=next((version for version in versions if version.valid_from <= since), None),
        book=book,
    )


def _lines(deal: Opportunity, ever: list[DealLine], state: Any, question: Question) -> LinesReport:
    """What was sold on the deal at that instant, beside what it was worth."""
    return lines_report(
        lines_at(ever, question.as_of),
        amount_minor=state.amount_minor,
        currency=state.currency,
        follows=deal.amount_follows_lines and not question.is_past,
    )


def _versions(deal_id: UUID, question: Question) -> list[Any]:
    """Up to the instant, the latest first."""
    known = question.known if question.is_past else None
    return [version for version in timeline(deal_id, known=known) if version.valid_from <= question.as_of]


def _rooms_entries(
    deal_id: UUID,
    lines: Sequence[DealLine],
    links: Sequence[DealLink],
    moves: Sequence[HealthChange],
    *,
    until: datetime,
) -> tuple[Entry, ...]:
    """What the rooms beside the deal's own versions tell."""
    return (
        *line_entries(lines, until=until),
        *health_entries(moves),
        *link_entries(links, until=until),
        *comment_entries(latest_comments(deal_id, until=until)),
    )


def _milestone_entries(
    deal_id: UUID,
    standing: Sequence[OpportunityMilestone],
    ended: Sequence[EndedMark],
    *,
    until: datetime,
) -> tuple[Entry, ...]:
    """What was marked and opened again, and what was done in the close plan, which tells its own."""
    plan = plan_entries(events_of(deal_id, until=until))
    told_at = {entry.at for entry in plan if entry.kind == MILESTONE}
    return (*mark_entries(standing, ended, until=until, told_at=told_at), *plan)


def _cut_at(activities: Sequence[Activity]) -> datetime | None:
    """Since when contacts are told, where there are more than are read."""
    return activities[-1].at if len(activities) == MOST_ACTIVITIES else None


def _scores(deal_id: UUID, state: Any, question: Question) -> tuple[Health | None, Risk | None]:
    """Health and risk of an open deal; of a past instant its health alone, judged by what was known then."""
    if state.outcome is not None:
        return None, None
    if question.is_past:
        return health_then(deal_id, at=question.as_of, known=question.known), None
    # A score of an earlier close date says nothing about this one: it is being computed again.
    risk = Risk.objects.filter(opportunity_id=deal_id, close_date=state.close_date).first()
    return Health.objects.filter(opportunity_id=deal_id).first(), risk


def _health_line(
    deal: Opportunity, health: Health | None, moves: Sequence[HealthChange], question: Question
) -> Chart | None:
    if health is None or question.is_past:
        return None
    first_on = deal.created_at.astimezone(question.zone).date()
    return health_line(moves, score=health.score, first_on=first_on, day=question.day, zone=question.zone)


def _fit(state: Any, question: Question) -> FitReport | None:
    if question.is_past:
        return None
    return fit_report(account=state.account, deal=state, organization=question.organization)


def _state(deal: Opportunity, versions: Sequence[Any], question: Question) -> Any:
    if not question.is_past:
        return deal
    there = next(iter(versions), None)
    return there if there is not None and there.deleted_at is None else None


def _activities(deal_id: UUID, question: Question) -> list[Activity]:
    found = Activity.objects.filter(opportunity_id=deal_id, at__lte=question.as_of)
    return list(found.select_related("person", "contact").order_by("-at")[:MOST_ACTIVITIES])


def _corporate(state: Any, question: Question) -> int | None:
    """The corporate amount; None without an amount or a rate."""
    corporate = question.currency
    if state.amount_minor is None or state.currency == corporate:
        return state.amount_minor
    day, known = state.close_date, question.known
    source, target = (
        rate_on(code, day, known=known, own=question.organization.currency)
        for code in (state.currency, corporate)
    )
    if source is None or target is None:
        return None
    rate = Fraction(source) / Fraction(target)
    try:
        return convert(state.amount_minor, from_currency=state.currency, to_currency=corporate, rate=rate)
    except MoneyError:
        return None


def _call_as_then(names: Mapping[str, str], *, versions: Sequence[Any], marks: Sequence[MarkState]) -> None:
    """Give the stages and milestones that the deal met the names that they had; without names they keep theirs."""
    for named in (*(version.stage for version in versions), *(mark.milestone for mark in marks)):
        if named is not None:
            named.name = names.get(str(named.id), named.name)


def _failed(health: Health | None) -> tuple[FailedCheck, ...]:
    if health is None:
        return ()
    found = [
        FailedCheck(
            CHECK_TITLES.get(check["check"], check["check"].replace("_", " ").capitalize()),
            int(check["penalty"]),
            check.get("detail", ""),
        )
        for check in health.failed
    ]
    return tuple(sorted(found, key=lambda check: -check.penalty))


def _team(
    deal_id: UUID, account_id: UUID | None, activities: Sequence[Activity], *, as_of: datetime
) -> BuyingTeam:
    """The buying team among the account's first hundred contacts. Two queries."""
    last: dict[UUID, datetime] = {}
    for activity in activities:
        if activity.contact_id is not None:
            last.setdefault(activity.contact_id, activity.at)
    contacts = Contact.objects.filter(account_id=account_id).order_by("name_folded", "id")[:100]
    known = list(contacts) if account_id else []
    return buying_team_report(deal_id, contacts=known, last_at=last, as_of=as_of)
