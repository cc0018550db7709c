"""The audit over the API: read only, newest first, with the page's filters."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField
from otc.audit.asked import Asked, narrowed
from otc.audit.queries import FIELDS, entries, spelled
from otc.question import parse_uuid

SORTS = {"sequence": Sort("sequence", int)}


class AuditEntryItem(serializers.Serializer):
    """What docs/audit.md hashes: `hash` is over everything else."""

    id = serializers.UUIDField()
    organization_id = serializers.UUIDField()
    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_id = serializers.UUIDField(allow_null=True)
    actor_name = serializers.CharField(allow_blank=True)
    channel = serializers.CharField()
    action = serializers.CharField()
    subject_kind = serializers.CharField(allow_blank=True)
    subject_id = serializers.UUIDField(allow_null=True)
    summary = serializers.CharField(allow_blank=True)
    detail = serializers.DictField()
    request_id = serializers.CharField(allow_blank=True)
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class AuditQuery(PageQuery):
    person = serializers.CharField(
        required=False, max_length=40, help_text="Who acted: a person's id, or `nobody` for the house itself."
    )
    action = serializers.CharField(required=False, max_length=60, help_text="As `token.created`.")
    subject_kind = serializers.CharField(required=False, max_length=40)
    subject_id = serializers.UUIDField(required=False)
    first_day = DayField(required=False, help_text="From this day of the organization on.")
    last_day = DayField(required=False, help_text="Up to and with this day of the organization.")
    q = serializers.CharField(required=False, max_length=200, help_text="Words of the summary.")
    sort = sort_field(SORTS, default="-sequence")


class AuditEntries(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_audit"}

    @extend_schema(
        operation_id="audit_list",
        tags=["audit"],
        parameters=[AuditQuery],
        responses=page_schema(AuditEntryItem),
    )
    def get(self, request: Request) -> Response:
        """Who did what, with the chain's hashes; entries are never changed or deleted."""
        parameters = self.parameters(AuditQuery)
        rows = narrowed(entries(), _asked(parameters), zone=self.tenant.zone)
        page = keyset_page(rows.values(*FIELDS), parameters=parameters, sorts=SORTS)
        page.rows[:] = [spelled(row) for row in page.rows]
        return Response(paged(request, page))


def _asked(parameters: dict[str, Any]) -> Asked:
    person = parameters.get("person", "")
    return Asked(
        person=person if person in ("", "nobody") else str(parse_uuid(person, "person")),
        action=parameters.get("action", ""),
        subject_kind=parameters.get("subject_kind", ""),
        subject_id=parameters.get("subject_id"),
        first=parameters.get("first_day"),
        last=parameters.get("last_day"),
        words=parameters.get("q", ""),
    )
