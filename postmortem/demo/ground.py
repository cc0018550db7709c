"""Writes what deals refer to: people, lines, rates, the process, accounts, contacts, products, quotas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecasting.quotas.models import EVER, Quota
from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.demo.life import round_amount
from otc.demo.market import MINOR_DIGITS
from otc.demo.rates import base_rate
from otc.money.models import Rate
from otc.tenancy.models import FOREVER, Person, ReportingLine
from otc.tenancy.services import fold
from pipeline.accounts.models import Account, Contact
from pipeline.opportunities.models import Competitor, Product
from pipeline.process.models import CloseReason, Milestone, Process, Stage
from pipeline.process.services import default_content, process_install, reason_add
from postmortem.demo.copying import copy_rows

LAST_REASON = 100
APPROVAL_ABOVE_EUR = 120_000
GUIDANCE = (
    "Ask what it costs them not to change. Whoever can’t say has no deal yet.",
    "Walk one shift with them. Write down who decides, how, and who lived through the last purchase.",
    "Agree on what counts as success before anything is installed; two weeks are enough.",
    "Present in person, to who pays. One page: their problem, the figure, the date.",
    "List what stands between here and a signature, each with a name and a day.",
    "Nothing new any more. Send, confirm, agree on the first day of work.",
)
Ids = dict[str, str]


@dataclass(frozen=True)
class Ground:
    """The database's ids, as text, by the simulation's keys. `stages` and `milestones` are in the process's
    order.
    """

    process: str
    stages: tuple[str, ...]
    milestones: tuple[tuple[str, ...], ...]
    people: Ids
    accounts: Ids
    contacts: Ids
    products: Ids
    competitors: Ids
    reasons: Ids


def milestone_counts(process: Process) -> tuple[int, ...]:
    """How many milestones each stage has, in order."""
    return tuple(len(ids) for ids in milestone_ids(process))


def milestone_ids(process: Process) -> tuple[tuple[str, ...], ...]:
    found: dict[Any, list[str]] = {stage.id: [] for stage in Stage.objects.filter(process=process)}
    for milestone in Milestone.objects.filter(stage__process=process).order_by("stage__position", "position"):
        found[milestone.stage_id].append(str(milestone.id))
    return tuple(tuple(ids) for ids in found.values())


def process_ready(*, seed: int, at: datetime, currency: str) -> Process:
    """The organization's default process; where there is none the house's, with ids that follow from the seed.

    That one says how to get on in each stage, and wants the manager's word before a large deal is signed.
    """
    content = default_content()
    reasons = content["reasons"]
    stages = content["stages"]
    milestones = [milestone for stage in stages for milestone in stage.get("milestones", [])]
    for kind, entries in (("stage", stages), ("milestone", milestones), ("reason", reasons)):
        for number, entry in enumerate(entries):
            entry["id"] = demo_id(seed, kind=kind, key=str(number), at=at)
    for entry, guidance in zip(stages, GUIDANCE, strict=True):
        entry["guidance"] = guidance
    limit = APPROVAL_ABOVE_EUR * base_rate("EUR", corporate=currency)
    stages[-1]["approval_above_minor"] = round_amount(limit, currency=currency)
    content["id"] = demo_id(seed, kind="process", key="default", at=at)
    return process_install(content)


class GroundWriter:
    """Writes one company into the organization in context; every id follows from the company's seed."""

    def __init__(self, company: DemoCompany, *, process: Process) -> None:
        self.company, self.process = company, process
        self.since = company.workdays.midnight(0)

    def write(self) -> Ground:
        """Write everything of the company but its deals."""
        people = self.people()
        accounts = self.accounts()
        self.rates()
        self.quotas(people)
        return Ground(
            process=str(self.process.id),
            stages=tuple(map(str, Stage.objects.filter(process=self.process).values_list("id", flat=True))),
            milestones=milestone_ids(self.process),
            people=people,
            accounts=accounts,
            contacts=self.contacts(accounts),
            products=self.products(),
            competitors=self.competitors(),
            reasons=self.reasons(),
        )

    def ids(self, kind: str, keys: Iterable[str]) -> Ids:
        """An id for each key of a kind."""
        seed, since = self.company.seed, self.since
        return {key: str(demo_id(seed, kind=kind, key=key, at=since)) for key in keys}

    def id_of(self, kind: str, *key: object) -> str:
        return str(demo_id(self.company.seed, kind=kind, key=":".join(map(str, key)), at=self.since))

    def people(self) -> Ids:
        """People with their dated lines; who left keeps the line up to that day."""
        ids = self.ids("person", (person.key for person in self.company.people))
        copy_rows(
            Person,
            columns=(
                *("id", "external_id", "name", "name_folded", "email", "role", "title", "territory"),
                *("joined_on", "left_on", "created_at"),
            ),
            rows=(
                (
                    *(ids[p.key], p.key, p.name, fold(p.name), p.email, p.role, p.title, p.territory),
                    *(p.joined, p.left, self.since),
                )
                for p in self.company.people
            ),
        )
        copy_rows(
            ReportingLine,
            columns=("id", "person_id", "manager_id", "valid_from", "valid_to"),
            rows=(
                (
                    self.id_of("line", line.person, line.valid_from.isoformat()),
                    ids[line.person],
                    ids[line.manager] if line.manager else None,
                    line.valid_from,
                    line.valid_to or FOREVER,
                )
                for line in self.company.lines
            ),
        )
        return ids

    def accounts(self) -> Ids:
        """A parent comes before its sites."""
        ids = self.ids("account", (account.external_id for account in self.company.accounts))
        copy_rows(
            Account,
            columns=(
                *("id", "external_id", "name", "name_folded", "parent_id", "industry", "country"),
                *("attributes", "created_at"),
            ),
            rows=(
                (
                    *(ids[a.external_id], a.external_id, a.name, fold(a.name)),
                    *(ids[a.parent] if a.parent else None, a.industry, a.country, a.attributes, self.since),
                )
                for a in self.company.accounts
            ),
        )
        return ids

    def contacts(self, accounts: Ids) -> Ids:
        found = [(account, contact) for account in self.company.accounts for contact in account.contacts]
        ids = self.ids("contact", (contact.external_id for _, contact in found))
        copy_rows(
            Contact,
            columns=(
                *("id", "external_id", "account_id", "name", "name_folded", "title", "email", "phone"),
                "created_at",
            ),
            rows=(
                (
                    *(ids[c.external_id], c.external_id, accounts[account.external_id], c.name, fold(c.name)),
                    *(c.title, c.email, "", self.since),
                )
                for account, c in found
            ),
        )
        return ids

    def rates(self) -> None:
        copy_rows(
            Rate,
            columns=("id", "currency", "valid_from", "known_from", "rate"),
            rows=(
                (self.id_of("rate", r.currency, r.valid_from), r.currency, r.valid_from, r.known_from, r.rate)
                for r in self.company.rates
            ),
        )

    def quotas(self, people: Ids) -> None:
        copy_rows(
            Quota,
            columns=("id", "person_id", "period", "amount_minor", "valid_from", "valid_to", "reason"),
            rows=(
                (
                    self.id_of("quota", q.person, q.period, *([q.since.isoformat()] if q.since else [])),
                    *(people[q.person], q.period, q.amount_minor),
                    *(q.since or EVER, q.until or FOREVER, q.reason),
                )
                for q in self.company.quotas
            ),
        )

    def products(self) -> Ids:
        products = self.company.products
        ids = self.ids("product", (product.external_id for product in products))
        currency = self.company.plan.currency
        minor = 10 ** MINOR_DIGITS[currency]
        copy_rows(
            Product,
            columns=(
                *("id", "external_id", "name", "name_folded", "family", "list_price_minor", "currency"),
                "attributes",
            ),
            rows=(
                (
                    *(ids[p.external_id], p.external_id, p.name, fold(p.name), p.family),
                    *(p.price * minor, currency, {}),
                )
                for p in products
            ),
        )
        return ids

    def competitors(self) -> Ids:
        ids = self.ids("competitor", self.company.competitors)
        copy_rows(
            Competitor,
            columns=("id", "name", "name_folded"),
            rows=((ids[name], name, fold(name)) for name in self.company.competitors),
        )
        return ids

    def reasons(self) -> Ids:
        """The process's own reasons by name, and those that it lacks added."""
        found = {name: str(id) for name, id in CloseReason.objects.values_list("name_folded", "id")}
        for reason in self.company.reasons:
            if fold(reason.name) not in found:
                added = reason_add(
                    name=reason.name,
                    position=LAST_REASON,
                    feeds=reason.feeds,
                    outcomes=list(reason.outcomes),
                    id=demo_id(self.company.seed, kind="reason", key=reason.name, at=self.since),
                )
                found[added.name_folded] = str(added.id)
        return {reason.name: found[fold(reason.name)] for reason in self.company.reasons}
