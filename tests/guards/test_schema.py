"""Does the API do what its schema says, whatever it is sent? Made-up requests against every operation, in-process."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import schemathesis
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from otc.wsgi import application
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.furnishing import furnish
from tests.guards.routes import endpoint_routes, real_values
from tests.nightly import IS_NIGHTLY

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
# The same few requests every time: a guard must not fail by chance on somebody else's change.
BOUNDED = settings(
    max_examples=100 if IS_NIGHTLY else 2,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def promises_broken(operation: Any, *, headers: dict[str, str], ids: dict[str, str]) -> list[str]:
    """What made-up requests to one operation bring to light: valid and invalid ones, about real things or none."""

    @BOUNDED
    @given(data=strategies.data())
    def ask(data: Any) -> None:
        mode = data.draw(strategies.sampled_from(list(GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # What a client resolves away (“..”) asks for another address than this operation's.
        is_elsewhere = any(not str(value).strip("./") for value in (case.path_parameters or {}).values())
        if case.path_parameters and (data.draw(strategies.booleans()) or is_elsewhere):
            case.path_parameters = {name: ids[name] for name in case.path_parameters}
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        ask()
    except (FailureGroup, Failure) as found:
        return [f"{operation.label}: {failure}" for failure in getattr(found, "exceptions", [found])]
    return []


@pytest.fixture
def broken(house: House) -> Callable[[], list[str]]:
    """Asks every operation, or those whose label starts so, and lists the broken promises."""
    furnish(house, owner=house.ana)
    # The generator's client doesn't unpack what comes compressed.
    headers = bearer(secret_of(house.ops)) | {"Accept-Encoding": "identity"}
    ids = {
        name: str(value)
        for route in endpoint_routes()
        for name, value in real_values(route, house=house).items()
    }

    def ask(label: str = "") -> list[str]:
        schema = schemathesis.openapi.from_wsgi("/api/v1/schema", application)
        operations = [found.ok() for found in schema.get_all_operations()]
        asked = [operation for operation in operations if operation.label.startswith(label)]
        assert asked
        return [fault for each in asked for fault in promises_broken(each, headers=headers, ids=ids)]

    return ask


@pytest.mark.django_db(transaction=True)
def test_no_request_breaks_the_api_or_its_promises(broken: Callable[[], list[str]]) -> None:
    assert broken() == []


@pytest.mark.django_db(transaction=True)
def test_an_answer_unlike_the_schema_is_reported(
    broken: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.opportunities.api.items", lambda rows, book: [{"id": 3} for _ in rows])
    assert any("schema" in fault for fault in broken("GET /api/v1/opportunities"))


@cache
def own_schema() -> dict[str, Any]:
    described: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return described


def test_the_schema_is_valid_openapi_and_complete() -> None:
    described = own_schema()
    validate_schema(described)
    paths = described["paths"]
    for route in endpoint_routes():
        address = "/" + route.address.replace("<uuid:", "{").replace(">", "}")
        methods = {method.upper() for method in paths[address] if method != "parameters"}
        assert methods == set(route.view.cls.actions), address  # type: ignore[attr-defined]  # DRF's as_view sets it


def test_every_operation_is_secured_and_documents_its_refusals() -> None:
    described = own_schema()
    for address, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["security"] == [{"token": []}], f"{method} {address}"
            assert {"400", "401", "403", "404", "429"} <= set(operation["responses"]), f"{method} {address}"
            assert all(p.get("description") or p["name"] for p in operation.get("parameters", []))


def test_no_two_shapes_share_a_name() -> None:
    """Of two components of one name the schema keeps one, and promises the wrong thing wherever the other is meant."""
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        SchemaGenerator().get_schema(request=None, public=True)
        said = list(GENERATOR_STATS._warn_cache)
    assert said == []
