"""Who buys: a page of accounts with what is open and won there, and one account with its people and deals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from rest_framework.exceptions import ValidationError

from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question
from pipeline.accounts.asked import AccountsAsked
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.queries import SORTS, accounts_page, last_activities
from pipeline.opportunities.asked import UNCONVERTIBLE
from pipeline.opportunities.queries import deals_of
from pipeline.opportunities.report import COLUMNS, DealRow, unconvertible_sums, with_facts

DEALS_SHOWN = 100


@dataclass(frozen=True)
class AccountRow:
    """An account with its visible deals: how many are open, and their sums in corporate minor units.

    `last_on` is the day when something last happened on one of them; only a list says so.
    """

    id: UUID
    name: str
    industry: str
    country: str
    contact_count: int
    open_count: int
    open_minor: int
    won_count: int
    won_minor: int
    unconvertible: int = 0
    last_on: date | None = None


@dataclass(frozen=True)
class AccountsReport:
    rows: tuple[AccountRow, ...]
    next_cursor: str | None
    count: int
    open_minor: int
    open_account_count: int
    unconvertible: tuple[CurrencySum, ...] = ()


@dataclass(frozen=True)
class AccountReport:
    """One account. `deals` are the visible ones, open before closed."""

    account: Account
    parent_name: str
    contacts: tuple[Contact, ...]
    deals: tuple[DealRow, ...]
    row: AccountRow
    question: Question


def accounts_report(question: Question, asked: AccountsAsked) -> AccountsReport:
    """The page of accounts that an address asks for. Six queries. Raises BadQuestion."""
    if asked.sort.removeprefix("-") not in SORTS:
        raise BadQuestion("sort", f"“{asked.sort[:60]}” is none of: {', '.join(SORTS)}")
    found = asked.filter.apply(Account.objects.all(), question)
    try:
        page = accounts_page(found, question, sort=asked.sort, after=asked.after)
    except ValidationError as problem:
        raise BadQuestion("after", "This page isn’t there any more; start with the first one") from problem
    happened = last_activities([row["id"] for row in page.rows], question)
    rows = [replace(row, last_on=happened.get(row.id)) for row in account_rows(page.rows, question)]
    deals = deals_of(question).filter(outcome__isnull=True, account_id__isnull=False)
    if not asked.filter.is_empty:
        deals = deals.filter(account_id__in=found.values("id"))
    sums = deals.aggregate(
        total=Sum("corporate_minor"),
        accounts=Count("account_id", distinct=True),
        unconvertible=Count("deal_id", filter=UNCONVERTIBLE),
    )
    return AccountsReport(
        tuple(rows),
        page.next_cursor,
        found.count(),
        int(sums["total"] or 0),
        sums["accounts"],
        unconvertible_sums(deals) if sums["unconvertible"] else (),
    )


def account_rows(found: list[dict[str, Any]], question: Question) -> list[AccountRow]:
    """Accounts with the sums of their visible deals and the number of their people. Two queries."""
    ids = [account["id"] for account in found]
    sums = {
        group["account_id"]: group
        for group in deals_of(question)
        .filter(account_id__in=ids)
        .values("account_id")
        .annotate(
            open_count=Count("deal_id", filter=Q(outcome__isnull=True)),
            open_minor=Sum("corporate_minor", filter=Q(outcome__isnull=True)),
            won_count=Count("deal_id", filter=Q(outcome="won")),
            won_minor=Sum("corporate_minor", filter=Q(outcome="won")),
            unconvertible=Count(
                "deal_id", filter=UNCONVERTIBLE & (Q(outcome__isnull=True) | Q(outcome="won"))
            ),
        )
        .order_by("account_id")
    }
    contacts = dict(
        Contact.objects.filter(account_id__in=ids)
        .values("account_id")
        .annotate(count=Count("id"))
        .order_by("account_id")
        .values_list("account_id", "count")
    )
    return [_row(account, sums.get(account["id"], {}), contacts.get(account["id"], 0)) for account in found]


def _row(account: Mapping[str, Any], sums: Mapping[str, Any], contact_count: int) -> AccountRow:
    return AccountRow(
        id=account["id"],
        name=account["name"],
        industry=account["industry"],
        country=account["country"],
        contact_count=contact_count,
        open_count=sums.get("open_count", 0),
        open_minor=int(sums.get("open_minor") or 0),
        won_count=sums.get("won_count", 0),
        won_minor=int(sums.get("won_minor") or 0),
        unconvertible=sums.get("unconvertible", 0),
    )


def account_report(question: Question, account_id: UUID, *, since: datetime) -> AccountReport | None:
    """One account, or None where there is none of this id. Six queries."""
    account = Account.objects.select_related("parent").filter(id=account_id).first()
    if account is None:
        return None
    found = (
        deals_of(question)
        .filter(account_id=account_id)
        .order_by("closed_at", "close_date", "deal_id")
        .values(*COLUMNS)[:DEALS_SHOWN]
    )
    deals = sorted(with_facts(list(found), question, since=since), key=lambda deal: not deal.is_open)
    plain = {
        "id": account.id,
        "name": account.name,
        "industry": account.industry,
        "country": account.country,
    }
    return AccountReport(
        account=account,
        parent_name=account.parent.name if account.parent else "",
        contacts=tuple(Contact.objects.filter(account_id=account_id).order_by("name_folded", "id")),
        deals=tuple(deals),
        row=account_rows([plain], question)[0],
        question=question,
    )
