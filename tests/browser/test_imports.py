"""The whole way of a file, by hand, wide and narrow: chosen, mapped, checked, brought in, its refused rows fetched."""

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from otc.jobs.models import Job
from otc.jobs.services import run as run_job
from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from tests.browser.looking import troubles_at_both_widths
from tests.conftest import House, build_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVIL = "<img src=x onerror=alert(1)>"
ROWS = (
    "Key,Title,Rep,Phase,Worth,Due\n"
    f'K1,{EVIL},Ana Ruiz,Qualifyy,"1,200.50",03/04/2026\n'
    'K2,Heron,Ana Ruiz,Discover,"2,000.00",05/06/2026\n'
    'K3,Osprey,Nobody Known,Discover,"3,000.00",07/08/2026\n'
)


def work(house: House) -> None:
    """What the worker would do."""
    with use(house.organization.id):
        job = Job.objects.filter(kind="import_run").order_by("-created_at").values_list("id", flat=True)[0]
    run_job(house.organization.id, job)


def test_a_file_comes_in_by_hand(sit: Any, transactional_db: None, tmp_path: Path) -> None:
    house = build_house()
    path = tmp_path / f"{EVIL.replace('/', '')}.csv"
    path.write_text(ROWS)
    with override_settings(IMPORT_FOLDER=tmp_path / "imports"):
        seat = sit("ops@example.org")
        page, troubles = seat.page, []
        page.on("dialog", lambda dialog: troubles.append(f"a script ran: {dialog.message}"))
        seat.open(house.url("settings/imports/"))
        troubles += troubles_at_both_widths(seat, "list")
        page.set_input_files("#files", path)
        page.get_by_role("button", name="Upload").click()
        page.get_by_label("The file holds").select_option("opportunities")
        page.get_by_text("Missing: id over there").wait_for()
        for field, column in (
            ("external_id", "Key"), ("name", "Title"), ("owner", "Rep"), ("stage", "Phase"), ("amount", "Worth"),
            ("close_date", "Due"),
        ):  # fmt: skip
            with page.expect_response(lambda answer: answer.request.method == "POST"):
                page.locator(f"#from-{field}").select_option(label=column)
            page.wait_for_function(
                "([id, label]) => document.getElementById(id)?.selectedOptions[0]?.label === label",
                arg=[f"from-{field}", column],
            )
        page.locator("#problem-close_date").get_by_text("ambiguous").wait_for()
        troubles += troubles_at_both_widths(seat, "mapping")
        page.locator("#form-close_date").select_option("dmy")
        page.get_by_text("2026-04-03").wait_for()
        page.locator("#check:enabled").click()
        page.get_by_role("heading", name="Checking").wait_for()
        troubles += troubles_at_both_widths(seat, "progress")
        work(house)
        page.get_by_role("heading", name="2 rows would come in").wait_for()
        page.get_by_text("there is no person “Nobody Known”").wait_for()
        troubles += troubles_at_both_widths(seat, "checked")
        page.get_by_role("button", name="Bring in 2 rows").click()
        page.get_by_role("heading", name="Bringing in").wait_for()
        work(house)
        page.get_by_role("heading", name="2 rows came in").wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert "Nobody Known" in Path(download.value.path()).read_text(encoding="utf-8-sig")
        troubles += troubles_at_both_widths(seat, "applied")
        with use(house.organization.id):
            deal = Opportunity.objects.select_related("stage").get(external_id="K1")
        assert (deal.name, deal.stage.name, str(deal.close_date)) == (EVIL, "Qualify", "2026-04-03")
        for place in (
            "deals/?scope=everyone",
            "deals/board/?scope=everyone",
            f"deals/{deal.id}/",
            "settings/imports/",
        ):
            seat.open(house.url(place))
        assert troubles + seat.complaints == []
