"""What the weekly mail says to somebody: the forecast's sentence, the first rows of the grid, and what moved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecasting.grid.needs import Needs, needs
from forecasting.grid.report import GridReport, Said, grid_report
from forecasting.grid.sentence import movers
from forecasting.landing.report import LandingReport, landing_report
from forecasting.rhythm.rules import WEEK, Beat
from forecasting.rollup.report import PersonRow
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Kind, period_of
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Organization, Person
from otc.ui import format as fmt

COLUMNS = (
    ("closed", "Closed"),
    ("commit_cumulative", "Commit"),
    ("most_likely_cumulative", "Most likely"),
    ("best_case_cumulative", "Best case"),
)
MOST_ROWS, MOST_MOVERS = 12, 5


@dataclass(frozen=True)
class MailRow:
    """A person (or the total) with the columns' amounts and their changes in a week, in words."""

    name: str
    depth: int
    cells: tuple[tuple[str, str], ...]
    quota: str
    call: str


@dataclass(frozen=True)
class MailReport:
    period_key: str
    label: str
    currency: str
    sentence: str
    landing: str
    change: str
    movers: tuple[str, ...]
    rows: tuple[MailRow, ...]
    more_rows: int
    waits: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [label for _, label in COLUMNS]


def mail_report(person: Person, organization: Organization, *, beat: Beat, now: datetime) -> MailReport:
    """The running period as the person may see it today, against a week ago."""
    tenant = Tenant(organization, person, now, [organization])
    period = period_of(tenant.today, kind=Kind(beat.call_kind), calendar=calendar_of(organization))
    question = ask(tenant, {"period": period.key})
    grid = grid_report(question, since=now - WEEK, parameters={})
    shown = [row for row in grid.people.values() if row.depth <= 1]
    rows = [
        _row(grid, row, grid.calls.get(row.person_id) if row.person_id else None) for row in shown[:MOST_ROWS]
    ]
    if any(amounts.final for amounts in grid.now.unassigned.amounts.values()):
        rows.append(_row(grid, grid.now.unassigned, None))
    if len(shown) > 1 or len(rows) > 1:
        rows.append(_total(grid))
    return MailReport(
        period_key=period.key,
        label=period.label,
        currency=question.currency,
        sentence=_sentence(grid, period.label),
        landing=_lands(landing_report(question, since=now - WEEK), question.currency),
        change=_moved(grid.total_change("commit_cumulative"), question.currency),
        movers=tuple(
            f"{name} {_moved(amount, question.currency)}" for name, amount in movers(grid)[:MOST_MOVERS]
        ),
        rows=tuple(rows),
        more_rows=max(0, len(grid.people) - min(len(shown), MOST_ROWS)),
        waits=_waits(needs(grid, answerable={}), question.currency),
    )


def _sentence(grid: GridReport, label: str) -> str:
    commit, currency = grid.now.total.amounts["commit_cumulative"].final, grid.question.currency
    quota = grid.now.total.quota_minor
    shown = fmt.money_short(commit, currency=currency)
    if not quota:
        return f"Commit for {label} stands at {shown}."
    gap = quota - grid.now.total.amounts["closed"].final
    ending = f"{fmt.money_short(gap, currency=currency)} are to be won" if gap > 0 else "it is reached"
    return (
        f"Your people commit to {shown} of {fmt.money_short(quota, currency=currency)} for {label}; {ending}."
    )


def _lands(found: LandingReport, currency: str) -> str:
    """Where the model lands, in the page's numbers, and what it rests on."""
    landing = found.landing
    mean, low, high = (
        fmt.money_short(minor, currency=currency)
        for minor in (landing.mean_minor, landing.p10_minor, landing.p90_minor)
    )
    chance = "" if found.chance is None else f", {fmt.percent(found.chance)} to make quota"
    rests = (
        f"stage rates of {fmt.plural(len(found.pasts), 'past period')}" if found.pasts else "published rates"
    )
    return f"The model ({rests}) lands at {mean}: {low} to {high}{chance}."


def _moved(change_minor: int, currency: str) -> str:
    return fmt.money_short(change_minor, currency=currency, plus=True) if change_minor else ""


def _row(grid: GridReport, row: PersonRow, said: Said | None) -> MailRow:
    currency = grid.question.currency
    return MailRow(
        name=row.name,
        depth=row.depth,
        cells=tuple(
            (
                fmt.money_k(row.amounts[column].final, currency=currency),
                _k(grid.change(row, column), currency),
            )
            for column, _ in COLUMNS
        ),
        quota="" if row.quota_minor is None else fmt.money_k(row.quota_minor, currency=currency),
        call=_call(said, currency),
    )


def _total(grid: GridReport) -> MailRow:
    currency, quota = grid.question.currency, grid.now.total.quota_minor
    return MailRow(
        name="Total",
        depth=0,
        cells=tuple(
            (
                fmt.money_k(grid.now.total.amounts[column].final, currency=currency),
                _k(grid.total_change(column), currency),
            )
            for column, _ in COLUMNS
        ),
        quota="" if quota is None else fmt.money_k(quota, currency=currency),
        call="",
    )


def _k(change_minor: int, currency: str) -> str:
    return fmt.money_k(change_minor, currency=currency, plus=True) if change_minor else ""


def _call(said: Any, currency: str) -> str:
    minor = getattr(said, "amount_minor", None)
    return "" if minor is None else fmt.money_k(minor, currency=currency)


def _waits(found: Needs, currency: str) -> tuple[str, ...]:
    told = []
    if found.without_call:
        more = f" and {found.others} more" if found.others else ""
        told.append(f"No call yet: {found.named}{more}.")
    if found.stale:
        told.append(f"{fmt.plural(len(found.stale), 'adjustment')} stand on a number that has moved.")
    if found.ownerless_count:
        amount = fmt.money_short(found.ownerless_minor, currency=currency)
        told.append(f"{fmt.plural(found.ownerless_count, 'deal')} of nobody hold {amount} open.")
    return tuple(told)
