"""A deal's close plan with one link, for the tests of both of its sides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from pipeline.accounts.services import account_create
from pipeline.closeplan.links import hash_of
from pipeline.closeplan.models import ClosePlanLink
from pipeline.closeplan.services import link_make
from pipeline.opportunities.deal import deal_report
from pipeline.opportunities.models import OpportunityMilestone
from pipeline.opportunities.services import (
    opportunity_create,
)
from pipeline.process.models import Milestone, Side, Stage
from tests.conftest import House
from tests.days import day_in_house

SignIn = Callable[[Person], Client]
HOSTILE = "<script>alert(1)</script> ‏שלום مرحبا 🚂 {{ 7|add:7 }}"


class Share:
    """A deal of ana's with one link, and the browser of whoever has it: no sign-in, cookies refused."""

    def __init__(self, house: House) -> None:
        self.house = house
        with use(house.organization.id, person_id=house.ana.id, channel="ui"):
            account = account_create(name="Kestrel Rail")
            self.deal = opportunity_create(
                name="Kestrel: squeeze them to 30 %",
                account_id=account.id,
                owner_id=house.ana.id,
                amount_minor=386_000_00,
                next_step="Bluff about the discount",
                next_step_on=day_in_house(),
                now=timezone.now(),
            ).opportunity
            stage = Stage.objects.get(id=self.deal.stage_id)
            position = 90
            self.ours, self.theirs, self.other = (
                Milestone(stage=stage, name=name, side=side, position=position + number, due_days=days)
                for number, (name, side, days) in enumerate(
                    (
                        ("Penetration test", Side.SELLER, 3),
                        ("Budget approved", Side.BUYER, 5),
                        ("Legal signs", "buyer", 9),
                    )
                )
            )
            for one in (self.ours, self.theirs, self.other):
                one.save()
        self.token = self.link()
        self.browser = Client(enforce_csrf_checks=True)

    def inside(self) -> Any:
        return use(self.house.organization.id, person_id=self.house.ana.id, channel="ui")

    def link(self, recipient: str = "Lena Vogt", days: int = 9) -> str:
        with self.inside():
            ends = timezone.now() + timedelta(days=days)
            return link_make(self.deal.id, recipient=recipient, expires_at=ends, now=timezone.now()).token

    @property
    def row(self) -> ClosePlanLink:
        return ClosePlanLink.objects.get(token_hash=hash_of(self.token))

    def get(self, token: str = "") -> Any:
        return self.browser.get(f"/plan/{token or self.token}/")

    def tick(self, milestone: Milestone | UUID, state: str = "met", token: str = "") -> Any:
        milestone_id = milestone.id if isinstance(milestone, Milestone) else milestone
        data = {"milestone": str(milestone_id), "state": state}
        return self.browser.post(f"/plan/{token or self.token}/tick/", data)

    def say(self, text: str, about: str = "") -> Any:
        return self.browser.post(f"/plan/{self.token}/comment/", {"text": text, "about": about})

    def marks(self) -> dict[UUID, OpportunityMilestone]:
        with self.inside():
            return {mark.milestone_id: mark for mark in OpportunityMilestone.objects.all()}

    def told(self) -> list[tuple[str, str]]:
        """What the deal's timeline says of the plan: titles and notes."""
        tenant = Tenant(self.house.organization, self.house.ana, timezone.now())
        with self.inside():
            report = deal_report(ask(tenant, {}), self.deal.id, since=timezone.now(), shown=99)
        assert report is not None
        return [(entry.title, entry.note) for entry in report.timeline.entries if "close plan" in entry.note]
