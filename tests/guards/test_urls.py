"""Who may open which address? Every page and endpoint that the resolver knows, for every role, token and stranger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.views import APIView

from otc.api.endpoints import Endpoint
from otc.api.permissions import RoleAndScope, needed_scope
from otc.identity.models import ApiToken, User
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.tenancy.permissions import ACTIONS, may
from tests.api_client import bearer, secret_of
from tests.conftest import House, build_elsewhere, build_house, user_for
from tests.furnishing import furnish
from tests.guards.routes import Route, endpoint_routes, page_routes, real_values, routes, some_values
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.django_db

KNOWN_ACTIONS = frozenset().union(*ACTIONS.values())
METHODS = ("get", "post", "put", "patch", "delete")
ROLES = {"ana": "rep", "max": "manager", "eve": "executive", "ops": "administrator", "ria": "operations"}
SCOPES = (["read", "write"], ["read"], ["write"])
Faults = list[str]


@dataclass(frozen=True)
class Street:
    """Two furnished houses, and a browser per person: a sign-in for the integration too."""

    house: House
    elsewhere: House
    browsers: dict[str, Client]


@pytest.fixture(scope="module")
def street(django_db_setup: None, django_db_blocker: Any) -> Iterator[Street]:
    """Built once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_street(build_house(), build_elsewhere())
        transaction.set_rollback(True)


def build_street(house: House, elsewhere: House) -> Street:
    furnish(house, owner=house.ana)
    furnish(elsewhere, owner=elsewhere.zoe)
    with use(house.organization.id):
        Person.objects.filter(id=house.bot.id).update(user=user_for("bot"))
        people = {name: Person.objects.get(id=person.id) for name, person in house.people.items()}
    browsers = {name: browser_of(people[name]) for name in (*ROLES, "bot")}
    browsers["zoe"] = browser_of(elsewhere.zoe)
    return Street(house, elsewhere, browsers)


def browser_of(person: Person) -> Client:
    client = Client(raise_request_exception=False)
    user = User.objects.get(id=person.user_id)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


# Pages


def action_of(route: Route) -> str | None:
    return getattr(route.view, "action", None)


def unguarded(found: Sequence[Route]) -> Faults:
    """Pages without an action of the role table: nothing decides who may open them."""
    return [f"{route}: no known action" for route in found if action_of(route) not in KNOWN_ACTIONS]


def asked(roles: Mapping[str, str], *, action: str, turn: int) -> dict[str, str]:
    """Who knocks: all that the table keeps out, and of those whom it lets in another one at every address.

    OTC_NIGHTLY=1 asks as everybody everywhere.
    """
    inside = [name for name, role in roles.items() if may(role, action)]
    taken = inside if IS_NIGHTLY else one_of(inside, turn=turn)
    return {name: role for name, role in roles.items() if name in taken or name not in inside}


def one_of[Thing](things: Sequence[Thing], *, turn: int) -> list[Thing]:
    """Another one at every turn."""
    return [things[turn % len(things)]] if things else []


def role_faults(street: Street, *, roles: Mapping[str, str] = ROLES, within: str = "") -> Faults:
    """Pages that let in, or keep out, another role than the table says. Things of ana, asked for by GET.

    `within` narrows them to the addresses that have it.
    """
    faults = []
    for turn, route in enumerate(page_routes()):
        url = route.url(real_values(route, house=street.house))
        knocking = asked(roles, action=str(action_of(route)), turn=turn)
        for name, role in knocking.items() if within in url else ():
            code = street.browsers[name].get(url).status_code
            is_fine = code in (200, 302, 404, 405) if may(role, str(action_of(route))) else code in (403, 405)
            if not is_fine or (code == 404 and not route.parts):
                faults.append(f"{route}: {role} got {code}")
    return faults


def post_faults(street: Street) -> Faults:
    """The same by POST, to things that aren't there, so that nothing changes. The guard that GET was asked of at the
    same address answers first: of those whom it keeps out another one knocks each time.
    """
    faults = []
    for turn, route in enumerate(page_routes()):
        url = route.url(some_values(route, slug=street.house.organization.slug))
        knocking = asked(ROLES, action=str(action_of(route)), turn=turn)
        outside = [name for name, role in knocking.items() if not may(role, str(action_of(route)))]
        for name, role in knocking.items():
            if name in outside and not (IS_NIGHTLY or name in one_of(outside, turn=turn)):
                continue
            code = street.browsers[name].post(url).status_code
            is_fine = code < 500 and code not in (401, 403)
            if not may(role, str(action_of(route))):
                is_fine = code in (403, 405)
            if not is_fine:
                faults.append(f"{route}: POST by {role} got {code}")
    return faults


