"""Lists in pages by keyset: the next page starts behind the last row's key, whatever was inserted meanwhile."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, F, Q
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from otc.api.parameters import Strict

PAGE_SIZE, LARGEST_PAGE = 50, 200


@dataclass(frozen=True)
class Sort:
    """A column of the queryset that a list may be ordered by; nulls come last either way."""

    column: str
    kind: type
    is_nullable: bool = False


@dataclass(frozen=True)
class Page:
    """Rows as dictionaries, and the cursor of the next page (None on the last)."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


BY_ID: Mapping[str, Sort] = {"id": Sort("id", UUID)}


class PageQuery(Strict):
    """What every list takes; a subclass adds its filters, and `sorts` where there is a choice."""

    cursor = serializers.CharField(
        required=False, max_length=2000, help_text="From `next` of the page before; opaque."
    )
    limit = serializers.IntegerField(
        required=False, default=PAGE_SIZE, min_value=1, max_value=LARGEST_PAGE, help_text="Rows per page."
    )


def sort_field(sorts: Mapping[str, Sort], *, default: str) -> serializers.ChoiceField:
    """The `sort` parameter: a name of `sorts`, with a minus for the other way round."""
    names = [name for column in sorts for name in (column, f"-{column}")]
    return serializers.ChoiceField(
        choices=names, required=False, default=default, help_text=f"Default: {default}."
    )


@dataclass(frozen=True)
class WrittenPage:
    """Rows as JSON that the database wrote, and the cursor of the next page."""

    rows: list[str]
    next_cursor: str | None


