"""A page of accounts in the order of what their deals and people sum to: the sums are made once, then joined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Max, Q, Sum, Value
from django.db.models.functions import Lower, NullIf

from otc.api.pages import PAGE_SIZE, Page, Sort, cursor_of, keyset_page, read_cursor
from otc.question import Question
from pipeline.accounts.models import Contact
from pipeline.activities.models import Activity
from pipeline.opportunities.queries import deals_of

OPEN, WON = Q(outcome__isnull=True), Q(outcome="won")
COLUMNS = ("id", "name", "name_folded", "industry", "country")
# By a column of the account; what isn't given comes last.
PLAIN_SORTS: Mapping[str, Sort] = {
    "name": Sort("name_folded", str),
    "industry": Sort("industry_given", str, is_nullable=True),
    "country": Sort("country_given", str, is_nullable=True),
}
NEVER = 2**62

JOINED = """
SELECT f.id, f.name, f.name_folded, f.industry, f.country, x.key FROM ({accounts}) f
LEFT JOIN ({summed}) k(account_id, value) ON k.account_id = f.id
CROSS JOIN LATERAL (SELECT {key} AS key) x
WHERE {behind} ORDER BY x.key {way}, f.id {way} LIMIT %s
"""


@dataclass(frozen=True)
class Summed:
    """Rows of (account_id, value), as a queryset made for a question; how the value is compared as a whole number."""

    rows: Callable[[Question], Any]
    key: str = "coalesce(k.value, 0)::bigint"


def _deals(condition: Q, value: Any) -> Callable[[Question], Any]:
    def rows(question: Question) -> Any:
        found = deals_of(question).filter(condition, account_id__isnull=False)
        return found.order_by().values("account_id").annotate(value=value)

    return rows


def _people(_question: Question) -> Any:
    return Contact.objects.order_by().values("account_id").annotate(value=Count("id"))


def activity_rows(question: Question, **of: Any) -> Any:
    """The latest activity on the visible deals of each account, as (account_id, value)."""
    deals = deals_of(question).filter(account_id__isnull=False, **of).values("id")
    found = Activity.objects.filter(opportunity_id__in=deals).order_by()
    return found.values(account_id=F("opportunity__account_id")).annotate(value=Max("at"))


SUMMED: Mapping[str, Summed] = {
    "deals": Summed(_deals(OPEN, Count("deal_id"))),
    "open": Summed(_deals(OPEN, Sum("corporate_minor"))),
    "wins": Summed(_deals(WON, Count("deal_id"))),
    "won": Summed(_deals(WON, Sum("corporate_minor"))),
    "people": Summed(_people),
    # Microseconds; where nothing ever happened comes last either way.
    "activity": Summed(activity_rows, "coalesce((extract(epoch FROM k.value) * 1000000)::bigint, {never})"),
}
SORTS = (*PLAIN_SORTS, *SUMMED)


def accounts_page(accounts: Any, question: Question, *, sort: str, after: str | None) -> Page:
    """One page of `accounts` as dictionaries of COLUMNS. One query. Raises ValidationError for a cursor not of it."""
    name = sort.removeprefix("-")
    if name in SUMMED:
        return _summed_page(accounts, question, sort=sort, after=after)
    for column in ("industry", "country"):
        if name == column:
            accounts = accounts.annotate(**{f"{column}_given": Lower(NullIf(F(column), Value("")))})
    extra = {PLAIN_SORTS[name].column} - set(COLUMNS)
    return keyset_page(
        accounts.values(*COLUMNS, *extra),
        parameters={"sort": sort, "cursor": after, "limit": PAGE_SIZE},
        sorts=PLAIN_SORTS,
    )


def _summed_page(accounts: Any, question: Question, *, sort: str, after: str | None) -> Page:
    is_descending = sort.startswith("-")
    summed = SUMMED[sort.removeprefix("-")]
    inner, values = accounts.order_by().values(*COLUMNS).query.sql_with_params()
    rows, more = summed.rows(question).values("account_id", "value").query.sql_with_params()
    behind, last = "true", []
    if after:
        behind = f"(x.key, f.id) {'<' if is_descending else '>'} (%s, %s::uuid)"
        key, last_id = read_cursor(after, name=sort, sort=Sort("key", int))
        last = [key, str(last_id)]
    sql = JOINED.format(
        accounts=inner,
        summed=rows,
        key=summed.key.format(never=-NEVER if is_descending else NEVER),
        behind=behind,
        way="DESC" if is_descending else "ASC",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, *more, *last, PAGE_SIZE + 1])
        names = (*COLUMNS, "key")
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if len(found) <= PAGE_SIZE:
        return Page(found, None)
    last_row = found[PAGE_SIZE - 1]
    return Page(found[:PAGE_SIZE], cursor_of(sort, last_row["key"], last_row["id"]))


def last_activities(account_ids: list[UUID], question: Question) -> dict[UUID, date]:
    """The organization's day on which something last happened on a visible deal of each account. One query."""
    found = activity_rows(question, account_id__in=account_ids).values_list("account_id", "value")
    return {account_id: at.astimezone(question.zone).date() for account_id, at in found}
