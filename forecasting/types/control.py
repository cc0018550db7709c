"""The menu of forecast types in the bar of the forecast's pages; where there are none, there is no menu."""

from django.http import HttpRequest

from forecasting.types.models import ForecastType
from forecasting.types.queries import types_offered
from otc.ui.controls import Control, choice_control


def type_controls(request: HttpRequest, current: ForecastType | None) -> list[Control]:
    """All deals, and the types; a retired one only while an address names it. One query."""
    offered = types_offered()
    if current is not None and current not in offered:
        offered.append(current)
    if not offered:
        return []
    options = [("", "All deals"), *((one.slug, one.name) for one in offered)]
    slug = current.slug if current else ""
    return [
        choice_control(
            path=request.path, query=request.GET, key="type", current=slug, options=options, label="Type"
        )
    ]
