"""A report's four surfaces: what the report says, and the same read off its page, its CSV and its endpoint."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from otc.calendar.rules import period_of, previous
from otc.identity.models import User
from otc.question import Question, ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from tests.api_client import Caller
from tests.conftest import House
from tests.days import day_in_house
from tests.guards.page_numbers import PageText, read_page

type Numbers = dict[tuple[Any, ...], Any]

PAGE, CSV, API = "page", "csv", "api"


@dataclass
class Looker:
    """A person who looks at one frame of a report: on the page, in the file, over the API, and inside."""

    house: House
    person: Person
    browser: Client
    caller: Caller
    parameters: dict[str, str] = field(default_factory=dict)

    def page(self, path: str, **more: str) -> Any:
        response = self.browser.get(self.house.url(path), {**self.parameters, **more})
        assert response.status_code == 200, (path, self.parameters, response.status_code)
        return response

    def csv(self, path: str, **more: str) -> list[dict[str, str]]:
        text = self.page(path, format="csv", **more).getvalue().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def api(self, path: str, **more: str) -> Any:
        url = path if path.startswith("http") else f"{path}?{urlencode({**self.parameters, **more})}"
        response = self.caller.get(url)
        assert response.status_code == 200, (url, response.content)
        return response.json()

    def question(self) -> Question:
        return ask(Tenant(self.house.organization, self.person, timezone.now()), self.parameters)


@dataclass(frozen=True)
class Surface:
    """A report. `page` and `endpoint` are the names of its addresses; `report` gives what a medium must show."""

    page: str
    endpoint: str
    report: Callable[[Question, str], Numbers]
    on_page: Callable[[Looker], Numbers]
    in_csv: Callable[[Looker], Numbers]
    over_api: Callable[[Looker], Numbers]

    def differences(self, looker: Looker) -> list[str]:
        """Every number of page, CSV or API that isn't the report's, and every one that is missing there."""
        found = []
        for medium, read_off in ((PAGE, self.on_page), (CSV, self.in_csv), (API, self.over_api)):
            with use(looker.house.organization.id):
                expected = self.report(looker.question(), medium)
            found += [f"{self.page} {medium}: {problem}" for problem in unlike(expected, read_off(looker))]
        return found


def text_of(response: Any) -> PageText:
    """The page as it is read: tables and hover titles."""
    return read_page(response.content.decode())


def unlike(expected: Numbers, found: Numbers) -> list[str]:
    keys = [*expected, *(key for key in found if key not in expected)]
    return [
        f"{key} is {found.get(key, 'missing')} instead of {expected.get(key, 'missing')}"
        for key in keys
        if found.get(key, "missing") != expected.get(key, "missing")
    ]


def looker(house: House, name: str, parameters: dict[str, str]) -> Looker:
    person: Person = house.people[name]
    browser = Client()
    browser.force_login(
        User.objects.get(id=person.user_id), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return Looker(house, person, browser, Caller(person), spelled(house, parameters))


def spelled(house: House, parameters: dict[str, str]) -> dict[str, str]:
    """A frame with names, periods and days ago as an address spells them."""
    today = day_in_house()
    quarter = period_of(today)
    periods = {
        "previous": previous(quarter).key,
        "year": str(today.year),
        "month": f"{today:%Y-%m}",
    }
    # The deals list has defaults of its own for both.
    found = {"scope": "everyone", "period": quarter.key, **parameters}
    if found["scope"] in house.people:
        found["scope"] = str(house.people[found["scope"]].id)
    found["period"] = periods.get(found["period"], found["period"])
    if found.get("as_of", "").isdecimal():
        found["as_of"] = (today - timedelta(days=int(found["as_of"]))).isoformat()
    return found
