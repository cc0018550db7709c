"""Which scorecard counts, what may be asked for, what does a deal have of it, and how many have the same?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from otc.fields.queries import Book, field_book
from otc.fields.rules import Field, stored
from otc.fields.shown import label_of
from otc.money.rules import decimals_of
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.fit.models import Scorecard
from pipeline.fit.rules import CHOICE, NUMBER, OTHER, TEXT, Given, Offered

ACCOUNT_COLUMNS = (("industry", "Industry"), ("country", "Country"))
DEAL_COLUMNS = (("source", "Source"), ("kind", "Kind"))
KIND_OF_FIELD = {"text": TEXT, "number": NUMBER, "money": NUMBER, "choice": CHOICE}
NOUNS = {"account": "Account", "deal": "Deal"}
# So many different sets of values are counted; more would take a minute, and say no more.
MOST_GROUPS = 200_000


def scorecard_now() -> Scorecard | None:
    """The scorecard that counts; None before the first. One query."""
    found: Scorecard | None = Scorecard.objects.order_by("-number").first()
    return found


def books(organization: Organization | None = None) -> dict[str, Book]:
    return {noun: field_book(noun, organization) for noun in NOUNS}


def offered_attributes(known: Mapping[str, Book]) -> list[Offered]:
    """What criteria may ask for: attributes of accounts and deals, then their custom fields."""
    columns = {"account": ACCOUNT_COLUMNS, "deal": DEAL_COLUMNS}
    return [
        offered
        for noun, title in NOUNS.items()
        for offered in (
            *(Offered(f"{noun}.{key}", f"{title}: {label}", TEXT) for key, label in columns[noun]),
            *(_offered(noun, title, field) for field in known[noun].active),
        )
    ]


def _offered(noun: str, title: str, field: Field) -> Offered:
    return Offered(
        f"{noun}.field.{field.key}",
        f"{title}: {field.label}",
        KIND_OF_FIELD.get(field.kind, OTHER),
        tuple((option.key, option.label) for option in field.options),
    )


def given_of(
    known: Mapping[str, Book], *, account: Any, deal: Any, wanted: Sequence[str]
) -> dict[str, Given]:
    """What a deal and its account have of the `wanted` attributes. No query."""
    sources = {"account": account, "deal": deal}
    return {key: _given(known, sources, key) for key in wanted}


def _given(known: Mapping[str, Book], sources: Mapping[str, Any], key: str) -> Given:
    noun, _, rest = key.partition(".")
    source = sources.get(noun)
    if source is None:
        return Given()
    if not rest.startswith("field."):
        text = str(getattr(source, rest, "") or "")
        return Given(text, text)
    field = known[noun].by_key(rest.removeprefix("field."))
    return Given() if field is None else given_value(field, source.attributes)


def given_value(field: Field, attributes: Mapping[str, Any] | None) -> Given:
    """A custom field's value as criteria compare it: numbers and amounts as numbers, choices by key."""
    value = stored(field, attributes)
    if value is None:
        return Given()
    if field.kind == "number":
        number = Decimal(str(value))
        return Given(number, label_of(field, value, names={}))
    if field.kind == "money":
        amount = Decimal(value["amount_minor"]).scaleb(-decimals_of(value["currency"]))
        return Given(amount, label_of(field, value, names={}))
    return Given(str(value), "set" if field.kind == "person" else label_of(field, value, names={}))


def open_deals_by_given(
    known: Mapping[str, Book], wanted: Sequence[str]
) -> Iterator[tuple[dict[str, Given], int]]:
    """Every set of values that open deals have of the `wanted` attributes, and how many have it. One query."""
    columns = list(dict.fromkeys(_column(known, key) for key in wanted))
    listed = "".join(f", {column}" for column, _ in columns)
    grouped = f" GROUP BY {', '.join(str(place + 2) for place in range(len(columns)))}" if columns else ""
    sql = (
        f"SELECT count(*){listed} FROM pipeline_opportunity o LEFT JOIN pipeline_account a "
        "ON a.organization_id = o.organization_id AND a.id = o.account_id "
        "WHERE o.organization_id = %s AND o.outcome IS NULL AND o.deleted_at IS NULL"
        f"{grouped} LIMIT {MOST_GROUPS}"
    )
    parameters = [one for _, given in columns for one in given]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, str(current_organization_id())])
        rows = cursor.fetchall()
    places = {column: place for place, column in enumerate(columns)}
    for count, *values in rows:
        yield (
            {key: _of_value(known, key, values[places[_column(known, key)]]) for key in wanted},
            count,
        )


def given_of_deals(
    known: Mapping[str, Book], deal_ids: Sequence[UUID], wanted: Sequence[str]
) -> Iterator[tuple[UUID, dict[str, Given]]]:
    """What each of these deals has of the `wanted` attributes. One query."""
    columns = list(dict.fromkeys(_column(known, key) for key in wanted))
    sql = (
        f"SELECT o.id{''.join(f', {column}' for column, _ in columns)} FROM pipeline_opportunity o "
        "LEFT JOIN pipeline_account a ON a.organization_id = o.organization_id AND a.id = o.account_id "
        "WHERE o.organization_id = %s AND o.id = ANY(%s::uuid[])"
    )
    parameters = [one for _, given in columns for one in given]
    with connection.cursor() as cursor:
        cursor.execute(
            sql, [*parameters, str(current_organization_id()), [str(deal_id) for deal_id in deal_ids]]
        )
        rows = cursor.fetchall()
    places = {column: place for place, column in enumerate(columns)}
    for deal_id, *values in rows:
        yield deal_id, {key: _of_value(known, key, values[places[_column(known, key)]]) for key in wanted}


def _column(known: Mapping[str, Book], key: str) -> tuple[str, tuple[str, ...]]:
    """The SQL of an attribute's value and its parameters."""
    noun, _, rest = key.partition(".")
    table = {"account": "a", "deal": "o"}[noun]
    if not rest.startswith("field."):
        assert rest in dict((*ACCOUNT_COLUMNS, *DEAL_COLUMNS))
        return f"{table}.{rest}", ()
    field = known[noun].by_key(rest.removeprefix("field."))
    return f"{table}.attributes -> %s", (field.attribute if field else "",)


def _of_value(known: Mapping[str, Book], key: str, value: Any) -> Given:
    noun, _, rest = key.partition(".")
    if not rest.startswith("field."):
        return Given(value or "", value or "")
    field = known[noun].by_key(rest.removeprefix("field."))
    return (
        Given()
        if field is None
        else given_value(field, {field.attribute: json.loads(value) if value else None})
    )


def scorecards() -> list[Scorecard]:
    """Every version, the latest first, with who made it."""
    return list(Scorecard.objects.select_related("made_by").order_by("-number")[:200])


def scorecard(scorecard_id: UUID) -> Scorecard | None:
    found: Scorecard | None = Scorecard.objects.select_related("made_by").filter(id=scorecard_id).first()
    return found
