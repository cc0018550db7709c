"""The period's figures as the page shows them: value, change since, and the deals behind each."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from forecasting.inspection.found import Part
from forecasting.inspection.report import Inspection, Summary, cumulative
from forecasting.quotas.rules import Coverage, State
from otc.question import Question
from otc.ui import format as fmt
from otc.ui.controls import href_with
from otc.ui.templatetags.otc_ui import delta_money, delta_number, delta_points

NO_QUOTA = "nobody in this scope has a quota"
OF_TODAY = "by today’s scores"


@dataclass(frozen=True)
class Figure:
    """One figure: `value` is what is shown, `title` the exact amount where it is money, `href` opens its deals."""

    label: str
    value: str
    href: str
    term: str
    delta: SafeString | str = ""
    title: str = ""
    context_line: str = ""


@dataclass(frozen=True)
class Figures:
    """Beside the chart, and in the row below it."""

    beside: list[Figure]
    below: list[Figure]


def figures(request: HttpRequest, question: Question, found: Inspection) -> Figures:
    """Every figure of the summary, in the page's order."""
    make = _Maker(request, question, found.summary)
    return Figures(
        beside=[
            make.won(),
            make.not_won(),
            make.with_won("commit", "Commit, with won"),
            make.with_won("most_likely", "Most likely, with won"),
            make.with_won("best_case", "Best case, with won"),
            make.open(),
        ],
        below=[
            make.coverage("remaining", "Coverage, remaining", "of quota less won"),
            make.coverage("of_quota", "Coverage of quota", "of the whole quota"),
            make.gap(),
            make.scored(
                "At risk",
                "risk",
                (found.summary.risk_before, found.summary.risk),
                term="at_risk",
                good="down",
            ),
            make.scored(
                "Upside",
                "upside",
                (found.summary.upside_before, found.summary.upside),
                term="upside",
                good="up",
            ),
            make.overdue(),
            make.hygiene(),
        ],
    )


