"""`ETag` and `If-Match` of a deal: who says which version they read writes over no other."""

from uuid import UUID

from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from otc.api.errors import Problem, translate
from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.holding import hold

ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The deal's version, for `If-Match`; none of the past. Names of others may change under the same one.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` that you read: somebody wrote since, and this is refused with 412. Without it nothing is "
    "compared.",
)
STALE = OpenApiResponse(
    {"$ref": "#/components/schemas/Error"}, "Changed since the version that `If-Match` names."
)


class Stale(Exception):
    """The deal stands at another version than its writer read; `etag` names it."""

    def __init__(self, etag: str) -> None:
        super().__init__("changed since it was read")
        self.etag = etag


def stale_problem(stale: Stale) -> Problem:
    message = "Somebody changed this deal since you read it; read it again, then decide."
    return Problem(412, "precondition_failed", message, headers={"ETag": stale.etag})


translate(Stale, stale_problem)


def etag_of(opportunity_id: UUID) -> str:
    """The strong tag of a deal's present version. One query."""
    present = OpportunityVersion.objects.filter(valid_to=FOREVER, known_to=FOREVER)
    return _tag(present.values_list("id", flat=True).get(opportunity_id=opportunity_id))


def _tag(version_id: UUID) -> str:
    return f'"{version_id}"'


def check_match(request: Request, opportunity_id: UUID) -> None:
    """Hold the deal and raise Stale unless it stands as `If-Match` says; without that, nothing."""
    if "If-Match" not in request.headers:
        return
    named = parse_etags(request.headers["If-Match"])
    present = _tag(hold(opportunity_id).version_id)
    if "*" not in named and present not in named:
        raise Stale(present)
