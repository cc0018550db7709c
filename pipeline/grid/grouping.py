"""The deals of a list by stage, owner, category, month, account or a custom choice: how many and how much in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateField, F, Q, Value
from django.db.models.functions import TruncMonth

from otc.fields.queries import Book
from otc.fields.rules import NOT_SET, PREFIX, Field, stored
from otc.question import BadQuestion, Question, parse_uuid
from pipeline.fields.asked import FieldCondition
from pipeline.fields.queries import matching, read_expression
from pipeline.process.models import Category

# More accounts than these are summed in one line at the end.
MOST_GROUPS = 200
NONE = "none"
RANKS = {category: rank for rank, category in enumerate(Category.values)}

GROUPED = """
WITH d AS MATERIALIZED ({inner})
SELECT group_key, group_label, group_rank, count(*), sum(corporate_minor),
  count(*) FILTER (WHERE corporate_minor IS NULL AND amount_minor IS NOT NULL)
FROM d GROUP BY group_key, group_label, group_rank
ORDER BY {order} LIMIT {limit}
"""
BY_RANK = "group_rank NULLS LAST, group_label, group_key"
BY_KEY = "group_key NULLS LAST"
BY_NAME = "group_label NULLS LAST, group_key"
BY_SUM = "sum(corporate_minor) DESC NULLS LAST, group_label, group_key"


@dataclass(frozen=True)
class Grouping:
    """What the rows are grouped by. `key_of` a row (DealRow) gives its group; `column` holds it in the database."""

    name: str
    label: str
    nothing: str
    key_of: Callable[[Any], str]
    column: str = ""
    label_column: str = ""
    rank_column: str = ""
    order: str = BY_NAME
    field: Field | None = None


@dataclass(frozen=True)
class Group:
    """All deals that match and belong together, not only the page's; `key` is what the address calls it."""

    key: str
    label: str
    count: int
    total_minor: int
    unconvertible: int


def _id_of(attribute: str) -> Callable[[Any], str]:
    return lambda row: str(getattr(row, attribute) or NONE)


BUILT_IN: dict[str, Grouping] = {
    one.name: one
    for one in (
        Grouping(
            "stage",
            "Stage",
            "No stage",
            _id_of("stage_id"),
            column="stage_id",
            label_column="stage__name",
            rank_column="stage__position",
            order=BY_RANK,
        ),
        Grouping(
            "owner", "Owner", "Nobody’s", _id_of("owner_id"), column="owner_id", label_column="owner__name"
        ),
        Grouping("category", "Category", "No category", _id_of("category"), column="category", order=BY_KEY),
        Grouping(
            "month",
            "Close month",
            "No close date",
            lambda row: f"{row.close_date:%Y-%m}" if row.close_date else NONE,
            order=BY_KEY,
        ),
        Grouping(
            "account",
            "Account",
            "No account",
            _id_of("account_id"),
            column="account_id",
            label_column="account__name",
            order=BY_SUM,
        ),
    )
}


def groupings(book: Book) -> list[Grouping]:
    """What a list can be grouped by: the usual ones, then custom fields with options."""
    return [*BUILT_IN.values(), *(_of_field(one) for one in book.active if one.kind == "choice")]


def grouping_named(name: str, *, book: Book) -> Grouping:
    """Raises BadQuestion."""
    found = next((one for one in groupings(book) if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in groupings(book))
        raise BadQuestion("group", f"“{name[:60]}” is none of: {known}")
    return found


def _of_field(field: Field) -> Grouping:
    return Grouping(
        f"{PREFIX}{field.key}",
        field.label,
        "Not set",
        lambda row: str(stored(field, row.attributes) or NONE),
        field=field,
    )


def groups_of(rows: Any, grouping: Grouping) -> tuple[Group, ...]:
    """The groups of `rows` (of deals_of) in their order, at most MOST_GROUPS. One query."""
    keyed = rows.order_by().annotate(
        group_key=_key(grouping),
        group_label=F(grouping.label_column)
        if grouping.label_column
        else Value(None, output_field=DateField()),
        group_rank=F(grouping.rank_column) if grouping.rank_column else Value(None, output_field=DateField()),
    )
    values = ("group_key", "group_label", "group_rank", "amount_minor", "corporate_minor")
    inner, parameters = keyed.values(*values).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(GROUPED.format(inner=inner, order=grouping.order, limit=MOST_GROUPS), parameters)
        found = [_group(grouping, *row) for row in cursor.fetchall()]
    return tuple(_ordered(found, grouping))


def _key(grouping: Grouping) -> Any:
    if grouping.field is not None:
        return read_expression(grouping.field)
    if grouping.name == "month":
        return TruncMonth("close_date", output_field=DateField())
    return F(grouping.column)


def _group(
    grouping: Grouping, key: Any, label: str | None, _rank: Any, count: int, total: Any, unconvertible: int
) -> Group:
    name = key_text(key)
    return Group(name, _label(grouping, name, label), count, int(total or 0), unconvertible)


def key_text(key: Any) -> str:
    """How the address calls a group by what the database groups by."""
    if key is None:
        return NONE
    return f"{key:%Y-%m}" if isinstance(key, date) else str(key)


def _label(grouping: Grouping, key: str, label: str | None) -> str:
    if key == NONE:
        return grouping.nothing
    if grouping.name == "category":
        return Category(key).label
    if grouping.name == "month":
        return datetime.strptime(key, "%Y-%m").strftime("%B %Y")  # noqa: DTZ007  a month of no zone
    if grouping.field is not None:
        option = grouping.field.option(key)
        return option.label if option else key
    return label or key


def _ordered(found: Sequence[Group], grouping: Grouping) -> Sequence[Group]:
    """Categories and options stand in their own order, which the database doesn't know."""
    if grouping.name == "category":
        return sorted(found, key=lambda group: RANKS.get(group.key, len(RANKS)))
    if grouping.field is not None:
        places = {option.key: place for place, option in enumerate(grouping.field.options)}
        return sorted(found, key=lambda group: (places.get(group.key, len(places)), group.key))
    return found


def within(rows: Any, grouping: Grouping, key: str, *, question: Question) -> Any:
    """Those of `rows` that belong to the group. Raises BadQuestion for what is no key of one."""
    if grouping.field is not None:
        keys = (NOT_SET if key == NONE else key,)
        condition = FieldCondition(grouping.field, grouping.name, key, keys=keys)
        return matching(rows, [condition], is_past=question.is_past)
    if grouping.name == "month":
        return rows.filter(_month(key))
    if key == NONE:
        return rows.filter(**{f"{grouping.column}__isnull": True})
    value: str | UUID = key if grouping.name == "category" else parse_uuid(key, "in")
    return rows.filter(**{grouping.column: value})


def _month(key: str) -> Q:
    if key == NONE:
        return Q(close_date__isnull=True)
    try:
        first = date.fromisoformat(f"{key}-01")
    except ValueError:
        raise BadQuestion("in", f"“{key[:20]}” is no month like 2026-12") from None
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Q(close_date__gte=first, close_date__lt=following)
