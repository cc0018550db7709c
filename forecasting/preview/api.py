"""What a new line or a leaving would do to a period's forecast, over the API: asked, not done."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import MINOR, PeriodItem, period_item
from forecasting.preview.report import COLUMNS, PersonChange, preview_report
from forecasting.preview.views import person_or_404
from otc.api.endpoints import Endpoint
from otc.api.parameters import Strict
from otc.question import ask
from otc.tenancy.models import Person
from otc.tenancy.services import CyclicLine, LastAdministrator, line_set, person_leave

KINDS = (("line", "The person reports to `manager_id`."), ("leaving", "The person's access ends."))


class PreviewInput(Strict):
    kind = serializers.ChoiceField(KINDS)
    person_id = serializers.UUIDField()
    manager_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="For a line: null makes the person a top."
    )
    period = serializers.CharField(required=False, max_length=8, help_text="2026-Q4; default: the present.")


PreviewColumns = type(
    "PreviewColumns",
    (serializers.Serializer,),
    {column: serializers.IntegerField(help_text=MINOR) for column in COLUMNS},
)


class PreviewRowItem(serializers.Serializer):
    person_id = serializers.UUIDField(allow_null=True, help_text="Null for unassigned.")
    name = serializers.CharField()
    manager_before = serializers.CharField(allow_blank=True)
    manager_after = serializers.CharField(allow_blank=True)
    before = PreviewColumns(help_text="Final amounts by column as they are.")
    after = PreviewColumns(help_text="The same as they would be.")


class PreviewItem(serializers.Serializer):
    period = PeriodItem()
    currency = serializers.CharField()
    is_conserved = serializers.BooleanField(help_text="Without adjustments the total stays what it is.")
    total_before = PreviewColumns()
    total_after = PreviewColumns()
    rows = PreviewRowItem(many=True, help_text="Whose amounts or manager would differ.")


class ForecastPreview(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "manage_people"}

    @extend_schema(
        operation_id="forecast_preview", tags=["forecasting"], request=PreviewInput, responses=PreviewItem
    )
    def post(self, request: Request) -> Response:
        """Whose amounts would move, before a line is changed or somebody leaves. Nothing is written."""
        asked = self.content(PreviewInput)
        person = person_or_404(asked["person_id"])
        question = ask(self.tenant, {"period": asked.get("period", "")})
        try:
            found = preview_report(question, lambda: self._change(asked, person))
        except (CyclicLine, LastAdministrator) as refusal:
            raise ValidationError({"manager_id": [str(refusal)]}) from refusal
        return Response(
            {
                "period": period_item(question.period),
                "currency": question.currency,
                "is_conserved": found.is_conserved,
                "total_before": {column: found.total[column][0] for column in COLUMNS},
                "total_after": {column: found.total[column][1] for column in COLUMNS},
                "rows": [row_item(row) for row in found.rows],
            }
        )

    def _change(self, asked: dict[str, Any], person: Person) -> None:
        if asked["kind"] == "leaving":
            person_leave(person, now=self.tenant.now, today=self.tenant.today)
            return
        manager_id = asked.get("manager_id")
        if manager_id is not None:
            person_or_404(manager_id)
        line_set(person, manager_id=manager_id, since=self.tenant.now)


def row_item(row: PersonChange) -> dict[str, Any]:
    return {
        "person_id": row.person_id,
        "name": row.name,
        "manager_before": row.manager_before,
        "manager_after": row.manager_after,
        "before": row.before,
        "after": row.after,
    }
