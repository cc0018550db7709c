"""Quotas over the API: what is asked of whom, and many written at once, all or none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import MINOR
from forecasting.quotas.models import Quota
from forecasting.quotas.queries import holds_at
from forecasting.quotas.services import (
    MOST_AT_ONCE,
    QuotasRefused,
    QuotaWish,
    Unfit,
    quotas_checked,
    quotas_set,
)
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import MomentField, Strict
from otc.tenancy.models import FOREVER, Person
from otc.tenancy.services import fold

TAGS = ["forecasting"]
COLUMNS = (
    "id",
    "person_id",
    "period",
    "type_id",
    "amount_minor",
    "valid_from",
    "valid_to",
    "known_from",
    "known_to",
    "set_by_id",
    "reason",
)
SORTS = {"period": Sort("period", str)}


class QuotaItem(serializers.Serializer):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    period = serializers.CharField()
    type_id = serializers.UUIDField(allow_null=True, help_text="Null: of all deals.")
    amount_minor = serializers.IntegerField(
        help_text=MINOR.replace("`currency`", "the organization's currency")
    )
    valid_from = serializers.DateTimeField(help_text="1900: from the beginning.")
    valid_to = serializers.DateTimeField(help_text="9999: it still holds.")
    known_from = serializers.DateTimeField(help_text="Later than valid_from: it corrects what was mistyped.")
    known_to = serializers.DateTimeField(help_text="Before 9999: it was mistyped, and corrected then.")
    set_by_id = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class QuotaQuery(PageQuery):
    period = serializers.CharField(required=False, max_length=8)
    person_id = serializers.UUIDField(required=False)
    at = MomentField(required=False, help_text="The quotas that held at this instant; default: those of now.")
    sort = sort_field(SORTS, default="period")


class QuotaInput(Strict):
    """One quota: of a person, by id or by mail, for a month, quarter or year."""

    person_id = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False, max_length=254)
    period = serializers.CharField(max_length=8, help_text="2026-Q4, 2026-11 or 2026.")
    amount_minor = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=2**53, help_text="Null ends the quota."
    )
    currency = serializers.CharField(
        required=False, max_length=10, help_text="To be sure: another than the organization's is refused."
    )
    type_id = serializers.UUIDField(required=False, allow_null=True)


class QuotasInput(Strict):
    quotas = QuotaInput(many=True, allow_empty=False, help_text=f"At most {MOST_AT_ONCE:,}.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    dry_run = serializers.BooleanField(required=False, default=False)
    is_correction = serializers.BooleanField(
        required=False,
        default=False,
        help_text="What stands was mistyped: the amounts hold from its own start, known from now on.",
    )


class QuotaFault(serializers.Serializer):
    row = serializers.IntegerField(help_text="The place in `quotas`, from 1.")
    field = serializers.CharField()
    message = serializers.CharField()


class QuotasResult(serializers.Serializer):
    changed = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="That were so already.")
    faults = QuotaFault(many=True, help_text="Where there are any, nothing was written.")


class Quotas(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "POST": "manage_quotas"}

    @extend_schema(
        operation_id="quotas_list", tags=TAGS, parameters=[QuotaQuery], responses=page_schema(QuotaItem)
    )
    def get(self, request: Request) -> Response:
        """The quotas of the people whose deals you may see, as they hold now or held at an instant."""
        parameters = self.parameters(QuotaQuery)
        at: datetime | None = parameters.pop("at", None)
        holds = Q(valid_to=FOREVER, known_to=FOREVER) if at is None else holds_at(at, known=at)
        asked = {name: parameters[name] for name in ("period", "person_id") if parameters.get(name)}
        seen = self.tenant.visible.owners.matching("person")
        rows = Quota.objects.filter(seen, holds, **asked).values(*COLUMNS)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS)))

    @extend_schema(
        operation_id="quotas_upsert", tags=TAGS, request=QuotasInput, responses={200: QuotasResult}
    )
    def post(self, request: Request) -> Response:
        """Set many quotas from now on, all or none; each fault names its row. `dry_run` only checks."""
        asked = self.content(QuotasInput)
        tenant = self.tenant
        mails = ids_by_mail(one["email"] for one in asked["quotas"] if one.get("email"))
        wishes = [_wish(one, row, mails) for row, one in enumerate(asked["quotas"], start=1)]
        faults = quotas_checked(tenant.organization, wishes, calendar=tenant.calendar)
        if faults or asked["dry_run"]:
            return refused(faults)
        try:
            done = quotas_set(
                tenant.organization,
                wishes,
                author=tenant.person,
                calendar=tenant.calendar,
                now=tenant.now,
                reason=asked.get("reason", ""),
                is_correction=asked["is_correction"],
            )
        except QuotasRefused as refusal:
            return refused(refusal.faults)
        return Response({"changed": done.changed, "kept": done.kept, "faults": []})


def refused(faults: Sequence[Unfit]) -> Response:
    """What is wrong, by row; nothing was written."""
    found = [{"row": one.row, "field": one.field, "message": one.message} for one in faults]
    code = status.HTTP_422_UNPROCESSABLE_ENTITY if faults else status.HTTP_200_OK
    return Response({"changed": 0, "kept": 0, "faults": found}, status=code)


NOBODY = UUID(int=0)


def _wish(one: dict[str, Any], row: int, mails: dict[str, UUID]) -> QuotaWish:
    """Nobody stands for a mail that nobody has: the check says so."""
    person_id = one.get("person_id") or mails.get(fold(one.get("email", "")), NOBODY)
    return QuotaWish(
        person_id, one["period"], one["amount_minor"], one.get("type_id"), one.get("currency", ""), row
    )


def ids_by_mail(mails: Any) -> dict[str, UUID]:
    wanted = {fold(mail) for mail in mails}
    if not wanted:
        return {}
    people = Person.objects.exclude(email="").values_list("email", "id")
    return {fold(mail): person_id for mail, person_id in people if fold(mail) in wanted}