@dataclass(frozen=True)
class _Maker:
    request: HttpRequest
    question: Question
    summary: Summary

    def _deals(self, **conditions: str) -> str:
        """The list of the deals that a sum counts, as of the same instant."""
        question = self.question
        asked = {"period": question.period.key, "scope": question.counted_scope, **conditions}
        if question.is_past:
            asked["as_of"] = question.as_of.isoformat()
            asked["org_chart"] = question.org_chart
            asked["knowledge"] = str(question.frame["knowledge"])
        if question.currency != question.organization.currency:
            asked["currency"] = question.currency
        return f"{reverse('deals', args=[question.organization.slug])}?{urlencode(asked)}"

    def _tab(self, tab: str) -> str:
        return href_with(self.request.path, self.request.GET, tab=tab, page=None) + "#deals"

    def _money(
        self, label: str, amount_minor: int, *, href: str, term: str, change: int | None, **more: Any
    ) -> Figure:
        currency = self.question.currency
        good = more.pop("good", "up")
        return Figure(
            label=label,
            value=fmt.money_short(amount_minor, currency=currency),
            title=fmt.money_exact(amount_minor, currency=currency),
            href=href,
            term=term,
            delta=delta_money(change, currency, good=good) if change else "",
            **more,
        )

    def won(self) -> Figure:
        now, quota = self.summary.now, self.summary.quota_minor
        share = f"{fmt.percent(now.won_minor / quota)} of quota" if quota else ""
        return self._money(
            "Won so far",
            now.won_minor,
            href=self._deals(column="closed"),
            term="won_so_far",
            change=now.won_minor - self.summary.before.won_minor,
            context_line=share or fmt.plural(now.won_count, "deal"),
        )

    def not_won(self) -> Figure:
        now, before = self.summary.now, self.summary.before
        return self._money(
            "Not won",
            now.not_won_minor,
            href=self._deals(state="not_won"),
            term="not_won",
            change=now.not_won_minor - before.not_won_minor,
            good="down",
            context_line=fmt.plural(now.not_won_count, "deal"),
        )

    def with_won(self, category: str, label: str) -> Figure:
        amount_minor = cumulative(self.summary.now, category)
        return self._money(
            label,
            amount_minor,
            href=self._deals(column=f"{category}_cumulative"),
            term=f"{category}_with_won",
            change=amount_minor - cumulative(self.summary.before, category),
            context_line=self._beside_quota(amount_minor),
        )

    def _beside_quota(self, amount_minor: int) -> str:
        quota = self.summary.quota_minor
        if quota is None:
            return ""
        missing = fmt.money_short(abs(quota - amount_minor), currency=self.question.currency)
        return f"{missing} {'below' if amount_minor < quota else 'above'} quota"

    def open(self) -> Figure:
        now, before = self.summary.now, self.summary.before
        return self._money(
            "Open pipeline",
            now.open_minor,
            href=self._tab("all"),
            term="open_pipeline",
            change=now.open_minor - before.open_minor,
            context_line=fmt.plural(now.open_count, "deal"),
        )

    def coverage(self, part: str, label: str, context_line: str) -> Figure:
        now = _ratio(self.summary.coverage, part)
        before = _ratio(self.summary.coverage_before, part)
        change = float(now - before) if now is not None and before is not None else None
        return Figure(
            label=label,
            value=coverage_text(self.summary.coverage, part),
            href=self._tab("all"),
            term="coverage_remaining" if part == "remaining" else "coverage_of_quota",
            delta=delta_number(change, decimals=2) if change else "",
            context_line=NO_QUOTA if self.summary.quota_minor is None else context_line,
        )

    def gap(self) -> Figure:
        gap_minor = self.summary.gap_minor
        href = self._deals(column="closed")
        if gap_minor is None:
            return Figure("Gap", "no quota", href, "gap", context_line=NO_QUOTA)
        exceeded = gap_minor < 0
        return self._money(
            "Over quota" if exceeded else "Gap",
            abs(gap_minor),
            href=href,
            term="gap",
            change=(self.summary.now.won_minor - self.summary.before.won_minor) * (1 if exceeded else -1),
            good="up" if exceeded else "down",
            context_line="quota less won" if not exceeded else "won less quota",
        )

    def scored(
        self, label: str, tab: str, parts: tuple[Part | None, Part], *, term: str, good: str
    ) -> Figure:
        """At risk and upside, before and now: a past day has only what dates say, and no change where none was kept."""
        before, part = parts
        count = fmt.plural(part.count, "deal")
        note = f"{count}, {OF_TODAY}" if before is None else count
        return self._money(
            label,
            part.minor,
            href=self._tab(tab),
            term=term,
            change=None if before is None else part.minor - before.minor,
            good=good,
            context_line="scores are of today only" if self.question.is_past else note,
        )

    def overdue(self) -> Figure:
        now, before = self.summary.now, self.summary.before
        return self._money(
            "Overdue",
            now.overdue_minor,
            href=self._tab("overdue"),
            term="overdue",
            change=now.overdue_minor - before.overdue_minor,
            good="down",
            context_line=fmt.plural(now.overdue_count, "deal"),
        )

    def hygiene(self) -> Figure:
        now, before = self.summary.hygiene, self.summary.hygiene_before
        change = None if now is None or before is None else float(now - before)
        return Figure(
            label="Hygiene",
            value="–" if now is None else fmt.percent(float(now)),
            href=self._tab("gaps"),
            term="hygiene",
            delta=delta_points(change) if change else "",
            context_line=f"{fmt.plural(self.summary.now.gaps_count, 'deal')} with gaps",
        )


def _ratio(found: Coverage, part: str) -> Fraction | None:
    return found.remaining if part == "remaining" else found.of_quota


def coverage_text(found: Coverage, part: str) -> str:
    ratio = _ratio(found, part)
    if ratio is None:
        return "met" if found.state is State.MET else "no quota"
    return fmt.times(float(ratio))
