"""Every state an opportunity was ever in, over the API."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import MomentField
from otc.fields.queries import Book
from otc.tenancy.models import FOREVER
from pipeline.fields.api import with_fields
from pipeline.history.models import Channel, OpportunityVersion, Provenance
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.api_shapes import STATE, StateItem

FRAME = {
    "id": "id",
    "opportunity_id": "opportunity_id",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
    "known_from": "known_from",
    "known_to": "known_to",
    "actor_id": "actor_id",
    "actor_name": "actor__name",
    "acted_for_id": "acted_for_id",
    "acted_for_name": "acted_for__name",
    "channel": "channel",
    "provenance": "provenance",
    "deleted_at": "deleted_at",
}
COLUMNS = FRAME | STATE
SORTS = {"valid_from": Sort("valid_from", datetime)}


class VersionItem(StateItem):
    """The deal as it was in [valid_from, valid_to), held by the system in [known_from, known_to)."""

    id = serializers.UUIDField()
    opportunity_id = serializers.UUIDField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True, help_text="Null: still true.")
    known_from = serializers.DateTimeField()
    known_to = serializers.DateTimeField(allow_null=True, help_text="Null: not corrected since.")
    actor_id = serializers.UUIDField(allow_null=True)
    actor_name = serializers.CharField(allow_null=True)
    acted_for_id = serializers.UUIDField(
        allow_null=True, help_text="The manager that the actor stood in for."
    )
    acted_for_name = serializers.CharField(allow_null=True)
    channel = serializers.ChoiceField(Channel.choices)
    provenance = serializers.ChoiceField(Provenance.choices)
    deleted_at = serializers.DateTimeField(allow_null=True)


class VersionQuery(PageQuery):
    sort = sort_field(SORTS, default="-valid_from")
    known_at = MomentField(required=False, help_text="The chain as it was known then; default: now.")


def versions_known(opportunity_id: UUID, *, known_at: datetime | None) -> Any:
    """The deal's versions as known at an instant (None: now)."""
    versions = OpportunityVersion.objects.filter(opportunity_id=opportunity_id)
    if known_at is None:
        return versions.filter(known_to=FOREVER)
    return versions.filter(known_from__lte=known_at, known_to__gt=known_at)


def version_item(row: dict[str, Any], book: Book) -> dict[str, Any]:
    """A row under its JSON names; what has no end yet ends at null."""
    item = {name: row[column] for name, column in COLUMNS.items()}
    for end in ("valid_to", "known_to"):
        item[end] = None if item[end] == FOREVER else item[end]
    return with_fields(item, book)


class OpportunityVersions(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="opportunity_versions_list",
        tags=["opportunities"],
        parameters=[VersionQuery],
        responses=page_schema(VersionItem),
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """Every state of one opportunity, without gaps, newest first."""
        self.check_visible(opportunity_id)
        parameters = self.parameters(VersionQuery)
        rows = versions_known(opportunity_id, known_at=parameters.get("known_at")).values(*COLUMNS.values())
        page = keyset_page(rows, parameters=parameters, sorts=SORTS)
        return Response(
            paged(request, page) | {"results": [version_item(row, self.book) for row in page.rows]}
        )
