"""What waits on people's desks this morning: a question for the manager, a plan that a buyer shares, two accounts that
are one, accounts worth a call; and by what the house measures whether a deal fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.fields.models import CustomField
from otc.fields.services import field_create
from otc.notices.kinds import APPROVAL_ASKED, CLOSE_PLAN, MENTION
from otc.notices.models import Notice
from otc.tenancy.models import FOREVER, Person, ReportingLine, Role
from otc.tenancy.services import fold
from otc.ui import format as fmt
from pipeline.accounts.models import Account, Contact
from pipeline.approvals.models import ApprovalRequest
from pipeline.closeplan.links import hash_of, new_token
from pipeline.closeplan.models import ClosePlan, ClosePlanEvent, ClosePlanLink, PlanAct
from pipeline.comments.models import DealComment
from pipeline.fit.models import Scorecard
from pipeline.fit.rules import AT_LEAST, ONE_OF, Criterion, document_of
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.plans.models import AccountPlan, PlannedTouch, PlanPerson
from pipeline.process.models import Milestone, Side, Stage
from postmortem.demo.copying import copy_rows
from postmortem.demo.sign_ins import shown_person

INDUSTRY = Criterion(
    "Heavy industry", "account.industry", ONE_OF, 4, values=("Metals", "Transport", "Energy", "Chemicals")
)
SIZE = Criterion("Large enough", "account.field.employees", AT_LEAST, 3, low=Decimal(500))
KIND = Criterion("They know us", "deal.kind", ONE_OF, 2, values=("Expansion", "Renewal"))
SOURCE = Criterion("Came to us", "deal.source", ONE_OF, 1, values=("Inbound", "Referral", "Partner"))
# Days before this morning, and what was asked for from then on.
SCORECARDS = ((520, (INDUSTRY, SIZE)), (140, (INDUSTRY, SIZE, KIND, SOURCE)))
LEGAL_FORMS = {
    "Norway": "AS",
    "United Kingdom": "Ltd",
    "Germany": "GmbH",
    "Netherlands": "BV",
    "Italy": "SpA",
    "United States": "Inc",
}
PLANNED_ACCOUNTS = 30
GOALS = (
    "A second site next year; be asked before the budget is written.",
    "Back in the talk after what they bought has run for a year.",
    "From one team to the whole group: find who owns the budget there.",
)
TOUCHES = ("Ask how the first year went", "Send the results of their neighbours", "Meet for lunch on site")
WHY = ("Signs the budget", "Knows everybody on site", "Asked for us last time")
TOLD_DAYS, SEEN_DAYS = 14, 2
BUYER_SAID = "Legal has it since Monday. We expect it back by the end of the week."
WE_SAID = "Thank you. I keep Thursday at ten free, should they have questions."
NOTICE_COLUMNS = ("id", "person_id", "kind", "text", "path", "deal_id", "in_digest", "created_at", "seen_at")
LINK_LIFE = timedelta(days=45)


@dataclass(frozen=True)
class SharedLink:
    """A buyer's link with its token, which is kept nowhere."""

    organization: str
    account: str
    recipient: str
    token: str


