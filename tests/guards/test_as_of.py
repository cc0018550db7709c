"""Every report answers for any past instant: it takes as_of, knowledge and org_chart, says so, edits nothing, and shows
nobody more than they may see today.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.utils import timezone

from otc.api.schema import schema_text
from otc.tenancy.context import use
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage
from pipeline.risk.models import Risk
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.guards.report_house import build_report_house, days_ago
from tests.guards.routes import page_routes
from tests.guards.surface import Looker, looker
from tests.guards.test_surfaces import report_endpoints
from tests.pipeline.past_deals import past_deal

FRAME = ("as_of", "knowledge", "org_chart")
# Pages of numbers outside the frame of the others, with the reason why a past day means nothing there.
OF_TODAY = {"lead_sources": "leads have no versions: a cohort stands as it is known today"}
# Pages that only take what was typed, lead elsewhere, or are a part of another one.
NO_PAGES = {
    "forecast_call",
    "forecast_lock",
    "forecast_remind",
    "inspection_flow",
    "lines_preview",
    "quota_season",
    "quotas_paste",
    "quotas_save",
}
ROOMS = ("forecasting", "postmortem")
# Rules and what they told of: entries with their own instants, not numbers as of one.
NO_REPORTS = ("forecasting.alerts", "forecasting.pay", "forecasting.rhythm", "forecasting.types")


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """A small house with a past, built once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_report_house(deals=30)
        transaction.set_rollback(True)


def pages() -> list[str]:
    """The paths of the pages with numbers, below the organization's address."""
    found = []
    for route in page_routes():
        room = route.view.__module__
        is_report = room.startswith(ROOMS) or route.name in ("deals", "board", "health")
        is_report = is_report and not room.startswith(NO_REPORTS)
        if is_report and not route.parts and route.name not in NO_PAGES | OF_TODAY.keys():
            found.append(route.url({"slug": "halden"}).split("/halden/", 1)[1])
    return sorted(found)


def get(eyes: Looker, path: str, **asked: str) -> Any:
    return eyes.browser.get(eyes.house.url(f"{path}?{urlencode(asked)}"))


def main_of(html: str) -> str:
    """The page without bar and navigation."""
    return html.split("<main", 1)[-1].split("</main>", 1)[0]


def test_there_are_reports() -> None:
    assert {"inspection/", "flow/", "forecast/", "winloss/", "deals/"} <= set(pages())


def test_every_endpoint_of_a_report_takes_the_whole_frame(db: None) -> None:
    paths = json.loads(schema_text())["paths"]
    for path in report_endpoints():
        names = {parameter["name"] for parameter in paths[path]["get"]["parameters"]}
        assert set(FRAME) <= names, path


def test_every_page_takes_the_whole_frame_says_that_it_is_past_and_has_nothing_to_edit(
    db: None, lived: House
) -> None:
    eyes, day = looker(lived, "eve", {}), (timezone.now() - timedelta(days=20)).date().isoformat()
    for turn, path in enumerate(pages()):
        for name in FRAME:
            assert get(eyes, path, **{name: "nonsense"}).status_code == 400, (path, name)
        # Half of the pages as it was known then, half as it is known now.
        more = {"knowledge": "now", "org_chart": "now"} if turn % 2 else {}
        past = get(eyes, path, as_of=day, **more)
        assert past.status_code == 200, path
        assert 'class="banner' in past.content.decode(), path
        assert editors_in(past) == [], path
        today = get(eyes, path)
        assert 'class="banner' not in today.content.decode(), path
        # Negative control: today's list of deals has cells to edit.
        assert path != "deals/" or "data-cell" in editors_in(today)


def editors_in(answer: Any) -> list[str]:
    """Cells that become editors, forms that write, keys that make a new deal."""
    # Only files may be asked for by a form that posts.
    form = r'<form method="post" action="(?!/o/halden/deals/exports/)'
    cells = ("data-cell", "data-grid", "hx-post", "data-move-url", 'draggable="true"', "/deals/new")
    page = main_of(answer.content.decode())
    return [word for word in (*cells, form) if re.search(word, page)]