def test_every_page_names_an_action_of_the_role_table() -> None:
    assert len(page_routes()) > 5
    assert unguarded(page_routes()) == []


def test_a_page_without_an_action_is_reported() -> None:
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert len(unguarded(list(routes([path("bare/", bare)])))) == 1


def test_every_page_opens_for_the_roles_that_the_table_names(street: Street) -> None:
    assert role_faults(street) == []


def test_every_page_takes_posts_from_the_roles_that_the_table_names(street: Street) -> None:
    assert post_faults(street) == []


def test_a_page_that_lets_everybody_in_is_reported(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tenant, "may", lambda self, action: True)
    faults = role_faults(street, roles={"ana": "rep"}, within="/settings/c")
    assert any("rep got 200" in fault for fault in faults)


def test_a_stranger_meets_the_same_bytes_as_where_there_is_no_organization(street: Street) -> None:
    strangers = ("zoe", "bot")
    missing = {name: street.browsers[name].get("/o/nowhere/deals/").content for name in strangers}
    for turn, route in enumerate(page_routes()):
        values = real_values(route, house=street.house)
        nowhere = route.url(values | {"slug": "nowhere"})
        for name in strangers if IS_NIGHTLY else [strangers[turn % 2]]:
            # Whether the organization is there or not: the same bytes at every address, by every method. One that
            # isn't there has no address of its own: a part of them will do, unless there is time for all.
            asked = [("get", route.url(values)), ("post", route.url(values)), ("get", nowhere)]
            for method, url in asked if IS_NIGHTLY or turn % 4 == 0 else asked[:2]:
                answer = getattr(street.browsers[name], method)(url)
                assert answer.status_code == 404, f"{route}: {name} got {answer}"
                assert answer.content == missing[name], f"{route}: {name} can tell that it exists"


def test_a_thing_of_another_organization_looks_like_a_missing_one(street: Street) -> None:
    own = {"slug": street.elsewhere.organization.slug}
    nothing = street.browsers["zoe"].get(street.elsewhere.url(f"deals/{uuid4()}/")).content
    for route in page_routes():
        if not route.parts:
            continue
        foreign = route.url(real_values(route, house=street.house) | own)
        missing = route.url(some_values(route) | own)
        for method in ("get", "post"):
            ask = getattr(street.browsers["zoe"], method)
            answer = ask(foreign)
            # A missing thing is asked for too where the answer isn't the one that every missing thing gets.
            if IS_NIGHTLY or (answer.status_code, answer.content) != (404, nothing):
                other = ask(missing)
                codes = [answer.status_code, other.status_code]
                assert codes in ([404, 404], [405, 405]), f"{route}: {method} got {codes}"
                assert answer.content == other.content, f"{route}: zoe can tell that it exists"


def test_an_unknown_visitor_is_asked_to_sign_in_wherever_they_knock(street: Street) -> None:
    for route in page_routes():
        values = real_values(route, house=street.house)
        for slug in (values["slug"], "nowhere"):
            answer = Client().get(route.url(values | {"slug": slug}))
            assert answer.status_code == 302 and "/accounts/login/" in answer["Location"], str(route)


# Endpoints


def endpoint_of(route: Route) -> Any:
    return getattr(route.view, "cls", None)


def handlers(view: Any) -> set[str]:
    return {method.upper() for method in METHODS if hasattr(view, method)}


def undeclared(found: Sequence[Route]) -> Faults:
    """Endpoints of another make, methods without an action, actions that the role table doesn't know."""
    faults = []
    for route in found:
        view = endpoint_of(route)
        if not (isinstance(view, type) and issubclass(view, Endpoint)):
            faults.append(f"{route}: not an Endpoint")
        elif set(view.actions) != handlers(view) or not set(view.actions.values()) <= KNOWN_ACTIONS:
            faults.append(f"{route}: {handlers(view)} with actions {view.actions}")
        elif view.permission_classes != [RoleAndScope]:
            faults.append(f"{route}: decides by {view.permission_classes}")
    return faults


def calls(house: House, *, real: bool) -> Iterator[tuple[Route, str, str]]:
    """Every endpoint and method, and an address: of real things, or of things that aren't there."""
    for route in endpoint_routes():
        values = real_values(route, house=house) if real else some_values(route)
        for method in endpoint_of(route).actions:
            yield route, method, route.url(values)


def call(client: Client, method: str, url: str) -> Any:
    body = {} if method in ("GET", "DELETE") else {"data": {}, "content_type": "application/json"}
    return getattr(client, method.lower())(url, **body)


def caller(secret: str) -> Client:
    return Client(headers=bearer(secret), raise_request_exception=False)


