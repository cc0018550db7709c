"""Custom fields in the list's and the board's controls: typed filters, chips that let go, columns to choose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.fields.queries import Book, field_book, people_choices
from otc.fields.rules import NOT_SET, Field
from otc.question import BadQuestion
from otc.tenancy.middleware import tenant_of
from otc.ui.controls import Choice, href_with
from otc.ui.pages import page
from pipeline.fields.asked import FieldCondition, described, is_field_parameter
from pipeline.fields.columns import USUAL, ListColumn, all_columns, read_columns
from pipeline.fields.services import columns_remember
from pipeline.fit.rules import BAND_WORDS, FAIR, GOOD, POOR, FitAsked, fit_words
from pipeline.opportunities.asked import Asked
from pipeline.opportunities.views.frame import Frame

FIT_CHOICES = (
    (GOOD, "Good fit"),
    (f"{GOOD},{FAIR}", "Good or fair fit"),
    (FAIR, "Fair fit"),
    (POOR, "Poor fit"),
)
# What “Clear” lets go of beside the fields.
CLEARED = dict.fromkeys(("q", "state", "stage_id", "category", "account_id", "fit", "fit_from", "fit_to"))


@dataclass(frozen=True)
class FieldControl:
    """The inputs that ask for one field. `picks` are (value, label, is chosen); `low`, `high`, `words` are typed."""

    field: Field
    picks: tuple[tuple[str, str, bool], ...] = ()
    low: str = ""
    high: str = ""
    words: str = ""
    is_used: bool = False


def field_controls(
    request: HttpRequest, asked: Asked, columns: tuple[ListColumn, ...], names: Mapping[str, str]
) -> dict[str, Any]:
    """What the templates need for fields: the filter's inputs, the columns shown and those to choose from."""
    shown = {column.name for column in columns}
    others = [column for column in all_columns(asked.book) if column.name not in shown]
    return {
        "columns": columns,
        "names": names,
        "column_choices": [(column, True) for column in columns] + [(column, False) for column in others],
        "width_class": f"columns-{len(columns)}" if len(columns) > len(USUAL) else "",
        "field_filters": filters_of(asked.book, asked.filter.fields),
        "has_fields": bool(asked.book.active),
        "clear_href": href_with(request.path, request.GET, **CLEARED, **without_fields(request)),
        "list_query": request.GET.urlencode(),
    }


def filters_of(book: Book, conditions: Iterable[FieldCondition]) -> list[FieldControl]:
    """A control per active field, with what the address asks. One query where a field means people."""
    asked: dict[str, dict[str, FieldCondition]] = {}
    for condition in conditions:
        part = condition.name.removeprefix(condition.field.name).lstrip(".")
        asked.setdefault(condition.field.key, {})[part] = condition
    people = people_choices() if any(field.kind == "person" for field in book.active) else []
    return [_control(field, asked.get(field.key, {}), people) for field in book.active]


def _control(field: Field, asked: dict[str, FieldCondition], people: list[tuple[str, str]]) -> FieldControl:
    def typed(part: str) -> str:
        return asked[part].typed if part in asked else ""

    if field.kind in ("choice", "person"):
        chosen = set(asked[""].keys) if "" in asked else set()
        options = people if field.kind == "person" else [(one.key, one.label) for one in field.options]
        known = {key for key, _ in options}
        gone = [(key, "Somebody") for key in sorted(chosen - known - {NOT_SET})]
        picks = [(NOT_SET, "Not set"), *options, *gone]
        return FieldControl(
            field, tuple((key, label, key in chosen) for key, label in picks), is_used=bool(asked)
        )
    return FieldControl(
        field,
        low=typed("from") or typed(""),
        high=typed("to") or typed(""),
        words=typed("contains") or typed("starts") or typed(""),
        is_used=bool(asked),
    )


def field_chips(request: HttpRequest, asked: Asked, names: Mapping[str, str]) -> list[Choice]:
    """What narrows the list by fields, each with the address that lets go of it."""
    return [
        Choice(described(one, names=names), href_with(request.path, request.GET, **{one.name: None}))
        for one in asked.filter.fields
    ]


def fit_chips(request: HttpRequest, asked: Asked) -> list[Choice]:
    """What narrows the list by fit."""
    if asked.filter.fit is None:
        return []
    cleared = dict.fromkeys(("fit", "fit_from", "fit_to"))
    return [Choice(fit_words(asked.filter.fit.asked), href_with(request.path, request.GET, **cleared))]


def fit_filter(framed: Frame) -> dict[str, Any]:
    """The inputs that ask for fit: choices of bands, and a share of the points in percent; none for the past."""
    if framed.question.is_past:
        return {}
    condition = framed.asked.filter.fit
    fit = condition.asked if condition else FitAsked()
    chosen = ",".join(fit.bands)
    known = [("", "Any fit"), *FIT_CHOICES]
    if chosen not in dict(known):
        known.append((chosen, " or ".join(BAND_WORDS[band] for band in fit.bands)))
    return {
        "choices": [(key, label, key == chosen) for key, label in known],
        "low": "" if fit.low is None else fit.low,
        "high": "" if fit.high is None else fit.high,
    }


def without_fields(request: HttpRequest) -> dict[str, None]:
    """Changes to an address that let go of every field."""
    return {name: None for name in request.GET if is_field_parameter(name)}


@require_POST
@page("view_deals")
def deals_columns(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/columns/`: remember the columns ticked, in their order; back to the list with them in its address."""
    ticked = sorted(request.POST.getlist("column"), key=lambda name: _place(request.POST, name))
    person = tenant_of(request).person
    back = href_of_list(request, slug)
    if "usual" in request.POST or not ticked:
        columns_remember(person.id, columns=())
        return redirect(back(None))
    try:
        columns = read_columns(",".join(ticked), book=field_book("deal"))
    except BadQuestion as problem:
        return HttpResponse(problem.message, status=422, content_type="text/plain; charset=utf-8")
    columns_remember(person.id, columns=columns)
    return redirect(back(",".join(columns)))


def _place(posted: Any, name: str) -> int:
    text = posted.get(f"place-{name}", "")
    return int(text) if text.isdecimal() and len(text) < 4 else 999


def href_of_list(request: HttpRequest, slug: str) -> Any:
    """The list's address as it was, with other columns."""
    query = QueryDict(request.POST.get("query", "")[:8000])
    return lambda columns: href_with(reverse("deals", args=[slug]), query, columns=columns)
