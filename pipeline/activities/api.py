"""What happened around deals, over the API: list and log."""

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import MomentField, Strict
from otc.tenancy.reach import Reach
from pipeline.activities.models import Activity
from pipeline.activities.services import ALL_KINDS, DIRECTIONS, KINDS, activity_log
from pipeline.opportunities.queries import visible_opportunities
from pipeline.opportunities.rules import Refused
from pipeline.team.queries import seen

COLUMNS = (
    "id",
    "external_id",
    "opportunity_id",
    "at",
    "kind",
    "direction",
    "subject",
    "person_id",
    "contact_id",
    "created_at",
)
SORTS = {"at": Sort("at", datetime)}


class ActivityItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    opportunity_id = serializers.UUIDField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    direction = serializers.ChoiceField(DIRECTIONS, allow_blank=True)
    subject = serializers.CharField(allow_blank=True)
    person_id = serializers.UUIDField(allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class ActivityQuery(PageQuery):
    opportunity_id = serializers.UUIDField(required=False)
    person_id = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(ALL_KINDS, required=False)
    at_from = MomentField(required=False, help_text="This instant or later.")
    at_before = MomentField(required=False, help_text="Earlier than this instant.")
    sort = sort_field(SORTS, default="-at")


class ActivityInput(Strict):
    """`at` is now unless an earlier instant is given; `person_id` the token's person unless another is."""

    opportunity_id = serializers.UUIDField()
    kind = serializers.ChoiceField(KINDS)
    at = MomentField(required=False)
    direction = serializers.ChoiceField(DIRECTIONS, required=False, allow_blank=True)
    subject = serializers.CharField(required=False, allow_blank=True, max_length=500)
    person_id = serializers.UUIDField(required=False, allow_null=True)
    contact_id = serializers.UUIDField(required=False, allow_null=True)


def activity_rows(parameters: dict[str, Any], *, visible: Reach) -> Any:
    """Activities around deals that may be seen, as the filters ask."""
    conditions = {
        "opportunity_id": parameters.get("opportunity_id"),
        "person_id": parameters.get("person_id"),
        "kind": parameters.get("kind"),
        "at__gte": parameters.get("at_from"),
        "at__lt": parameters.get("at_before"),
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    found = Activity.objects.filter(
        seen(visible, deal="opportunity_id", owner="opportunity__owner"), opportunity__deleted_at__isnull=True
    )
    return found.filter(**given).values(*COLUMNS)


class Activities(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "log_activity"}

    @extend_schema(
        operation_id="activities_list",
        tags=["activities"],
        parameters=[ActivityQuery],
        responses=page_schema(ActivityItem),
    )
    def get(self, request: Request) -> Response:
        """Calls, meetings, e-mails and notes around opportunities that you may see."""
        parameters = self.parameters(ActivityQuery)
        rows = activity_rows(parameters, visible=self.tenant.visible)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS)))

    @extend_schema(
        operation_id="activities_log",
        tags=["activities"],
        request=ActivityInput,
        responses={201: ActivityItem},
    )
    def post(self, request: Request) -> Response:
        """Log what happened around an opportunity."""
        fields = {"at": self.tenant.now} | self.content(ActivityInput)
        opportunity_id = fields.pop("opportunity_id")
        if not visible_opportunities(self.tenant.visible).filter(id=opportunity_id).exists():
            raise Refused("opportunity_id", "There is no such opportunity")
        activity = activity_log(opportunity_id, now=self.tenant.now, **fields)
        return Response(Activity.objects.filter(id=activity.id).values(*COLUMNS).get(), status=201)
