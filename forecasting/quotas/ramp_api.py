"""Ramps over the API, read and written, all or none; and how a year is spread."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.quotas.api import NOBODY, QuotasResult, ids_by_mail, refused
from forecasting.quotas.queries import ramps_at, season_at
from forecasting.quotas.rules import MOST_MONTHS, MOST_PERCENT, Ramp, Season
from forecasting.quotas.seasons import season_set
from forecasting.quotas.services import QuotasRefused, RampWish, ramps_set
from otc.api.endpoints import Endpoint
from otc.api.parameters import MomentField, Strict
from otc.tenancy.services import fold

TAGS = ["forecasting"]
MOST_RAMPS = 1000


class AtQuery(Strict):
    at = MomentField(required=False, help_text="What held at this instant; default: now.")


class RampItem(serializers.Serializer):
    person_id = serializers.UUIDField()
    starts_on = serializers.DateField()
    shares = serializers.ListField(
        child=serializers.IntegerField(), help_text="Percent of the quota by month, then all of it."
    )


class RampList(serializers.Serializer):
    results = RampItem(many=True)


class RampInput(Strict):
    person_id = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False, max_length=254)
    starts_on = serializers.DateField(required=False)
    shares = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MOST_PERCENT),
        max_length=MOST_MONTHS,
        help_text="Percent by month from `starts_on`; empty: on no ramp.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["shares"] and not attrs.get("starts_on"):
            raise ValidationError({"starts_on": ["A ramp starts on a day"]})
        return attrs


class RampsInput(Strict):
    ramps = RampInput(many=True, allow_empty=False, help_text=f"At most {MOST_RAMPS:,}.")

    def validate_ramps(self, ramps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(ramps) > MOST_RAMPS:
            raise ValidationError([f"Set at most {MOST_RAMPS:,} ramps at once"])
        return ramps


class Ramps(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "POST": "manage_quotas"}

    @extend_schema(operation_id="quota_ramps", tags=TAGS, parameters=[AtQuery], responses=RampList)
    def get(self, request: Request) -> Response:
        """The ramps of the people whose deals you may see, as they hold now or held at an instant."""
        at: datetime = self.parameters(AtQuery).get("at") or self.tenant.now
        owners = self.tenant.visible.owners
        return Response(
            {
                "results": [
                    {"person_id": person_id, "starts_on": ramp.starts_on, "shares": list(ramp.shares)}
                    for person_id, ramp in sorted(ramps_at(at).items())
                    if owners.contains(person_id)
                ]
            }
        )

    @extend_schema(
        operation_id="quota_ramps_upsert", tags=TAGS, request=RampsInput, responses={200: QuotasResult}
    )
    def post(self, request: Request) -> Response:
        """Put people on ramps from now on, all or none; each fault names its row. Past days keep what was said."""
        asked = self.content(RampsInput)["ramps"]
        mails = ids_by_mail(one["email"] for one in asked if one.get("email"))
        wishes = [_wish(one, row, mails) for row, one in enumerate(asked, start=1)]
        try:
            changed = ramps_set(wishes, author=self.tenant.person, now=self.tenant.now)
        except QuotasRefused as refusal:
            return refused(refusal.faults)
        return Response({"changed": changed, "kept": len(wishes) - changed, "faults": []})


def _wish(one: dict[str, Any], row: int, mails: dict[str, UUID]) -> RampWish:
    ramp = Ramp(one["starts_on"], tuple(one["shares"])) if one["shares"] else None
    person_id = one.get("person_id") or mails.get(fold(one.get("email", "")), NOBODY)
    return RampWish(person_id, ramp, row)


class SeasonInput(Strict):
    kind = serializers.ChoiceField(["month", "quarter"])
    weights = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=999_999),
        max_length=12,
        help_text="Of the fiscal year’s 12 months or 4 quarters; empty: alike.",
    )


class QuotaSeasonEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "PUT": "manage_quotas"}

    @extend_schema(operation_id="quota_season", tags=TAGS, parameters=[AtQuery], responses=SeasonInput)
    def get(self, request: Request) -> Response:
        """How a year is shared out where no weights are given, as said last."""
        at: datetime = self.parameters(AtQuery).get("at") or self.tenant.now
        season = season_at(at) or Season("quarter", ())
        return Response({"kind": season.kind, "weights": list(season.weights)})

    @extend_schema(
        operation_id="quota_season_set", tags=TAGS, request=SeasonInput, responses={200: SeasonInput}
    )
    def put(self, request: Request) -> Response:
        """Share years out so from now on; quotas that stand stay."""
        asked = self.content(SeasonInput)
        season = Season(asked["kind"], tuple(asked["weights"]))
        try:
            season_set(season, author=self.tenant.person, now=self.tenant.now)
        except ValueError as problem:
            raise ValidationError({"weights": [str(problem)]}) from problem
        return Response({"kind": season.kind, "weights": list(season.weights)}, status=status.HTTP_200_OK)
