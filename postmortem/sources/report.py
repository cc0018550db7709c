"""What became of leads, by where they came from: the loop that marketing learns from.

Leads that came in a window, as a cohort: how many became deals, and how those ended. Win rates are win/loss's own.
"""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q, Sum

from otc.calendar.rules import Period
from otc.question import BadQuestion, Question
from pipeline.leads.models import Lead, LeadState
from pipeline.leads.report import visible_leads
from pipeline.opportunities.asked import UNCONVERTIBLE
from pipeline.opportunities.queries import deals_of
from postmortem.winloss.rules import Closed, Row, row

NONE_CLOSED = Closed()
GROUPS = {"source": ("source",), "campaign": ("campaign",), "both": ("source", "campaign")}


@dataclass(frozen=True)
class SourceRow:
    """Leads of one source or campaign. `open_deals` are open; `unseen` became a deal that is deleted or not visible.

    leads = waiting + returned + converted; converted = won + lost + no decision + open_deals + unseen.
    """

    source: str
    campaign: str
    leads: int = 0
    waiting: int = 0
    returned: int = 0
    converted: int = 0
    open_deals: int = 0
    open_minor: int = 0
    unconvertible: int = 0
    closed: Closed = NONE_CLOSED

    @property
    def unseen(self) -> int:
        return self.converted - self.open_deals - self.closed.count

    @property
    def rates(self) -> Row:
        """Win rates and interval, as win/loss counts them."""
        key: Hashable = (self.source, self.campaign)
        return row(key, closed=self.closed, cycle_days=None)

    def __add__(self, other: "SourceRow") -> "SourceRow":
        counts = ("leads", "waiting", "returned", "converted", "open_deals", "open_minor", "unconvertible")
        sums = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return replace(self, closed=self.closed + other.closed, **sums)


@dataclass(frozen=True)
class SourcesReport:
    """Rows by money won, then by leads; `total` is their sum. `period` None: all time."""

    group_by: str
    period: Period | None
    rows: tuple[SourceRow, ...]
    total: SourceRow


def sources_report(
    question: Question, *, group_by: str = "source", period: Period | None = None
) -> SourcesReport:
    """Leads that came in the period (None: ever) and whose owners one may see. Two queries. Raises BadQuestion."""
    if group_by not in GROUPS:
        raise BadQuestion("group_by", f"“{group_by}” is none of: {', '.join(GROUPS)}")
    columns = GROUPS[group_by]
    leads = visible_leads(question.visible)
    if period is not None:
        leads = leads.filter(
            created_at__gte=question.start_of(period.first), created_at__lt=question.start_of(period.end)
        )
    found: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group in leads.values(*columns, "state").annotate(n=Count("id")).order_by(*columns):
        found[tuple(group[name] for name in columns)][group["state"]] += group["n"]
    ends = _ends(leads, columns, question)
    rows = [_row(columns, key, states, ends.get(key, {})) for key, states in found.items()]
    rows.sort(key=lambda one: (-one.closed.won_minor, -one.closed.won, -one.leads, one.source, one.campaign))
    return SourcesReport(group_by, period, tuple(rows), sum(rows, SourceRow("", "")))


def _ends(leads: Any, columns: tuple[str, ...], question: Question) -> dict[tuple[str, ...], dict[str, Any]]:
    """How the deals of these leads stand, by source or campaign and outcome."""
    names = [f"leads__{name}" for name in columns]
    deals = deals_of(question).filter(
        id__in=Lead.objects.filter(id__in=leads.values("id"), opportunity__isnull=False).values(
            "opportunity_id"
        )
    )
    groups = (
        deals.filter(leads__state=LeadState.CONVERTED)
        .values(*names, "outcome")
        .annotate(
            n=Count("id"), minor=Sum("corporate_minor"), unconvertible=Count("id", filter=Q(UNCONVERTIBLE))
        )
        .order_by(*names)
    )
    ends: dict[tuple[str, ...], dict[str, Any]] = defaultdict(dict)
    for group in groups:
        ends[tuple(group[name] for name in names)][group["outcome"] or "open"] = group
    return ends


def _row(
    columns: tuple[str, ...], key: tuple[str, ...], states: dict[str, int], ends: dict[str, Any]
) -> SourceRow:
    named = dict(zip(columns, key, strict=True))

    def count(outcome: str) -> int:
        return int(ends[outcome]["n"]) if outcome in ends else 0

    def minor(outcome: str) -> int:
        return int(ends[outcome]["minor"] or 0) if outcome in ends else 0

    outcomes = ("won", "lost", "no_decision")
    return SourceRow(
        source=named.get("source", ""),
        campaign=named.get("campaign", ""),
        leads=sum(states.values()),
        waiting=states.get(LeadState.OPEN, 0),
        returned=states.get(LeadState.RETURNED, 0),
        converted=states.get(LeadState.CONVERTED, 0),
        open_deals=count("open"),
        open_minor=minor("open"),
        unconvertible=sum(int(end["unconvertible"]) for end in ends.values()),
        closed=Closed(*(count(one) for one in outcomes), *(minor(one) for one in outcomes)),
    )
