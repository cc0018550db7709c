"""Who works here, over the API: the ids that `scope` and `owner_id` take."""

from datetime import date
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Person, Role

COLUMNS = ("id", "external_id", "name", "email", "role", "title", "territory", "left_on")
SORTS = {"name": Sort("name_folded", str)}


class PersonItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(Role.choices)
    title = serializers.CharField(allow_blank=True)
    territory = serializers.CharField(allow_blank=True)
    left_on = serializers.DateField(allow_null=True)
    manager_id = serializers.UUIDField(allow_null=True, help_text="By today's reporting line.")
    is_top = serializers.BooleanField(help_text="A declared top of the reporting lines.")


class PersonQuery(PageQuery):
    role = serializers.ChoiceField(Role.choices, required=False)
    is_here = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="true: has not left; false: has left."
    )


def person_rows(parameters: dict[str, Any], *, today: date) -> Any:
    """People that the filters ask for, with the column that sorts them."""
    rows = Person.objects.values(*COLUMNS, "name_folded")
    if role := parameters.get("role"):
        rows = rows.filter(role=role)
    if parameters.get("is_here") is not None:
        has_left = {"left_on__lte": today}
        rows = rows.exclude(**has_left) if parameters["is_here"] else rows.filter(**has_left)
    return rows


class People(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="people_list",
        tags=["people"],
        parameters=[PersonQuery],
        responses=page_schema(PersonItem),
    )
    def get(self, request: Request) -> Response:
        """Everybody of the organization, by name, with today's manager."""
        parameters = self.parameters(PersonQuery)
        page = keyset_page(
            person_rows(parameters, today=self.tenant.today), parameters=parameters, sorts=SORTS
        )
        manager_of = chart_at(self.tenant.now).manager_of
        for row in page.rows:
            del row["name_folded"]
            row["manager_id"] = manager_of.get(row["id"])
            row["is_top"] = row["id"] in manager_of and row["manager_id"] is None
        return Response(paged(request, page))
