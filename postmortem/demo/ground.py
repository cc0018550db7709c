"""Writes what deals refer to: people, lines, rates, the process, accounts, contacts, products, quotas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from forecasting.quotas.models import Quota
from otc.demo.company import DemoCompany
from otc.money.models import Rate
from otc.tenancy.models import FOREVER, Person, ReportingLine
from otc.tenancy.services import fold
from pipeline.accounts.models import Account, Contact
from pipeline.opportunities.models import Competitor, Product
from pipeline.process.models import CloseReason, Milestone, Process, Stage
from pipeline.process.services import process_install, reason_add
from postmortem.demo.copying import copy_rows

LAST_REASON = 100


@dataclass(frozen=True)
class Ground:
    """The database's ids by the simulation's keys. `stages` and `milestones` are in the process's order."""

    process: UUID
    stages: tuple[UUID, ...]
    milestones: tuple[tuple[UUID, ...], ...]
    people: dict[str, UUID]
    accounts: dict[str, UUID]
    contacts: dict[str, UUID]
    products: dict[str, UUID]
    competitors: dict[str, UUID]
    reasons: dict[str, UUID]


def milestone_counts(process: Process) -> tuple[int, ...]:
    """How many milestones each stage has, in order."""
    return tuple(len(ids) for ids in milestone_ids(process))


def milestone_ids(process: Process) -> tuple[tuple[UUID, ...], ...]:
    found: dict[UUID, list[UUID]] = {stage.id: [] for stage in Stage.objects.filter(process=process)}
    for milestone in Milestone.objects.filter(stage__process=process).order_by("stage__position", "position"):
        found[milestone.stage_id].append(milestone.id)
    return tuple(tuple(ids) for ids in found.values())


def ground_write(company: DemoCompany, *, process: Process) -> Ground:
    """Write everything of the company but its deals, into the organization in context."""
    since = company.workdays.midnight(0)
    people = people_write(company)
    accounts, contacts = accounts_write(company, since=since)
    Rate.objects.bulk_create(
        Rate(currency=r.currency, valid_from=r.valid_from, known_from=r.known_from, rate=r.rate)
        for r in company.rates
    )
    Quota.objects.bulk_create(
        Quota(person_id=people[q.person], period=q.period, amount_minor=q.amount_minor)
        for q in company.quotas
    )
    return Ground(
        process=process.id,
        stages=tuple(Stage.objects.filter(process=process).values_list("id", flat=True)),
        milestones=milestone_ids(process),
        people=people,
        accounts=accounts,
        contacts=contacts,
        products=products_write(company),
        competitors=competitors_write(company),
        reasons=reasons_write(company),
    )


def process_ready() -> Process:
    """The organization's default process, installed where there is none."""
    return process_install()


def people_write(company: DemoCompany) -> dict[str, UUID]:
    """People with their dated lines; who left keeps the line up to that day."""
    ids = {person.key: uuid4() for person in company.people}
    Person.objects.bulk_create(
        Person(
            id=ids[person.key],
            external_id=person.key,
            name=person.name,
            name_folded=fold(person.name),
            email=person.email,
            role=person.role,
            title=person.title,
            territory=person.territory,
            joined_on=person.joined,
            left_on=person.left,
        )
        for person in company.people
    )
    ReportingLine.objects.bulk_create(
        ReportingLine(
            person_id=ids[line.person],
            manager_id=ids[line.manager] if line.manager else None,
            valid_from=line.valid_from,
            valid_to=line.valid_to or FOREVER,
        )
        for line in company.lines
    )
    return ids


def accounts_write(company: DemoCompany, *, since: datetime) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """(account ids, contact ids) by external id. A parent comes before its sites."""
    accounts = {account.external_id: uuid4() for account in company.accounts}
    copy_rows(
        Account,
        columns=(
            "id",
            "external_id",
            "name",
            "name_folded",
            "parent_id",
            "industry",
            "country",
            "attributes",
            "created_at",
        ),
        rows=(
            (
                accounts[account.external_id],
                account.external_id,
                account.name,
                fold(account.name),
                accounts[account.parent] if account.parent else None,
                account.industry,
                account.country,
                account.attributes,
                since,
            )
            for account in company.accounts
        ),
    )
    contacts = {contact.external_id: uuid4() for account in company.accounts for contact in account.contacts}
    copy_rows(
        Contact,
        columns=(
            "id",
            "external_id",
            "account_id",
            "name",
            "name_folded",
            "title",
            "email",
            "phone",
            "created_at",
        ),
        rows=(
            (
                contacts[contact.external_id],
                contact.external_id,
                accounts[account.external_id],
                contact.name,
                fold(contact.name),
                contact.title,
                contact.email,
                "",
                since,
            )
            for account in company.accounts
            for contact in account.contacts
        ),
    )
    return accounts, contacts


def products_write(company: DemoCompany) -> dict[str, UUID]:
    ids = {product.external_id: uuid4() for product in company.products}
    Product.objects.bulk_create(
        Product(
            id=ids[product.external_id],
            external_id=product.external_id,
            name=product.name,
            name_folded=fold(product.name),
            family=product.family,
        )
        for product in company.products
    )
    return ids


def competitors_write(company: DemoCompany) -> dict[str, UUID]:
    ids = {name: uuid4() for name in company.competitors}
    Competitor.objects.bulk_create(
        Competitor(id=ids[name], name=name, name_folded=fold(name)) for name in company.competitors
    )
    return ids


def reasons_write(company: DemoCompany) -> dict[str, UUID]:
    """The process's own reasons by name, and those that it lacks added."""
    found = dict(CloseReason.objects.values_list("name_folded", "id"))
    for reason in company.reasons:
        if fold(reason.name) not in found:
            added = reason_add(
                name=reason.name, position=LAST_REASON, feeds=reason.feeds, outcomes=list(reason.outcomes)
            )
            found[added.name_folded] = added.id
    return {reason.name: found[fold(reason.name)] for reason in company.reasons}