class DeskWriter:
    """Writes for one company, whose deals are written. `day` is the instant at which today began."""

    def __init__(self, company: DemoCompany, people: dict[str, str], *, day: datetime) -> None:
        self.company, self.people, self.day = company, people, day
        self.last, self.before = self.workday(ago=1), self.workday(ago=2)
        self.rep = shown_person(Role.REP)
        self.notices: list[tuple[Any, ...]] = []

    def write(self) -> SharedLink | None:
        """Write all of it; returns the buyer's link, where there is a deal to share a plan of."""
        self.scorecards()
        self.told_of_mentions()
        asked = self.approval()
        self.twin()
        self.account_plans()
        link = self.close_plan(but=asked)
        copy_rows(Notice, columns=NOTICE_COLUMNS, rows=self.notices)
        return link

    # -- fit

    def scorecards(self) -> None:
        if not CustomField.objects.filter(object="account", key="employees").exists():
            field_create(object="account", label="Employees", kind="number", attribute="employees")
            field_create(object="account", label="City", kind="text", attribute="city")
        made_by = Person.objects.filter(role=Role.ADMINISTRATOR).order_by("external_id").first()
        Scorecard.objects.bulk_create(
            Scorecard(
                id=self.id_of("scorecard", str(number), at=self.day - timedelta(days=days)),
                number=number,
                criteria=[document_of(criterion) for criterion in criteria],
                made_by=made_by,
                made_at=self.day - timedelta(days=days) + timedelta(hours=10),
            )
            for number, (days, criteria) in enumerate(SCORECARDS, start=1)
        )

    # -- the bell

    def told_of_mentions(self) -> None:
        """Who was mentioned in the last days reads it below the bell; what is older was seen."""
        recent = DealComment.objects.filter(created_at__gte=self.day - timedelta(days=TOLD_DAYS))
        for comment in recent.exclude(mentions=[]).select_related("author", "opportunity").order_by("id"):
            self.notify(
                [UUID(person) for _, _, person in comment.mentions],
                f"{comment.author.name} mentioned you on {comment.opportunity.name}",
                kind=MENTION,
                path=f"deals/{comment.opportunity_id}/#comment-{comment.id}",
                deal_id=comment.opportunity_id,
                at=comment.created_at,
            )

    def notify(
        self, person_ids: list[UUID | None], text: str, *, kind: str, path: str, deal_id: UUID, at: datetime
    ) -> None:
        seen = at + timedelta(hours=3) if at < self.day - timedelta(days=SEEN_DAYS) else None
        for person_id in person_ids:
            notice_id = self.id_of("notice", f"{path}:{person_id}", at=at)
            self.notices.append((notice_id, person_id, kind, text[:300], path, deal_id, "t", at, seen))

    # -- a question for the manager

    def approval(self) -> UUID | None:
        """The largest deal of the shown rep, else of anybody, that waits for the manager's word only."""
        last = Stage.objects.filter(approval_above_minor__isnull=False).order_by("position").first()
        if last is None:
            return None
        before = Stage.objects.filter(process_id=last.process_id, position=last.position - 1).first()
        waiting = Opportunity.objects.filter(
            outcome=None,
            stage=before,
            currency=self.company.plan.currency,
            amount_minor__gt=last.approval_above_minor,
            owner__role=Role.REP,
        )
        deal = self.first_of(waiting)
        if deal is None:
            return None
        line = ReportingLine.objects.filter(person_id=deal.owner_id, valid_to=FOREVER).first()
        if line is None or line.manager_id is None:
            return None
        at = max(self.last_change(deal) + timedelta(minutes=30), self.last + timedelta(hours=6))
        self.meet_required(deal, until=last.position, at=at - timedelta(minutes=20))
        request = ApprovalRequest.objects.create(
            id=self.id_of("approval", str(deal.external_id), at=at),
            opportunity=deal,
            stage=last,
            from_stage_id=deal.stage_id,
            asked_by_id=deal.owner_id,
            asked_of_id=line.manager_id,
            amount_minor=deal.amount_minor,
            currency=deal.currency,
            changes={"stage_id": str(last.id)},
            note="Signing date is agreed with their CFO; the discount is within what we said on Friday.",
            asked_at=at,
        )
        amount = f"{fmt.money_full(deal.amount_minor, currency=deal.currency)} {deal.currency}"
        self.notify(
            [line.manager_id],
            f"{deal.name} ({amount}) waits for your approval to enter {last.name}",
            kind=APPROVAL_ASKED,
            path=f"approvals/{request.id}/",
            deal_id=deal.id,
            at=at,
        )
        found: UUID = deal.id
        return found

    def meet_required(self, deal: Opportunity, *, until: int, at: datetime) -> None:
        """Mark what the stages before the one at `until` ask for and the deal lacks."""
        asked = Milestone.objects.filter(
            stage__process_id=deal.process_id, stage__position__lt=until, is_required=True
        )
        met = OpportunityMilestone.objects.filter(opportunity=deal).values("milestone_id")
        OpportunityMilestone.objects.bulk_create(
            OpportunityMilestone(
                id=self.id_of("required", f"{deal.external_id}:{milestone.id}", at=at),
                opportunity=deal,
                milestone=milestone,
                met_at=at,
                marked_by_id=deal.owner_id,
            )
            for milestone in asked.exclude(id__in=met).order_by("stage__position", "position")
        )

    # -- what a buyer sees

    def close_plan(self, *, but: UUID | None) -> SharedLink | None:
        """A plan of a deal on which the buyer ticked a step and said something; the link is new every time."""
        shared = Opportunity.objects.filter(
            outcome=None, stage__position__gte=4, created_at__lt=self.day - timedelta(days=21)
        ).exclude(id=but)
        deal = self.first_of(shared.filter(owner__role=Role.REP, amount_minor__isnull=False))
        if deal is None or deal.account is None:
            return None
        contact = Contact.objects.filter(account_id=deal.account_id).order_by("external_id").first()
        if contact is None:
            return None
        ours = Milestone.objects.filter(stage__process_id=deal.process_id, side=Side.SELLER, retired_at=None)
        token, made_at = new_token(), self.workday(ago=5) + timedelta(hours=1)
        ClosePlan.objects.create(
            id=self.id_of("plan", str(deal.external_id), at=made_at),
            opportunity=deal,
            title=f"{deal.account.name} and {self.company.plan.name}",
            person_ids=[str(deal.owner_id)],
            milestone_ids=[str(one.id) for one in ours.filter(stage__position__gte=4)],
        )
        link = ClosePlanLink.objects.create(
            id=self.id_of("link", str(deal.external_id), at=made_at),
            opportunity=deal,
            recipient=contact.name,
            token_hash=hash_of(token),
            made_by_id=deal.owner_id,
            made_at=made_at,
            expires_at=self.day + LINK_LIFE,
            last_opened_at=self.last + timedelta(hours=2),
        )
        self.buyer_acts(deal, link)
        return SharedLink(self.company.plan.name, deal.account.name, contact.name, token)

    def buyer_acts(self, deal: Opportunity, link: ClosePlanLink) -> None:
        ticked_at, said_at = self.before + timedelta(hours=3), self.last + timedelta(hours=1)
        met = OpportunityMilestone.objects.filter(opportunity=deal).values("milestone_id")
        theirs = Milestone.objects.filter(
            stage__process_id=deal.process_id,
            stage__position__lte=deal.stage.position if deal.stage else 0,
            side=Side.BUYER,
        )
        step = theirs.exclude(id__in=met).order_by("stage__position", "position").first()
        acts: list[dict[str, Any]] = []
        if step is not None:
            OpportunityMilestone.objects.create(
                id=self.id_of("ticked", str(deal.external_id), at=ticked_at),
                opportunity=deal,
                milestone=step,
                met_at=ticked_at,
                note=f"by {link.recipient} via close plan",
            )
            acts.append({"link": link, "act": PlanAct.MET, "milestone": step, "at": ticked_at})
        acts.append({"link": link, "act": PlanAct.COMMENT, "text": BUYER_SAID, "at": said_at})
        answer = {"act": PlanAct.COMMENT, "text": WE_SAID, "at": said_at + timedelta(minutes=25)}
        acts.append({"person_id": deal.owner_id} | answer)
        ClosePlanEvent.objects.bulk_create(
            ClosePlanEvent(
                id=self.id_of("event", f"{deal.external_id}:{place}", at=act["at"]), opportunity=deal, **act
            )
            for place, act in enumerate(acts)
        )
        self.notify(
            [deal.owner_id],
            f"{deal.name}: {link.recipient} commented on the close plan",
            kind=CLOSE_PLAN,
            path=f"deals/{deal.id}/close-plan/",
            deal_id=deal.id,
            at=said_at,
        )

    # -- two that are one

    def twin(self) -> None:
        """An account that somebody entered again last week, with one of the people who are there already."""
        original = self.company.accounts[0]
        at = self.workday(ago=7) + timedelta(hours=2)
        name = f"{original.name} {LEGAL_FORMS.get(original.country, 'Ltd')}"
        account = Account.objects.create(
            id=self.id_of("twin", original.external_id, at=at),
            name=name,
            name_folded=fold(name),
            country=original.country,
            attributes={"city": original.city},
        )
        person = original.contacts[0]
        contact = Contact.objects.create(
            id=self.id_of("twin", person.external_id, at=at),
            account=account,
            name=person.name,
            name_folded=fold(person.name),
            email=person.email,
            phone="+47 22 00 00 00" if original.country == "Norway" else "",
        )
        Account.objects.filter(id=account.id).update(created_at=at)
        Contact.objects.filter(id=contact.id).update(created_at=at)

    # -- accounts worth a call

    def account_plans(self) -> None:
        """Plans for accounts that bought and have nothing open, a few of each territory's."""
        closed = Opportunity.objects.exclude(account__isnull=True)
        busy = set(closed.filter(outcome=None).values_list("account_id", flat=True))
        bought = set(closed.filter(outcome="won").values_list("account_id", flat=True)) - busy
        standing = Account.objects.filter(id__in=bought).order_by("external_id")[:PLANNED_ACCOUNTS]
        known = {account.external_id: account for account in self.company.accounts}
        plans, people = [], []
        touches: list[PlannedTouch] = []
        for place, account in enumerate(standing):
            demo = known[str(account.external_id)]
            owner = self.company.slots[demo.slot].owner_on(self.company.workdays.today)
            if owner is None:
                continue
            at = self.workday(ago=9 + place % 14) + timedelta(hours=1)
            by, which = UUID(self.people[owner]), place % len(GOALS)
            plans.append(
                AccountPlan(
                    id=self.id_of("account plan", demo.external_id, at=at),
                    account=account,
                    goals=GOALS[which],
                    changed_by_id=by,
                    changed_at=at,
                )
            )
            contact = Contact.objects.filter(account=account).order_by("external_id").first()
            people.append(
                PlanPerson(
                    id=self.id_of("plan person", demo.external_id, at=at),
                    account=account,
                    contact=contact,
                    why=WHY[which],
                )
            )
            touches += self.touches(account, by=by, place=place, at=at)
        AccountPlan.objects.bulk_create(plans)
        PlanPerson.objects.bulk_create(people)
        PlannedTouch.objects.bulk_create(touches)

    def touches(self, account: Account, *, by: UUID, place: int, at: datetime) -> Iterator[PlannedTouch]:
        """One that was done, and the next within a fortnight."""
        today = self.company.workdays.dates[self.company.workdays.today]
        for number, (on, done_at) in enumerate(
            ((at.date(), at + timedelta(hours=5)), (today + timedelta(days=place % 12 - 1), None))
        ):
            yield PlannedTouch(
                id=self.id_of("touch", f"{account.external_id}:{number}", at=at),
                account=account,
                text=TOUCHES[(place + number) % len(TOUCHES)],
                on=on,
                owner_id=by,
                done_at=done_at,
            )

    # -- which deal

    def first_of(self, deals: Any) -> Opportunity | None:
        """The shown rep's largest, else anybody's."""
        own = deals.filter(owner=self.rep).exclude(account__isnull=True)
        for found in (own, deals.exclude(account__isnull=True)):
            ordered = found.select_related("account", "stage").order_by("-amount_minor", "external_id")
            deal: Opportunity | None = ordered.first()
            if deal is not None:
                return deal
        return None

    def last_change(self, deal: Opportunity) -> datetime:
        changed = OpportunityVersion.objects.filter(opportunity=deal, valid_to=FOREVER, known_to=FOREVER)
        found: datetime = changed.values_list("valid_from", flat=True).get()
        return found

    def workday(self, *, ago: int) -> datetime:
        """When the working day began that lies so many working days before this morning."""
        days, found = self.company.workdays, self.company.workdays.today
        for _ in range(ago):
            found = days.on_or_before[found - 1]
        return days.opens[found]

    def id_of(self, kind: str, key: str, *, at: datetime) -> UUID:
        return demo_id(self.company.seed, kind=f"desk {kind}", key=key, at=at)
