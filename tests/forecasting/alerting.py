"""A rule, a large deal, and what does and only nearly does what a rule waits for."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from forecasting.alerts.firing import deal_alerts
from forecasting.alerts.models import AlertRule
from forecasting.alerts.services import Author, Wanted, rule_create
from otc.calendar.rules import following, period_of
from otc.notices.models import Notice
from otc.tenancy.lines import ALL_OWNERS
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason
from tests.conftest import House
from tests.days import day_in_house

TODAY = day_in_house()
QUARTER = period_of(TODAY)
NEXT = following(QUARTER)
MILLION = 1_000_000_00


def rule(house: House, kind: str, *, by: str = "eve", **more: Any) -> AlertRule:
    """A rule of the organization that tells max, unless it says otherwise."""
    person = house.people[by]
    given: dict[str, Any] = {
        "name": kind,
        "kind": kind,
        "is_own": False,
        "person_ids": (house.max.id,),
        **more,
    }
    return rule_create(Wanted(**given), author=Author(person, ALL_OWNERS, manages=True), now=timezone.now())


def look(deal: Opportunity) -> int:
    return deal_alerts(deal.id, now=timezone.now())


def told(house: House, name: str = "max") -> list[str]:
    notices = Notice.objects.filter(person_id=house.people[name].id, kind="alert")
    return list(notices.order_by("created_at").values_list("text", flat=True))


def big(make_deal: Any, house: House, **more: Any) -> Opportunity:
    given = {"amount_minor": MILLION, "close_date": QUARTER.last, "category": "commit", **more}
    deal = make_deal("Kestrel", owner=house.ana, **{k: v for k, v in given.items() if k != "category"})
    opportunity_edit(deal.id, changes={"category": given["category"]})
    return deal


def close(deal: Opportunity, outcome: str) -> None:
    reason = CloseReason.objects.get(name="Price")
    opportunity_close(deal.id, outcome=outcome, reason_id=reason.id, now=timezone.now(), today=TODAY)


EVENTS: dict[str, Any] = {
    "pushed_out": lambda deal: opportunity_edit(deal.id, changes={"close_date": NEXT.first}),
    "fell": lambda deal: opportunity_edit(deal.id, changes={"amount_minor": MILLION * 7 // 10}),
    "left_commit": lambda deal: opportunity_edit(deal.id, changes={"category": "best_case"}),
    "lost": lambda deal: close(deal, "lost"),
    "won": lambda deal: close(deal, "won"),
}
# What looks like it and isn't.
NEARLY: dict[str, Any] = {
    "pushed_out": lambda deal: opportunity_edit(deal.id, changes={"close_date": QUARTER.last - timedelta(1)}),
    "fell": lambda deal: opportunity_edit(deal.id, changes={"amount_minor": MILLION * 71 // 100}),
    "left_commit": lambda deal: close(deal, "won"),
    "lost": lambda deal: close(deal, "won"),
    "won": lambda deal: close(deal, "no_decision"),
}
ASKED = {"fell": {"percent": 30}}
