"""The API's description of itself: OpenAPI 3, public, with every refusal documented."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string", "description": "For programs."},
                "message": {"type": "string", "description": "For people."},
                "fields": {
                    "type": "object",
                    "description": "Messages by field of the body or the query.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    },
}
ALWAYS = {
    "400": "Some values are not understood; `fields` names them.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The token's role or scopes don't allow this.",
    "404": "Not there, or not visible to you: the same answer.",
    "429": "Too many requests; see Retry-After.",
}
FOR_WRITES = {
    "415": "The body is not JSON.",
    "422": "A rule of the house refuses this; `fields` says which.",
}


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "otc.api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from Settings, Tokens. It acts for its person, in its organization.",
        }


def document_errors(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give every operation the refusals that any of them can answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            problems = ALWAYS | (FOR_WRITES if method in ("post", "put", "patch", "delete") else {})
            for status, description in problems.items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result


@cache
def schema_text() -> str:
    """The whole schema as JSON; made once per process, since it only changes with the code."""
    return json.dumps(SchemaGenerator().get_schema(public=True), default=str)


def schema(request: HttpRequest) -> HttpResponse:
    """The schema for anybody: it says nothing about any organization."""
    return HttpResponse(schema_text(), content_type="application/json")
