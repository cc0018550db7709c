"""Which accounts does a list ask for? The address's parameters become one filter, for the page and the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from otc.fields.queries import Book, field_book
from otc.fields.writing import reading_of
from otc.question import BadQuestion, Question, parse_uuid
from pipeline.accounts.models import Account
from pipeline.fields.asked import FieldCondition, read_conditions
from pipeline.fields.queries import matching
from pipeline.opportunities.queries import deals_of
from pipeline.search.queries import accounts_bearing

# What is asked of the deals that one may see: whether there are any of these.
DEALS: Mapping[str, tuple[str, Q, bool]] = {
    "open": ("With open deals", Q(outcome__isnull=True), True),
    "no_open": ("Without open deals", Q(outcome__isnull=True), False),
    "won": ("Bought before", Q(outcome="won"), True),
    "none": ("Without any deal", Q(), False),
}
MOST_CHOICES = 200


@dataclass(frozen=True, kw_only=True)
class AccountFilter:
    """Every condition is optional and all of them hold together. `owner_id` asks for accounts with a deal of theirs;
    beside `deals` that have some, the same deal must be meant.
    """

    words: str = ""
    industry: str = ""
    country: str = ""
    deals: str = ""
    owner_id: UUID | None = None
    fields: tuple[FieldCondition, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == AccountFilter()

    def apply(self, accounts: Any, question: Question) -> Any:
        """`accounts` (of Account) that hold every condition. No query."""
        if self.words.strip():
            accounts = accounts.filter(accounts_bearing(self.words))
        if self.industry:
            accounts = accounts.filter(industry=self.industry)
        if self.country:
            accounts = accounts.filter(country=self.country)
        if self.fields:
            # As of a version: what is asked stands in the row's own attributes.
            accounts = matching(accounts, self.fields, is_past=True)
        return self._by_deals(accounts, question)

    def _by_deals(self, accounts: Any, question: Question) -> Any:
        visible = deals_of(question).filter(account_id__isnull=False)
        _, condition, has_some = DEALS.get(self.deals, ("", Q(), True))
        theirs = Q() if self.owner_id is None else Q(owner_id=self.owner_id)
        if self.deals and not has_some:
            accounts = accounts.exclude(id__in=visible.filter(condition).values("account_id"))
            condition = Q()
        if theirs or (self.deals and has_some):
            accounts = accounts.filter(id__in=visible.filter(condition & theirs).values("account_id"))
        return accounts


@dataclass(frozen=True)
class AccountsAsked:
    """A list's address, read. `book` has the custom fields of accounts."""

    filter: AccountFilter = field(default_factory=AccountFilter)
    sort: str = "name"
    after: str | None = None
    book: Book = field(default_factory=Book)


@dataclass(frozen=True)
class Offered:
    """What industries and countries there are, the commonest first, with how many accounts have them."""

    industries: Sequence[tuple[str, int]] = ()
    countries: Sequence[tuple[str, int]] = ()


def read(parameters: Mapping[str, str], question: Question) -> AccountsAsked:
    """Read q, industry, country, deals, owner, sort, after and what is asked of custom fields. Raises BadQuestion."""
    book = field_book("account", question.organization)
    deals, owner = parameters.get("deals", ""), parameters.get("owner", "")
    if deals and deals not in DEALS:
        raise BadQuestion("deals", f"“{deals[:60]}” is none of: {', '.join(DEALS)}")
    return AccountsAsked(
        AccountFilter(
            words=plain(parameters, "q"),
            industry=plain(parameters, "industry"),
            country=plain(parameters, "country"),
            deals=deals,
            owner_id=parse_uuid(owner, "owner") if owner else None,
            fields=read_conditions(
                parameters,
                book=book,
                reading=reading_of(today=question.day, calendar=lambda: question.calendar),
            ),
        ),
        parameters.get("sort") or "name",
        parameters.get("after") or None,
        book,
    )


def plain(parameters: Mapping[str, Any], name: str) -> str:
    return str(parameters.get(name) or "")[:200].replace("\x00", "")


def offered() -> Offered:
    """Two queries, whatever the accounts."""
    return Offered(_commonest("industry"), _commonest("country"))


def _commonest(column: str) -> list[tuple[str, int]]:
    counted = Account.objects.exclude(**{column: ""}).values(column).annotate(count=Count("id"))
    found = counted.order_by("-count", column)[:MOST_CHOICES]
    return sorted((row[column], row["count"]) for row in found)