def test_writing_refuses_a_past_instant(db: None, lived: House) -> None:
    """An address that says as of when is never one that writes, by any door."""
    with transaction.atomic():
        with use(lived.organization.id):
            deal = deal_with(owner_id=lived.ana.id, amount_minor=100, close_date=day_in_house())
        eyes, day = looker(lived, "ana", {}), (timezone.now() - timedelta(days=20)).date().isoformat()
        answer = eyes.caller.patch(f"opportunities/{deal.id}?as_of={day}", {"amount_minor": 900})
        assert (answer.status_code, "as_of" in answer.content.decode()) == (400, True)
        page = eyes.house.url(f"deals/{deal.id}/edit/amount/")
        assert eyes.browser.post(f"{page}?as_of={day}", {"value": "9"}).status_code == 400
        with use(lived.organization.id):
            assert Opportunity.objects.get(id=deal.id).amount_minor == 100
        # Negative control: without it, both write.
        assert eyes.caller.patch(f"opportunities/{deal.id}", {"amount_minor": 900}).status_code == 200
        eyes.browser.post(page, {"value": "7", "base": "9.00"})
        with use(lived.organization.id):
            assert Opportunity.objects.get(id=deal.id).amount_minor == 700
        transaction.set_rollback(True)


def test_the_past_shows_nobody_more_than_they_may_see_today(db: None, lived: House) -> None:
    """A deal was of max's team twenty days ago; now it is eve's: max reads its name nowhere, on no day."""
    with transaction.atomic():
        past_deal(
            lived,
            (days_ago(40), {"name": "Zanzibar", "owner_id": lived.jon.id, "amount_minor": 7_000_000}
             | {"close_date": day_in_house(), "category": "commit"}),
            (days_ago(3), {"owner_id": lived.eve.id}),
        )  # fmt: skip
        day = (timezone.now() - timedelta(days=20)).date().isoformat()
        maxs, eves = (looker(lived, name, {"as_of": day, "period": "year"}) for name in ("max", "eve"))
        said = {path: get(maxs, path, **maxs.parameters) for path in pages()}
        for path in report_endpoints():
            said[path] = maxs.caller.get(f"{path.removeprefix('/api/v1/')}?{urlencode(maxs.parameters)}")
        assert [path for path, answer in said.items() if "Zanzibar" in answer.content.decode()] == []
        # Negative control: whoever has it now sees it there.
        for path in ("inspection/", "deals/"):
            assert "Zanzibar" in get(eves, path, **eves.parameters).content.decode(), path
        transaction.set_rollback(True)


# As of an instant: what was said then.


def answers(eyes: Looker, **more: str) -> dict[str, Any]:
    """What every report's endpoint says, without the instant that it says it of."""
    found = {}
    # A sheet is of one person; its own tests ask for it.
    for path in sorted(path for path in report_endpoints() if "{" not in path):
        asked = {**eyes.parameters, **more}
        answer = eyes.caller.get(f"{path.removeprefix('/api/v1/')}?{urlencode(asked)}")
        if answer.status_code == 400 and "since" in asked:
            asked.pop("since")
            answer = eyes.caller.get(f"{path.removeprefix('/api/v1/')}?{urlencode(asked)}")
        assert answer.status_code == 200, (path, answer.content)
        said = answer.json()
        as_of = said.get("as_of") or said.get("frame", {}).get("as_of", "")
        found[path] = without_instants(said, as_of)
    return found


def without_instants(value: Any, as_of: str) -> Any:
    """An answer without when it was asked, and without the addresses that repeat it."""
    if isinstance(value, list):
        return [without_instants(entry, as_of) for entry in value]
    if isinstance(value, dict):
        return {
            name: without_instants(inner, as_of)
            for name, inner in value.items()
            if name not in ("as_of", "knowledge", "next")
        }
    return "as of" if value == as_of else value


