"""The settings of fit: the scorecard as a table to type in, what it would do, and every version of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.fit.models import Scorecard
from pipeline.fit.queries import books, offered_attributes, scorecard, scorecard_now, scorecards
from pipeline.fit.report import criteria_of, fit_preview
from pipeline.fit.rules import (
    MOST_CRITERIA,
    RULE_WORDS,
    Criterion,
    FitRefused,
    Offered,
    asked_words,
    check_scorecard,
    read_criterion,
    values_text,
)
from pipeline.fit.services import scorecard_set

COLUMNS = ("name", "attribute", "rule", "wanted", "points")
SPARE_ROWS = 2
FAIR, GOOD = 40, 70


@page("manage_fit")
def fit_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/fit/`: the criteria; POST saves them as a version, with `preview` only counts."""
    offered = offered_attributes(books())
    if request.method != "POST":
        card = scorecard_now()
        criteria = criteria_of(card)
        bands = {"fair_percent": card.fair_percent, "good_percent": card.good_percent} if card else {}
        preview = fit_preview(criteria, **bands) if criteria else None
        return shown(request, offered, rows_of(criteria, offered), bands=bands, preview=preview)
    rows = typed_rows(request)
    typed_bands = {name: request.POST.get(name, "") for name in ("fair_percent", "good_percent")}
    try:
        bands = read_bands(typed_bands)
        criteria = tuple(read_rows(rows, offered))
        check_scorecard(criteria, **bands)
    except FitRefused as refusal:
        return shown(request, offered, rows, bands=typed_bands, refusal=refusal)
    if "preview" in request.POST:
        return shown(request, offered, rows, bands=bands, preview=fit_preview(criteria, **bands))
    made, step = scorecard_set(criteria=criteria, now=tenant_of(request).now, **bands)
    said = f"Deals are measured by version {made.number} now" if step else "Nothing is different"
    messages.success(request, said, extra_tags=undo_address(slug, step))
    return redirect("fit", slug=slug)


@page("manage_fit")
def fit_version(request: HttpRequest, slug: str, scorecard_id: UUID) -> HttpResponse:
    """`/settings/fit/<version>/`: one version; POST lets deals be measured by it again."""
    card = scorecard(scorecard_id)
    if card is None:
        raise Http404
    offered = offered_attributes(books())
    criteria = criteria_of(card)
    if request.method == "POST":
        made, step = scorecard_set(
            criteria=criteria,
            fair_percent=card.fair_percent,
            good_percent=card.good_percent,
            now=tenant_of(request).now,
        )
        said = f"Version {card.number} counts again, as version {made.number}"
        messages.success(request, said, extra_tags=undo_address(slug, step))
        return redirect("fit", slug=slug)
    labels = {one.key: one for one in offered}
    context = {
        "page_title": f"Scorecard {card.number}",
        "tabs": settings_tabs(request, "fit"),
        "card": card,
        "of": sum(one.points for one in criteria),
        "rows": [
            (one, label_of(one.attribute, labels), asked_words(one, labels.get(one.attribute)))
            for one in criteria
        ],
        "is_present": card.id == getattr(scorecard_now(), "id", None),
    }
    return render(request, "pipeline/fit/version.html", context)


def label_of(attribute: str, labels: Mapping[str, Offered]) -> str:
    found = labels.get(attribute)
    return found.label if found else f"{attribute} (retired)"


def rows_of(criteria: Sequence[Criterion], offered: Sequence[Offered]) -> list[dict[str, str]]:
    """The criteria as the table's rows begin."""
    labels = {one.key: one for one in offered}
    return [
        {
            "name": one.name,
            "attribute": one.attribute,
            "rule": one.rule,
            "wanted": values_text(one, labels.get(one.attribute)),
            "points": str(one.points),
        }
        for one in criteria
    ]


def typed_rows(request: HttpRequest) -> list[dict[str, str]]:
    """What was typed, row by row; rows without an attribute are none."""
    columns = [request.POST.getlist(name)[: MOST_CRITERIA + SPARE_ROWS] for name in COLUMNS]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=False)]
    return [row for row in rows if row["attribute"]]


def read_rows(rows: Sequence[Mapping[str, str]], offered: Sequence[Offered]) -> list[Criterion]:
    known = {one.key: one for one in offered}
    return [
        read_criterion(
            field=f"criteria.{number}",
            name=row["name"],
            offered=known.get(row["attribute"]),
            rule=row["rule"],
            typed=row["wanted"],
            points=row["points"].strip(),
        )
        for number, row in enumerate(rows, start=1)
    ]


def read_bands(typed: Mapping[str, str]) -> dict[str, int]:
    try:
        return {name: int(text) for name, text in typed.items()}
    except ValueError as problem:
        raise FitRefused("good_percent", "Bands begin at whole percentages, like 40 and 70") from problem


def shown(
    request: HttpRequest,
    offered: Sequence[Offered],
    rows: list[dict[str, str]],
    *,
    bands: Mapping[str, Any],
    preview: Any = None,
    refusal: FitRefused | None = None,
) -> HttpResponse:
    """The page; 422 with what was typed when `refusal` says why."""
    spare = [{"name": "", "attribute": "", "rule": "one_of", "wanted": "", "points": ""}] * SPARE_ROWS
    versions: list[Scorecard] = scorecards()
    context = {
        "page_title": "Fit",
        "tabs": settings_tabs(request, "fit"),
        "offered": offered,
        "rules": list(RULE_WORDS.items()),
        "rows": [*rows, *spare][:MOST_CRITERIA],
        "count": len(rows),
        "of": sum(int(row["points"]) for row in rows if row["points"].isdecimal()),
        "fair_percent": bands.get("fair_percent", FAIR),
        "good_percent": bands.get("good_percent", GOOD),
        "preview": preview,
        "is_tried": request.method == "POST" and refusal is None,
        "refusal": refusal,
        "refused_row": int(refusal.field.rpartition(".")[2])
        if refusal and refusal.field.startswith("criteria.")
        else 0,
        "versions": versions,
    }
    return render(request, "pipeline/fit/fit.html", context, status=422 if refusal else 200)
