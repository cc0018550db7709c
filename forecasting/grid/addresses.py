"""Where the grid's numbers and rows lead: deals behind, the cell's page, and the same page with a row opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from forecasting.grid.report import Asked, GridReport
from forecasting.types.queries import ALL
from otc.question import Question
from otc.tenancy.lines import UNASSIGNED
from otc.ui.controls import query_pairs

OPENINGS = ("open", "shut", "more", "deals")


@dataclass(frozen=True, slots=True)
class Addresses:
    """All addresses of one page. `frame` is the question as an address, so that what lies behind a number is of the
    same instant; `kept` what else was asked of the grid.
    """

    forecast: str
    deals_list: str
    frame: str
    kept: str
    whole_query: str
    without_scope: str
    past: str
    type_slug: str = ""

    def deals(self, scope: str, column: str) -> str:
        return f"{self.deals_list}?{self.frame}&scope={scope}&column={column}{self._typed('forecast_type')}"

    def deal(self, deal_id: UUID) -> str:
        return f"{self.deals_list}{deal_id}/{self.past}"

    def cell(self, person_id: UUID, column: str) -> str:
        return f"{self.forecast}cell/{person_id}/?{self.frame}&column={column}{self._typed('type')}"

    def adjust(self, person_id: UUID) -> str:
        """The editor in place, which knows what of the grid stands open."""
        return f"{self.forecast}cell/{person_id}/adjust/?{self.whole_query}"

    def scope(self, scope: UUID | str) -> str:
        return f"{self.forecast}?{self.without_scope}scope={scope}"

    def toggled(self, person_id: UUID, grid: GridReport) -> str:
        """The same page with a branch opened, or closed."""
        asked, by_default = grid.asked, grid.opened_by_default
        opened, shut = set(asked.opened), set(asked.shut)
        if person_id in grid.opened:
            opened.discard(person_id)
            shut.update({person_id} & by_default)
        else:
            shut.discard(person_id)
            opened.update({person_id} - by_default)
        return self._page(Asked(frozenset(opened), frozenset(shut), asked.whole, asked.with_deals))

    def deals_toggled(self, person_id: UUID | None, grid: GridReport) -> str:
        asked = grid.asked
        return self._page(Asked(asked.opened, asked.shut, asked.whole, asked.with_deals ^ {person_id}))

    def whole(self, manager: UUID | None, grid: GridReport) -> str:
        asked = grid.asked
        return self._page(Asked(asked.opened, asked.shut, asked.whole | {manager}, asked.with_deals))

    def _typed(self, name: str) -> str:
        return f"&{urlencode({name: self.type_slug})}" if self.type_slug else ""

    def _page(self, asked: Asked) -> str:
        openings = openings_of(asked)
        query = "&".join(part for part in (self.kept, openings) if part)
        return f"{self.forecast}?{query}" if query else self.forecast


def openings_of(asked: Asked) -> str:
    """The open rows as an address says them."""
    given = {
        "open": joined(asked.opened),
        "shut": joined(asked.shut),
        "more": joined(asked.whole, nobody="tops"),
        "deals": joined(asked.with_deals, nobody=UNASSIGNED),
    }
    return "&".join(f"{name}={ids}" for name, ids in given.items() if ids)


def joined(ids: Iterable[UUID | None], *, nobody: str = "") -> str:
    return ",".join(sorted(nobody if one is None else str(one) for one in ids))


def addresses(question: Question, query: Mapping[str, Any]) -> Addresses:
    slug = question.organization.slug
    pairs = [(name, value) for name, value in query_pairs(query) if name not in OPENINGS]
    rest = urlencode([(name, value) for name, value in pairs if name != "scope"])
    return Addresses(
        forecast=reverse("forecast", args=[slug]),
        deals_list=reverse("deals", args=[slug]),
        frame=frame_query(question).urlencode(),
        kept=urlencode(pairs),
        whole_query=urlencode(query_pairs(query)),
        without_scope=f"{rest}&" if rest else "",
        past=f"?{urlencode({'as_of': question.as_of.isoformat()})}" if question.is_past else "",
        type_slug="" if query.get("type", "") == ALL else str(query.get("type", "")),
    )


def frame_query(question: Question) -> QueryDict:
    """The question as an address, so that the deals behind a number are those of the same instant."""
    query = QueryDict(mutable=True)
    query["period"] = question.period.key
    if question.is_past:
        query["as_of"] = question.as_of.isoformat()
    if question.frame["knowledge"] == "now":
        query["knowledge"] = "now"
    if question.org_chart == "now":
        query["org_chart"] = "now"
    if question.currency != question.organization.currency:
        query["currency"] = question.currency
    return query
