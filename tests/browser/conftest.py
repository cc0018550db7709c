"""One Chromium per worker, pages signed in as a person, and what a page must not do while one looks at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from otc.identity.models import User
from tests.browser.chromium import ARGUMENTS, chromium_path

QUIET = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass
class Seat:
    """A page with everything that it complained of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        answer = self.page.goto(self.address + path)
        self.page.wait_for_load_state("load")
        return answer


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def sit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Seat]]:
    """sit("ana@example.org", width=390, theme="dark"): a seat signed in; sit(None): at the door."""
    contexts = []

    def take(email: str | None, *, width: int = 1440, theme: str = "light") -> Seat:
        height = 900 if width > 640 else 844
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        contexts.append(context)
        if email is not None:
            client = Client()
            client.force_login(User.objects.get(email=email), backend=BACKEND)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        seat = Seat(context.new_page(), live_server.url)
        seat.page.on(
            "console", lambda said: seat.complaints.append(said.text) if said.type == "error" else None
        )
        seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
        return seat

    yield take
    for context in contexts:
        context.close()