def token_faults(street: Street, *, tried: Sequence[Sequence[str]] = SCOPES, within: str = "") -> Faults:
    """Calls that a role or a scope doesn't allow and that went through, or the other way round.

    `within` narrows them to the addresses that have it.
    """
    faults, roles = [], {name: person.role for name, person in street.house.people.items()}
    for name, person in street.house.people.items():
        # The scopes don't depend on the role: one person tries them all.
        for scopes in tried if name == "ana" else tried[:1]:
            client = caller(secret_of(person, scopes=scopes))
            for turn, (route, method, url) in enumerate(calls(street.house, real=False)):
                if name not in asked(roles, action=endpoint_of(route).actions[method], turn=turn):
                    continue
                if within not in url:
                    continue
                code = call(client, method, url).status_code
                allowed = needed_scope(method) in scopes and may(
                    person.role, endpoint_of(route).actions[method]
                )
                is_fine = code < 500 and code not in (401, 403, 405) if allowed else code == 403
                if not is_fine:
                    faults.append(f"{route}: {method} by {name} with {scopes} got {code}")
    return faults


def test_every_endpoint_names_an_action_for_each_method() -> None:
    assert len(endpoint_routes()) > 10
    assert undeclared(endpoint_routes()) == []


def test_an_endpoint_that_names_no_action_is_reported() -> None:
    class Silent(Endpoint):
        def get(self, request: Any) -> None: ...

    class Open(Endpoint):
        actions = {"GET": "view_deals"}
        permission_classes = []

        def get(self, request: Any) -> None: ...

    class Other(APIView): ...

    found = list(routes([path(view.__name__, view.as_view()) for view in (Silent, Open, Other)]))
    assert len(undeclared(found)) == 3


def test_every_endpoint_obeys_role_and_scope(street: Street) -> None:
    assert token_faults(street) == []


def test_an_endpoint_that_obeys_nothing_is_reported(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoleAndScope, "has_permission", lambda self, request, view: True)
    small = replace(street, house=replace(street.house, people={"ana": street.house.ana}))
    assert any("with ['read'] got" in fault for fault in token_faults(small, tried=[["read"]], within="/opp"))


def test_without_a_living_token_every_endpoint_is_401(street: Street) -> None:
    # The last of them ends the person's access.
    kinds = ("missing", "unknown", "expired", "revoked", "of one who left")
    every = list(calls(street.house, real=True))
    for number, kind in enumerate(kinds):
        client, bodies = dead_token(street.house.ops, kind), set()
        # Whoever has no token knocks everywhere, the others in turn.
        mine = every if IS_NIGHTLY or kind == "missing" else every[number - 1 :: len(kinds) - 1]
        for route, method, url in mine:
            answer = call(client, method, url)
            assert answer.status_code == 401 and answer["WWW-Authenticate"], f"{route}: {method}, {kind}"
            bodies.add(answer.content)
        assert len(bodies) == 1, kind


def dead_token(person: Person, kind: str) -> Client:
    if kind == "missing":
        return Client()
    if kind == "unknown":
        return caller("otc_unknown")
    secret = secret_of(person)
    past = timezone.now() - timedelta(days=2)
    with use(person.organization_id):
        if kind == "of one who left":
            Person.objects.filter(id=person.id).update(left_on=past.date())
        else:
            ApiToken.objects.update(**{"revoked_at" if kind == "revoked" else "expires_at": past})
    return caller(secret)


def test_a_foreign_thing_is_not_found_by_the_bytes_of_a_missing_one(street: Street) -> None:
    client = caller(secret_of(street.elsewhere.zoe))
    missing = client.get("/api/v1/nowhere").content
    for route, method, url in calls(street.house, real=True):
        if route.parts:
            answer = call(client, method, url)
            assert (answer.status_code, answer.content) == (404, missing), f"{route}: {method}"


def test_every_list_of_another_organization_is_empty_of_ours(street: Street) -> None:
    client = caller(secret_of(street.elsewhere.zoe))
    ours = str(street.house.organization.id), str(street.house.ana.id), "Ana Ruiz", "Halden"
    checked = 0
    for route, method, url in calls(street.house, real=True):
        if method == "GET" and not route.parts:
            answer = call(client, method, url)
            assert answer.status_code == 200, f"{route} got {answer.status_code}: {answer.content!r}"
            assert not any(word in answer.content.decode() for word in ours), str(route)
            checked += 1
    assert checked > 5


def test_an_address_that_leads_nowhere_is_401_or_404(street: Street) -> None:
    client = caller(secret_of(street.house.ana))
    for method in METHODS:
        assert call(Client(), method.upper(), "/api/v1/nowhere").status_code == 401
        assert call(client, method.upper(), "/api/v1/nowhere").status_code == 404
