"""Every address of the house, read from the resolver, and how to fill in its parts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import UUIDConverter

from otc.tenancy.context import use
from tests.conftest import House

PAGES, API = "o/<slug:slug>/", "api/v1/"
# What a part of an address is called where it isn't the name of its model.
MODEL_OF = {
    "token": "apitoken",
    "entry": "auditentry",
    "field": "customfield",
    "run": "importrun",
    "fiscal_calendar": "fiscalcalendar",
    "deal": "opportunity",
    "export": "dealexport",
    "member": "dealteammember",
    "line": "dealline",
    "link": "deallink",
    "comment": "dealcomment",
    "step": "undostep",
    "view": "dealview",
    "version": "opportunityversion",
    "approval": "approvalrequest",
    "pair": "duplicatepair",
    "touch": "plannedtouch",
    "reason": "closereason",
    "rule": "alertrule",
    "action": "agreedaction",
    "hook": "alerthook",
    "type": "forecasttype",
    "plan": "payplan",
}
# Parts that are words, not ids: one that is meant.
WORDS = {"field": "close_date", "code": "USD"}
# Addresses of the API that are no endpoint: the description of itself, and the one for everything else.
NO_ENDPOINTS = {"api-schema", "api-nothing"}


@dataclass(frozen=True)
class Route:
    """An address with its parts as `<converter:name>`, and the view that answers there."""

    address: str
    name: str
    view: Callable[..., Any]
    converters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"/{self.address}"

    @property
    def parts(self) -> dict[str, Any]:
        """The parts behind the organization's slug."""
        return {name: converter for name, converter in self.converters.items() if name != "slug"}

    def url(self, values: Mapping[str, Any]) -> str:
        url = self.address
        for name in self.converters:
            for spelled in (
                f"<{name}>",
                *(f"<{kind}:{name}>" for kind in ("slug", "uuid", "str", "int", "path")),
            ):
                url = url.replace(spelled, str(values[name]))
        assert "<" not in url and "(" not in url, f"can't fill in {self}"
        return f"/{url}"


def routes(urlpatterns: Any = None, *, prefix: str = "", converters: Any = None) -> Iterator[Route]:
    """Every route below `urlpatterns`, by default all of them."""
    for entry in get_resolver().url_patterns if urlpatterns is None else urlpatterns:
        address = prefix + str(entry.pattern)
        known = {**(converters or {}), **entry.pattern.converters}
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, prefix=address, converters=known)
        elif isinstance(entry, URLPattern):
            yield Route(address, entry.name or "", entry.callback, known)


def page_routes() -> tuple[Route, ...]:
    return tuple(route for route in _routes_of(settings.ROOT_URLCONF) if route.address.startswith(PAGES))


def endpoint_routes() -> tuple[Route, ...]:
    found = [route for route in _routes_of(settings.ROOT_URLCONF) if route.address.startswith(API)]
    return tuple(route for route in found if route.name not in NO_ENDPOINTS)


@cache
def _routes_of(urlconf: str) -> tuple[Route, ...]:
    """All that `urlconf` has, which must be the one in force; read once, for it is asked for hundreds of times."""
    return tuple(routes())


def some_values(route: Route, *, slug: str = "") -> dict[str, Any]:
    """Parts that fit and lead nowhere."""
    nowhere = {
        name: uuid4() if isinstance(kind, UUIDConverter) else WORDS.get(name, 1)
        for name, kind in route.parts.items()
    }
    return {**nowhere, "slug": slug}


def real_values(route: Route, *, house: House) -> dict[str, Any]:
    """Parts that name furnished things of `house`. A part that is called unlike its model belongs into MODEL_OF."""
    values: dict[str, Any] = {"slug": house.organization.slug}
    with use(house.organization.id):
        for name, kind in route.parts.items():
            values[name] = _one_of(name) if isinstance(kind, UUIDConverter) else WORDS.get(name, 1)
    return values


def _one_of(part: str) -> UUID:
    noun = part.removesuffix("_id")
    model_name = MODEL_OF.get(noun, noun.replace("_", ""))
    model: Any = next((found for found in apps.get_models() if found._meta.model_name == model_name), None)
    assert model is not None, (
        f"which model does <uuid:{part}> name? Add it to MODEL_OF in tests/guards/routes.py"
    )
    rows = model.objects.order_by("id")
    if model_name == "opportunity":
        rows = rows.filter(outcome__isnull=True)
    found: UUID = rows.values_list("id", flat=True)[0]
    return found
