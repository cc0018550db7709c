"""Lists of deals by `age`: those that a band of the trends sums, by the day that the question asks of."""

from datetime import timedelta
from typing import Any

from forecasting.trends.rules import BANDS, Band
from otc.question import BadQuestion, Question
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.narrowing import Narrowing

PARAMETER = "age"


def read_age(text: str, question: Question) -> Narrowing:
    """The deals of the band that begins with so many days. Raises BadQuestion."""
    band = band_named(text)
    if band is None:
        allowed = ", ".join(str(band.first) for band in BANDS)
        raise BadQuestion(PARAMETER, f"“{text[:10]}” begins no age; write one of {allowed}")
    bounds = {}
    if band.end is not None:
        bounds["gte"] = question.start_of(question.day - timedelta(days=band.end - 1))
    if band.first:
        bounds["lt"] = question.start_of(question.day - timedelta(days=band.first - 1))

    def narrow(rows: Any) -> Any:
        column = "opportunity__created_at" if rows.model is OpportunityVersion else "created_at"
        return rows.filter(**{f"{column}__{name}": instant for name, instant in bounds.items()})

    return narrow


def band_named(text: str) -> Band | None:
    return next((band for band in BANDS if str(band.first) == text), None)


def age_label(text: str) -> str:
    band = band_named(text)
    return f"Created {band.label} before" if band else ""
