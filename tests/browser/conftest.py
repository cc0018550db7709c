"""One Chromium per worker, pages signed in as a person, and what a page must not do while one looks at it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from otc.identity.models import User
from otc.tenancy.context import use
from pipeline.opportunities.services import opportunity_create
from tests.browser.chromium import ARGUMENTS, chromium_path
from tests.conftest import House, build_house

QUIET = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
# Milliseconds until something that should appear counts as missing: long, for a machine that is busy is no bug.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass
class Seat:
    """A page with everything that it complained of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    looks: int = 0
    # Widths and themes in which what stands around every page was looked at.
    shells_seen: set[tuple[int, str]] = field(default_factory=set)

    def open(self, path: str) -> Any:
        answer = self.page.goto(self.address + path)
        self.page.wait_for_load_state("load")
        # htmx takes the page a moment after it is loaded; who presses a key sooner than that is test_palette's.
        self.page.evaluate("() => new Promise((done) => setTimeout(done))")
        return answer

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """What is done inside posts a form, and the next page comes. An address that changes alone is no page."""
        posts = self.page.expect_response(lambda answer: answer.request.method == "POST")
        with self.page.expect_navigation(), posts:
            yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *QUIET])
        yield browser
        browser.close()


def finish_answers() -> None:
    """Wait for what the server still answers to a page that is gone: it must not outlive its database."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            # Listed a moment before it starts, it can't be waited for yet.
            while not thread.ident:
                time.sleep(0.01)
            thread.join(timeout=5)


def complains(said: Any) -> bool:
    """Errors, and what htmx warns of: a selector that finds nothing."""
    return said.type == "error" or (said.type == "warning" and said.text.startswith("htmx:"))


@pytest.fixture
def sit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Seat]]:
    """sit("ana@example.org", width=390, theme="dark"): a seat signed in; sit(None): at the door."""
    contexts = []

    def take(email: str | None, *, width: int = 1440, theme: str = "light", zone: str | None = None) -> Seat:
        height = 900 if width > 640 else 844
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, timezone_id=zone
        )
        contexts.append(context)
        if email is not None:
            client = Client()
            client.force_login(User.objects.get(email=email), backend=BACKEND)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        seat = Seat(context.new_page(), live_server.url)
        seat.page.on("console", lambda said: seat.complaints.append(said.text) if complains(said) else None)
        seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
        return seat

    yield take
    for context in contexts:
        context.close()
    finish_answers()


@pytest.fixture
def desk(transactional_db: None) -> tuple[House, UUID]:
    """The house with one deal of ana's, 100 EUR, in the first stage."""
    house = build_house()
    with use(house.organization.id):
        deal = opportunity_create(
            name="Kestrel Rail", owner_id=house.ana.id, amount_minor=100_00, now=datetime.now(UTC)
        ).opportunity
    return house, deal.id
