"""The settings page of health: what each failed check costs, which are made, and what a change would do."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from otc.identity.tabs import settings_tabs
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.health.rules import BANDS, CHECKS, Scale
from pipeline.health.scale import MOST_PENALTY, bands_moved, scale_at, scale_set


class NotAPenalty(ValueError):
    """What was typed isn't a whole number of points; `check` says where."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_health")
def health_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/health/`: POST shows what the typed scale would change; POST with `confirm` sets it."""
    standing = scale_at(timezone.now())
    if request.method != "POST":
        return render(request, "pipeline/health/settings.html", context(request, standing))
    try:
        wanted = read_scale(request.POST)
    except NotAPenalty as problem:
        typed = context(request, standing) | {"typed_wrong": problem.check}
        for row in typed["rows"]:
            row["value"] = request.POST.get(row["check"].key, "")
            row["is_made"] = f"on.{row['check'].key}" in request.POST
            row["is_wrong"] = row["check"].key == problem.check
        return render(request, "pipeline/health/settings.html", typed, status=422)
    if "confirm" not in request.POST:
        return render(request, "pipeline/health/settings.html", context(request, wanted) | preview(wanted))
    step = scale_set(penalties=wanted.penalties, off=wanted.off)
    said = "Saved: every open deal is brought up to date now" if step else "The checks weigh that already"
    messages.success(request, said, extra_tags=undo_address(slug, step) if step else "")
    return redirect("health_settings", slug=slug)


def read_scale(typed: QueryDict) -> Scale:
    """The scale of a form: a number for each check, and which are made. Raises NotAPenalty."""
    penalties = {}
    for check in CHECKS:
        text = typed.get(check.key, "").strip()
        if not text.isdecimal() or not text.isascii() or len(text) > 3 or int(text) > MOST_PENALTY:
            raise NotAPenalty(check.key)
        if int(text) != check.penalty:
            penalties[check.key] = int(text)
    return Scale(penalties, frozenset(check.key for check in CHECKS if f"on.{check.key}" not in typed))


def context(request: HttpRequest, scale: Scale) -> dict[str, Any]:
    """The form as `scale` fills it."""
    return {
        "page_title": "Health",
        "tabs": settings_tabs(request, "health_settings"),
        "most": MOST_PENALTY,
        "is_published": not scale.penalties and not scale.off,
        "rows": [
            {
                "check": check,
                "value": scale.penalty(check),
                "is_made": check.key not in scale.off,
                "is_other": scale.penalty(check) != check.penalty,
            }
            for check in CHECKS
        ],
    }


def preview(wanted: Scale) -> dict[str, Any]:
    """How many open deals would change band, by from and to, and which checks nobody can foresee."""
    labels = {band.key: band.label for band in BANDS}
    order = [band.key for band in BANDS]
    moved = {pair: count for pair, count in bands_moved(wanted).items() if pair[0] != pair[1]}
    switched_on = scale_at(timezone.now()).off - wanted.off
    return {
        "is_preview": True,
        "moved_count": sum(moved.values()),
        "worse_count": sum(n for (a, b), n in moved.items() if order.index(b) > order.index(a)),
        "moved": [
            {"before": labels[before], "after": labels[after], "count": count}
            for (before, after), count in sorted(
                moved.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]))
            )
        ],
        "unforeseen": [check.title for check in CHECKS if check.key in switched_on],
    }
