"""The demo's leads: who became a deal, who went back with a reason, who waits. Drawn from a stream of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from otc.demo.accounts import account_name, build_contacts
from otc.demo.company import DemoCompany
from otc.demo.draw import Weighted, between, stream
from otc.demo.ids import demo_id
from otc.demo.market import REGULAR_SOURCES
from otc.tenancy.services import fold
from pipeline.accounts.models import Contact
from pipeline.leads.models import Lead, LeadCheck, LeadMark, LeadState, ReturnReason
from pipeline.opportunities.models import Opportunity

LEADS_SALT = 11_000_000_027
LOOKED_BACK = timedelta(days=365)
MOST_DEALS = 600
FROM_A_LEAD, RETURNED_PER_CONVERTED, WAITING_PER_TERRITORY = 0.4, 1.3, 2
QUALIFIED_DAYS, DECIDED_DAYS, WAITING_DAYS = (2, 21), (1, 30), (0, 12)
SOURCE = Weighted(REGULAR_SOURCES)
REASON = Weighted(
    (
        ("no_need", 26),
        ("not_reached", 24),
        ("no_fit", 20),
        ("too_early", 16),
        ("no_budget", 10),
        ("double", 4),
    )
)
CAMPAIGNS = {
    "Inbound": ("Downtime calculator", "Maintenance handbook"),
    "Event": ("Spring fair", "Autumn fair", "Plant tour"),
    "Outbound": ("Installed base of rivals",),
}
WANTS = ("Energy metering", "Predictive upkeep", "Shift planning", "Batch records", "Depot telemetry")
CHECKS = (
    ("Has a problem that we solve", 3),
    ("Somebody there wants it gone this year", 3),
    ("A budget or a way to one", 2),
    ("We know who decides", 2),
    ("Of the size that we serve", 1),
)
# How likely each question holds, for who became a deal and for everybody else.
HOLDS = {LeadState.CONVERTED: 0.85, LeadState.OPEN: 0.45, LeadState.RETURNED: 0.3}


@dataclass(frozen=True)
class LeadWriter:
    """Writes the leads of one company, whose deals are written. `day` is the instant at which today began."""

    company: DemoCompany
    people: Mapping[str, str]
    day: datetime

    def write(self) -> int:
        rng = Random(stream(self.company.seed, salt=LEADS_SALT))
        checks = LeadCheck.objects.bulk_create(
            LeadCheck(id=self.id_of("check", text, at=self.day), text=text, points=points, position=place)
            for place, (text, points) in enumerate(CHECKS, start=1)
        )
        leads = list(self.converted(rng))
        leads += self.returned(rng, count=round(len(leads) * RETURNED_PER_CONVERTED))
        leads += self.waiting(rng)
        Lead.objects.bulk_create(leads, batch_size=500)
        LeadMark.objects.bulk_create(self.marks(rng, leads, checks), batch_size=1000)
        return len(leads)

    def converted(self, rng: Random) -> Iterator[Lead]:
        """Some of last year's deals began as a lead, of the same source."""
        deals = Opportunity.objects.filter(created_at__gte=self.day - LOOKED_BACK, account__isnull=False)
        found = list(deals.select_related("account").order_by("external_id")[:MOST_DEALS])
        contacts = self.first_contacts({deal.account_id for deal in found})
        for deal in found:
            is_one, days = rng.random() < FROM_A_LEAD, between(rng, QUALIFIED_DAYS)
            source, campaign = deal.source, self.campaign(rng, deal.source)
            contact = contacts.get(deal.account_id)
            if not is_one or contact is None or deal.owner_id is None:
                continue
            yield self.lead(
                f"of {deal.external_id}",
                at=deal.created_at - timedelta(days=days),
                name=deal.name,
                company=deal.account.name,
                contact_name=contact.name,
                email=contact.email,
                source=source,
                campaign=campaign,
                owner_id=deal.owner_id,
                state=LeadState.CONVERTED,
                decided_at=deal.created_at,
                decided_by_id=deal.owner_id,
                account_id=deal.account_id,
                contact_id=contact.id,
                opportunity_id=deal.id,
            )

    def first_contacts(self, accounts: set[UUID]) -> dict[UUID, Contact]:
        rows = Contact.objects.filter(account_id__in=accounts).order_by("-external_id")
        return {contact.account_id: contact for contact in rows}

    def returned(self, rng: Random, *, count: int) -> Iterator[Lead]:
        for number in range(count):
            at = self.day - timedelta(minutes=between(rng, (60 * 24, LOOKED_BACK.days * 24 * 60)))
            decided = min(at + timedelta(days=between(rng, DECIDED_DAYS)), self.day - timedelta(hours=1))
            stranger = self.stranger(rng, f"returned {number}")
            yield self.lead(
                f"returned {number}",
                at=at,
                **stranger,
                state=LeadState.RETURNED,
                return_reason=ReturnReason(REASON.draw(rng)),
                decided_at=decided,
                decided_by_id=stranger["owner_id"],
            )

    def waiting(self, rng: Random) -> Iterator[Lead]:
        for number in range(WAITING_PER_TERRITORY * len(self.company.slots)):
            at = self.day - timedelta(minutes=between(rng, (30, WAITING_DAYS[1] * 24 * 60)))
            stranger = self.stranger(rng, f"waiting {number}")
            if number % 5 == 4:
                stranger["owner_id"] = None
            yield self.lead(f"waiting {number}", at=at, **stranger)

    def stranger(self, rng: Random, key: str) -> dict[str, Any]:
        """Somebody whom nobody knew before, in a territory that somebody works today."""
        slot = self.company.slots[int(rng.random() * len(self.company.slots))]
        company, _ = account_name(slot, round_number=10_000, rng=rng)
        contact = build_contacts(key, account=company, rng=rng)[0]
        source = SOURCE.draw(rng)
        owner = slot.owner_on(self.company.workdays.today)
        return {
            "name": f"{company}: {WANTS[int(rng.random() * len(WANTS))]}",
            "company": company,
            "contact_name": contact.name,
            "email": contact.email,
            "source": source,
            "campaign": self.campaign(rng, source),
            "owner_id": self.people[owner] if owner else None,
        }

    def campaign(self, rng: Random, source: str) -> str:
        drawn, known = rng.random(), CAMPAIGNS.get(source, ())
        return known[int(drawn * len(known) / 0.7)] if known and drawn < 0.7 else ""

    def lead(self, key: str, *, at: datetime, name: str, **fields: Any) -> Lead:
        folded = fold(name)
        return Lead(id=self.id_of("lead", key, at=at), name=name, name_folded=folded, created_at=at, **fields)

    def marks(self, rng: Random, leads: list[Lead], checks: list[LeadCheck]) -> Iterator[LeadMark]:
        for lead in leads:
            at = lead.decided_at or min(lead.created_at + timedelta(hours=2), self.day)
            for check in checks:
                if rng.random() < HOLDS[LeadState(lead.state)]:
                    key = f"{lead.id}:{check.position}"
                    yield LeadMark(
                        id=self.id_of("mark", key, at=at),
                        lead=lead,
                        check_asked=check,
                        marked_at=at,
                        marked_by_id=lead.owner_id,
                    )

    def id_of(self, kind: str, key: str, *, at: datetime) -> UUID:
        return demo_id(self.company.seed, kind=f"lead {kind}", key=key, at=at)