def shake(house: House) -> None:
    """Edits of every kind, today: none of them may change what any past instant shows."""
    now = timezone.now()
    deals = list(Opportunity.objects.filter(deleted_at=None).order_by("name"))
    open_deals = [deal for deal in deals if deal.outcome is None]
    change(open_deals[0], amount_minor=123, category="commit")
    change(open_deals[1], close_date=now.date() + timedelta(days=400))
    change(open_deals[2], owner_id=house.eve.id)
    change(open_deals[3], deleted_at=now)
    change(open_deals[4], outcome="won", category="closed", closed_at=now, close_date=now.date())
    won = next(deal for deal in deals if deal.outcome == "won")
    change(won, outcome=None, category="best_case", closed_at=None)
    deal_with(name="New", owner_id=house.ana.id, amount_minor=77, close_date=now.date(), category="commit")


def test_as_of_an_instant_is_what_was_said_then(db: None, lived: House) -> None:
    with transaction.atomic():
        with use(lived.organization.id):
            # What is computed of the present only isn't kept: it must not be what makes the two unlike.
            Risk.objects.all().delete()
        since = (timezone.now() - timedelta(days=30)).date().isoformat()
        eyes = looker(lived, "eve", {"period": "year", "since": since})
        said = answers(eyes)
        instant = timezone.now()
        with use(lived.organization.id, channel="ui"):
            shake(lived)
        again = answers(eyes, as_of=instant.isoformat())
        assert again == said
        # Negative control: now says something else, in every report of deals.
        now = answers(eyes)
        assert [path for path in said if now[path] == said[path]] == []
        transaction.set_rollback(True)


KNOWLEDGE = ("then", "now")
# Reports of today that look back at another day.
COMPARING = ("waterfall", "flow", "inspection")


def figures(said: dict[str, Any]) -> dict[str, Any]:
    """What a report says in sums: who changed a deal and when is told as it is known at the report's instant."""
    return {name: value for name, value in said.items() if name not in ("as_of", "since", "to", "deals")}


def test_a_late_correction_changes_todays_knowledge_only(db: None, lived: House) -> None:
    with transaction.atomic():
        first = {"name": "Imported", "owner_id": lived.ana.id, "amount_minor": 4_000_000}
        with use(lived.organization.id):
            early, late = Stage.objects.order_by("position")[:2]
        first |= {"close_date": day_in_house(), "category": "commit", "stage_id": early.id}
        days = days_ago(40), days_ago(25), days_ago(5)
        moved = {"amount_minor": 5_000_000, "stage_id": late.id}
        deal = past_deal(lived, (days[0], first), (days[1], moved), (days[2], {"amount_minor": 6_000_000}))
        instant = (timezone.now() - timedelta(days=20)).isoformat()
        since = (timezone.now() - timedelta(days=30)).date().isoformat()
        eyes = looker(lived, "eve", {"period": "year", "since": since, "as_of": instant})
        then, now = answers(eyes, knowledge="then"), answers(eyes, knowledge="now")
        today = looker(lived, "eve", {"period": "year", "since": since})
        compared = {path: [today.api(path, knowledge=known) for known in KNOWLEDGE] for path in COMPARING}
        with use(lived.organization.id, channel="import"):
            state = {column: getattr(deal, column) for column in STATE_COLUMNS}
            # It had been worth more, and hadn't moved on before five days ago.
            still = {"stage_id": early.id}
            known_now = ({"amount_minor": 9_000_000, **still}, {"amount_minor": 8_000_000, **still}, {})
            enter_history(
                HistoryRow(opportunity_id=deal.id, at=at, provenance="imported", **state | corrected)
                for at, corrected in zip(days, known_now, strict=True)
            )
        assert answers(eyes, knowledge="then") == then
        for path, (was_then, was_now) in compared.items():
            assert figures(today.api(path, knowledge="then")) == figures(was_then), path
            assert figures(today.api(path, knowledge="now")) != figures(was_now), path
        unchanged = [path for path, said in answers(eyes, knowledge="now").items() if said == now[path]]
        # Win and loss counts closed deals: an open one's correction is nothing there.
        assert [path for path in unchanged if "winloss" not in path] == []
        transaction.set_rollback(True)
