"""How a report over the API says what it is of: the question, beside its answer."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from otc.api.parameters import FrameQuery
from otc.calendar.rules import Period
from otc.money.rules import CurrencySum
from otc.question import Question

MINOR = "Minor units of `currency`."


class PeriodItem(serializers.Serializer):
    key = serializers.CharField(help_text="As `period` takes it: 2026-Q4.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field of ours, which DRF takes off the class
    first = serializers.DateField(help_text="The first day inside.")
    end = serializers.DateField(help_text="The first day after it.")


class FrameItem(serializers.Serializer):
    """What the numbers are of, as it was understood."""

    period = PeriodItem()
    scope = serializers.CharField(
        help_text="A person's id, `unassigned` or `everyone`: all that you may see."
    )
    as_of = serializers.DateTimeField()
    knowledge = serializers.CharField(help_text="then or now.")
    org_chart = serializers.CharField(help_text="then or now.")
    currency = serializers.CharField(
        help_text="The currency of every sum: the organization's, or the one asked for."
    )


class SinceQuery(FrameQuery):
    """A frame with an instant to compare with."""

    since = serializers.CharField(
        required=False,
        max_length=40,
        help_text="Compare with: `monday`, `period` (its first day), `visit` (your last look at the page) or a day.",
    )


class UnconvertibleItem(serializers.Serializer):
    """A deal that belongs here and has no rate: in no sum."""

    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    amount_minor = serializers.IntegerField(help_text="Minor units of the deal's own currency.")
    currency = serializers.CharField()


class UnconvertibleSumItem(serializers.Serializer):
    """What the deals without a rate come to in a currency of their own: beside the sums, in none of them."""

    currency = serializers.CharField()
    count = serializers.IntegerField(help_text="Deals.")
    amount_minor = serializers.IntegerField(help_text="Minor units of that currency.")


def unconvertible_sum_items(sums: Iterable[CurrencySum]) -> list[dict[str, Any]]:
    return [asdict(one) for one in sums]


def period_item(period: Period) -> dict[str, Any]:
    return {"key": period.key, "label": period.label, "first": period.first, "end": period.end}


def frame_item(question: Question) -> dict[str, Any]:
    """The frame as JSON, common to all reports."""
    frame = question.frame
    return {
        "period": period_item(question.period),
        "scope": question.scope,
        "as_of": question.as_of,
        "knowledge": frame["knowledge"],
        "org_chart": question.org_chart,
        "currency": question.currency,
    }


def unconvertible_items(deals: Any) -> list[dict[str, Any]]:
    """Deals without a rate, in their own currencies."""
    return [
        {
            "deal_id": deal.opportunity_id,
            "name": deal.name,
            "amount_minor": deal.amount_minor,
            "currency": deal.currency,
        }
        for deal in deals
    ]
