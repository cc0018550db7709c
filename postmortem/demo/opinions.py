"""What managers thought of their people's numbers: adjustments and judgements of deals, as they were said at the time.

In the running quarter there is one of each kind that a reader should know: fresh, stale, expired, one's own, of a
manager who isn't the manager any more; and of each verdict on a deal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

from forecasting.adjustments.models import AdjustmentStep, StepKind
from forecasting.judgements.models import DealJudgement, Verdict
from forecasting.locks.services import all_seeing
from forecasting.rollup.report import RollupReport, rollup_report
from otc.calendar.rules import Period, following
from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.demo.quotas import rounded
from otc.tenancy.lines import Chart, chart_at
from otc.tenancy.models import Organization, Person, Role
from pipeline.opportunities.models import Opportunity
from postmortem.demo.sign_ins import shown_person

COMMIT, MOST_LIKELY, BEST_CASE = "commit_cumulative", "most_likely_cumulative", "best_case_cumulative"
# Past quarters of which adjustments are told, and how long before their end.
TOLD_QUARTERS = 4
BEFORE_THE_END = timedelta(days=24, hours=-15)
# Days before this morning in the running quarter: said and expired, said and stale, opinions on deals.
EXPIRED_AGO, STALE_AGO, JUDGED_AGO, EXPIRES_AFTER = 26, 12, 5, 12
# The first weeks’ adjustments were to hold for so many days.
PASSED_AGO, PASSED_AFTER = 40, 24
EVENING = timedelta(hours=10, minutes=30)
# How much of the person's amount is taken off or put on, in percent, and why.
DELTAS = (
    (-8, "One deal too early in their plan; I take a tenth off"),
    (5, "Two renewals that they never put in before they are signed"),
    (-12, "Legal takes longer there than they think"),
    (-5, "Holiday week at the buyer’s"),
    (7, "The framework order comes on top; I spoke with their director"),
)
ABOVE = "As agreed in the review of the region"
OWN = "An order is promised that has no deal yet"
FORMER = "Handed over with this on top: the site in the south is as good as signed"
OLD = "Until the board has met"
VERDICTS = (
    (Verdict.OUT, "commit", "The budget isn’t released"),
    (Verdict.IN, "best_case", "Their director gave me his word"),
    (Verdict.AMOUNT, "most_likely", "They will start with half of the sites"),
    (Verdict.DATE, "commit", "Signs after their board has met"),
)


class OpinionWriter:
    """Writes steps for one company; every id follows from its seed. What a step stands on is what its author saw."""

    def __init__(self, company: DemoCompany, people: dict[str, str], *, organization: Organization) -> None:
        self.company, self.organization = company, organization
        self.people = {UUID(id_): key for key, id_ in people.items()}
        days = company.workdays
        self.morning = days.midnight(days.today)
        self.evening = days.opens[days.on_or_before[days.today - 1]] + EVENING
        self.there = {one.id: one for one in Person.objects.all()}

    def write(self, *, past: Sequence[Period], running: Period) -> None:
        for period in past[-TOLD_QUARTERS:]:
            at = (
                self.company.workdays.midnight((period.end - self.company.workdays.first).days)
                - BEFORE_THE_END
            )
            self.of_reps(period, at=at, one_in=2)
            self.of_managers(period, at=at + timedelta(hours=3))
        self.of_reps(running, at=self.ago(PASSED_AGO), one_in=3, days=PASSED_AFTER)
        self.former(running)
        self.expired(running, at=self.ago(EXPIRED_AGO))
        self.of_reps(running, at=self.ago(STALE_AGO), one_in=4)
        self.judgements(running, at=self.ago(JUDGED_AGO))
        self.own(running, at=self.evening)
        self.of_reps(running, at=self.evening + timedelta(minutes=10), one_in=3, but_in=4)
        self.of_managers(running, at=self.evening + timedelta(minutes=40))

    # -- adjustments

    def of_reps(
        self, period: Period, *, at: datetime, one_in: int, but_in: int = 0, days: int | None = None
    ) -> None:
        """Managers adjust some of their reps' commits, for `days` if given; `but_in` are those who have an opinion on
        record already.
        """
        report, steps = self.grid(period, at=at), []
        for manager, person in self.pairs(at):
            number = crc32(self.people[person].encode())
            if self.there[person].role != Role.REP or number % one_in or (but_in and number % but_in == 0):
                continue
            percent, reason = DELTAS[number // 7 % len(DELTAS)]
            base = below(report, person, column=COMMIT)
            delta = rounded(base * percent / 100, like=abs(base * percent // 100) // 10 + 1)
            if delta:
                steps.append(
                    self.step(period, person, by=manager, at=at, kind=StepKind.DELTA, amount=delta, base=base)
                )
                steps[-1].reason = reason
                steps[-1].expires_on = at.date() + timedelta(days=days) if days else None
        AdjustmentStep.objects.bulk_create(steps)

    def of_managers(self, period: Period, *, at: datetime) -> None:
        """Whoever is above managers says a round number for the first of them."""
        report, steps, done = self.grid(period, at=at), [], set()
        for above, person in self.pairs(at):
            if self.there[person].role == Role.REP or above in done:
                continue
            done.add(above)
            base = below(report, person, column=COMMIT)
            said = rounded(base * 0.97, like=base // 10)
            if said > 0:
                steps.append(
                    self.step(period, person, by=above, at=at, kind=StepKind.ABSOLUTE, amount=said, base=base)
                )
                steps[-1].reason = ABOVE
        AdjustmentStep.objects.bulk_create(steps)

    def former(self, period: Period) -> None:
        """Who led somebody until this month left a word on top, which counts until the new manager's."""
        days = self.company.workdays
        for slot in self.company.slots:
            (boss, _), *later = slot.bosses
            if not later or days.today - later[0][1] > EXPIRED_AGO:
                continue
            at = days.opens[days.on_or_before[later[0][1] - 2]] + EVENING
            holder = slot.owner_on(later[0][1])
            person = next(id_ for id_, key in self.people.items() if key == holder)
            author = next(id_ for id_, key in self.people.items() if key == boss)
            base = below(self.grid(period, at=at), person, column=MOST_LIKELY)
            amount = rounded(base * 0.1, like=max(base // 100, 1))
            if amount > 0:
                step = self.step(
                    period,
                    person,
                    by=author,
                    at=at,
                    kind=StepKind.DELTA,
                    amount=amount,
                    base=base,
                    column=MOST_LIKELY,
                )
                step.reason = FORMER
                step.save(force_insert=True)

    def expired(self, period: Period, *, at: datetime) -> None:
        """The shown rep's manager put something on top for a while."""
        rep = shown_person(Role.REP)
        manager = chart_at(at).manager_of.get(rep.id) if rep else None
        if rep is None or manager is None:
            return
        base = below(self.grid(period, at=at), rep.id, column=BEST_CASE)
        amount = rounded(base * 0.15, like=max(base // 100, 1))
        step = self.step(
            period, rep.id, by=manager, at=at, kind=StepKind.DELTA, amount=amount, base=base, column=BEST_CASE
        )
        step.reason = OLD
        step.expires_on = at.date() + timedelta(days=EXPIRES_AFTER)
        step.save(force_insert=True)

    def own(self, period: Period, *, at: datetime) -> None:
        """The shown rep says more than the deals do."""
        rep = shown_person(Role.REP)
        if rep is None:
            return
        row = next((one for one in self.grid(period, at=at).rows if one.person_id == rep.id), None)
        base = row.amounts[COMMIT].with_reports_adjustments if row else 0
        amount = rounded(base * 0.06, like=max(base // 100, 1))
        if amount > 0:
            step = self.step(period, rep.id, by=rep.id, at=at, kind=StepKind.DELTA, amount=amount, base=base)
            step.reason = OWN
            step.save(force_insert=True)

    def step(
        self,
        period: Period,
        person: UUID,
        *,
        by: UUID,
        at: datetime,
        kind: StepKind,
        amount: int,
        base: int,
        column: str = COMMIT,
    ) -> AdjustmentStep:
        key = f"{period.key}:{column}:{self.people[person]}:{self.people[by]}:{at.isoformat()}"
        return AdjustmentStep(
            id=self.id_of("adjustment", key, at=at),
            period=period.key,
            column=column,
            person_id=person,
            author_id=by,
            is_own=person == by,
            kind=kind,
            amount_minor=amount,
            currency=self.organization.currency,
            base_minor=base,
            made_at=at,
        )

    # -- deals

    def judgements(self, period: Period, *, at: datetime) -> None:
        """The shown rep's manager judged a deal of each verdict, the others one each."""
        rep, chart = shown_person(Role.REP), chart_at(self.morning)
        shown = chart.manager_of.get(rep.id) if rep else None
        steps: list[DealJudgement] = []
        for number, manager in enumerate(self.managers(chart)):
            wanted = VERDICTS if manager == shown else VERDICTS[number % 2 : number % 2 + 1]
            for verdict, category, reason in wanted:
                judged = {step.opportunity_id for step in steps}
                deal = self.deal_of(manager, chart=chart, period=period, category=category, but=judged)
                if deal is not None:
                    steps.append(
                        self.judgement(
                            deal,
                            period,
                            by=manager,
                            verdict=verdict,
                            reason=reason,
                            at=at + timedelta(minutes=number),
                        )
                    )
        DealJudgement.objects.bulk_create(steps)

    def judgement(
        self, deal: Opportunity, period: Period, *, by: UUID, verdict: Verdict, reason: str, at: datetime
    ) -> DealJudgement:
        return DealJudgement(
            id=self.id_of("judgement", f"{deal.external_id}:{verdict}", at=at),
            period=period.key,
            column=COMMIT,
            person=deal.owner,
            opportunity=deal,
            author_id=by,
            verdict=verdict,
            amount_minor=(deal.amount_minor or 0) // 2 if verdict == Verdict.AMOUNT else None,
            currency=self.organization.currency,
            close_date=following(period).first + timedelta(days=20) if verdict == Verdict.DATE else None,
            reason=reason,
            made_at=at,
        )

    def deal_of(
        self, manager: UUID, *, chart: Chart, period: Period, category: str, but: set[UUID]
    ) -> Opportunity | None:
        """The largest open deal of the manager's reports in a category, without those judged already."""
        reports = [one for one in chart.reports.get(manager, ()) if self.there[one].left_on is None]
        found = Opportunity.objects.filter(
            owner_id__in=reports,
            owner__role=Role.REP,
            outcome=None,
            category=category,
            close_date__gte=period.first,
            close_date__lt=period.end,
            amount_minor__gt=0,
            currency=self.organization.currency,
        )
        deals = found.exclude(id__in=but).select_related("owner").order_by("-amount_minor", "external_id")
        largest: Opportunity | None = deals.first()
        return largest

    # -- who and when

    def pairs(self, at: datetime) -> Iterator[tuple[UUID, UUID]]:
        """(manager, report) of those who were both there, in a fixed order."""
        chart, day = chart_at(at), at.date()
        for person in sorted(chart.manager_of, key=lambda one: self.people.get(one, "")):
            manager = chart.manager_of[person]
            if manager is not None and self.is_there(person, day) and self.is_there(manager, day):
                yield manager, person

    def managers(self, chart: Chart) -> list[UUID]:
        found = [one for one in chart.reports if self.is_there(one, self.morning.date())]
        return sorted(found, key=lambda one: self.people.get(one, ""))

    def is_there(self, person: UUID, day: date) -> bool:
        left = self.there[person].left_on
        return person in self.people and (left is None or left > day)

    def ago(self, days: int) -> datetime:
        """The evening of the working day that lies so many days before this morning."""
        all_days = self.company.workdays
        return all_days.opens[all_days.on_or_before[all_days.today - days]] + EVENING

    def grid(self, period: Period, *, at: datetime) -> RollupReport:
        return rollup_report(
            self.organization, viewer=all_seeing(), period=period, as_of=at, now=at, is_compared=True
        )

    def id_of(self, kind: str, key: str, *, at: datetime) -> UUID:
        return demo_id(self.company.seed, kind=f"opinion {kind}", key=key, at=at)


def below(report: RollupReport, person: UUID, *, column: str) -> int:
    """What a manager's step stands on: the person's amount with their own and with the deals judged."""
    row = next((one for one in report.rows if one.person_id == person), None)
    if row is None:
        return 0
    judged: list[Any] = [one for one in report.effects if one.deals and one.person_id == person]
    return row.amounts[column].seen + sum(one.effect_minor for one in judged if one.column == column)