def page_schema(item: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """The shape of a page of `item`, for the schema."""
    name = item.__name__.removesuffix("Item")
    return type(
        f"{name}Page",
        (serializers.Serializer,),
        {
            "results": item(many=True),
            "next": serializers.URLField(allow_null=True, help_text="The next page; null on the last."),
        },
    )


def keyset_page(
    rows: Any, *, parameters: Mapping[str, Any], sorts: Mapping[str, Sort] = BY_ID, id_column: str = "id"
) -> Page:
    """One page of a `.values()` queryset that selects `id_column` and the sort's column.

    `parameters` are validated ones of a PageQuery: cursor, limit and, where there is a choice, sort.
    """
    name, sort, rows = _asked(rows, parameters=parameters, sorts=sorts, id_column=id_column)
    limit = parameters["limit"]
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return Page(found, None)
    last = found[limit - 1]
    return Page(found[:limit], cursor_of(name, last[sort.column], last[id_column]))


def written_page(
    rows: Any,
    *,
    names: Mapping[str, str],
    parameters: Mapping[str, Any],
    sorts: Mapping[str, Sort] = BY_ID,
    id_column: str = "id",
    beside: tuple[str, Callable[[dict[str, Any]], dict[str, Any]]],
) -> WrittenPage:
    """The same page, its rows written as JSON by the database: for lists that are read by the thousand.

    `names` has the JSON name of each column of the queryset. The text is what the renderer would make of the values.
    `beside` is the one column, of JSON, whose members a function turns into the row's last ones.
    """
    document, members = beside
    name, sort, rows = _asked(rows, parameters=parameters, sorts=sorts, id_column=id_column)
    limit = parameters["limit"]
    sql, values = rows[: limit + 1].query.sql_with_params()
    fields = ", ".join(
        f'{_written(rows, column)} AS "{names[column]}"' for column in names if column != document
    )
    keys = list(dict.fromkeys([sort.column, id_column]))
    selected = ", ".join(f'r."{column}"' for column in keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT (SELECT row_to_json(x) FROM (SELECT {fields}) x)::text, r."{document}"::text, {selected} '
            f"FROM ({sql}) r",
            values,
        )
        found = cursor.fetchall()

    @cache  # many rows have nothing there, or the same
    def last_members(content: str) -> str:
        return _compact(members(json.loads(content)))[1:]

    texts = [f"{text[:-1]},{last_members(content)}" for text, content, *_ in found[:limit]]
    if len(found) <= limit:
        return WrittenPage(texts, None)
    last = dict(zip(keys, found[limit - 1][2:], strict=True))
    return WrittenPage(texts, cursor_of(name, last[sort.column], last[id_column]))


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _written(rows: Any, path: str) -> str:
    """A column as the renderer writes it: an instant in UTC, its fraction only where there is one. What is computed
    beside the columns is no instant.
    """
    if path in rows.query.annotations:
        return f'r."{path}"'
    *relations, name = path.split("__")
    model = rows.model
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    if not isinstance(model._meta.get_field(name), DateTimeField):
        return f'r."{path}"'
    utc = f"to_char(r.\"{path}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
    return f"replace({utc}, '.000000', '') || 'Z'"


def _asked(
    rows: Any, *, parameters: Mapping[str, Any], sorts: Mapping[str, Sort], id_column: str
) -> tuple[str, Sort, Any]:
    """The sort by its name, and the rows behind the cursor in its order."""
    name = parameters.get("sort") or next(iter(sorts))
    sort, is_descending = sorts[name.removeprefix("-")], name.startswith("-")
    if cursor := parameters.get("cursor"):
        value, last_id = read_cursor(cursor, name=name, sort=sort)
        rows = rows.filter(_behind(sort, value, last_id, is_descending=is_descending, id_column=id_column))
    column = F(sort.column)
    order = column.desc(nulls_last=True) if is_descending else column.asc(nulls_last=True)
    if not sort.is_nullable:
        order = column.desc() if is_descending else column.asc()
    orders = [order] if sort.column == id_column else [order, "-" + id_column if is_descending else id_column]
    return name, sort, rows.order_by(*orders)


def paged(request: Request, page: Page) -> dict[str, Any]:
    """The body of a list's answer, with the next page's address."""
    return {"results": page.rows, "next": _next_url(request, page.next_cursor)}


def paged_text(request: Request, page: WrittenPage) -> HttpResponse:
    """The answer with a page that is written already."""
    url = json.dumps(_next_url(request, page.next_cursor))
    return HttpResponse(
        f'{{"results":[{",".join(page.rows)}],"next":{url}}}', content_type="application/json"
    )


def _next_url(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _behind(sort: Sort, value: Any, last_id: UUID, *, is_descending: bool, id_column: str) -> Q:
    """The rows after (value, id). The redundant outer bound lets an index on the column start there."""
    step = "lt" if is_descending else "gt"
    behind_id = Q(**{f"{id_column}__{step}": last_id})
    if sort.column == id_column:
        return behind_id
    if value is None:
        return Q(**{f"{sort.column}__isnull": True}) & behind_id
    bound = Q(**{f"{sort.column}__{step}e": value}) & (Q(**{f"{sort.column}__{step}": value}) | behind_id)
    return bound | Q(**{f"{sort.column}__isnull": True}) if sort.is_nullable else bound


def cursor_of(name: str, value: Any, last_id: UUID) -> str:
    """The cursor behind a row of a list sorted by `name`: its value there, and its id."""
    plain = value.isoformat() if isinstance(value, (date, datetime)) else value
    text = json.dumps([name, str(plain) if isinstance(plain, UUID) else plain, str(last_id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, name: str, sort: Sort) -> tuple[Any, UUID]:
    """What `cursor_of` wrote. Raises ValidationError for what isn't of this list and sort."""
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        made_for, value, last_id = json.loads(text)
        if made_for != name:
            raise ValueError(made_for)
        return _value(value, sort), UUID(last_id)
    except (ValueError, TypeError, AttributeError, binascii.Error, OverflowError, RecursionError):
        raise serializers.ValidationError(
            {"cursor": ["Not a cursor of this list and this sort; start without one."]}
        ) from None


def _value(value: Any, sort: Sort) -> Any:
    """The cursor's value in the column's type; a forged one raises."""
    if value is None and sort.is_nullable:
        return None
    if sort.kind in (date, datetime):
        return sort.kind.fromisoformat(value)
    if sort.kind is int:
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise ValueError(value)
        return value
    text = str(value)
    if "\x00" in text:
        raise ValueError("NUL")
    text.encode()
    return sort.kind(text)
