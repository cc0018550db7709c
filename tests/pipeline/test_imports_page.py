"""Imports on a page: upload, mapping, check, import, cancel, refused rows, and who may do what."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.imports import carrying_out, services
from otc.imports.models import ImportRow, ImportRun, SavedMapping
from otc.imports.runs import forget_old
from otc.imports.uploads import incoming_folder
from otc.jobs.models import Job
from otc.jobs.services import run as run_job
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity
from tests.cluster import SHARED_DATA
from tests.conftest import House

pytestmark = pytest.mark.django_db

DEALS = (
    "Deal Key,Title,Sales Rep,Phase,Worth,Due\n"
    'D1,Kestrel,Ana Ruiz,Qualify,"1,200.50",12/31/2026\n'
    "D2,Heron,Ana Ruiz,Discover,900.00,01/05/2027\n"
)
MAPPED = {
    "kind": "opportunities",
    "mapping": "1",
    "from-external_id": "c0",
    "from-name": "c1",
    "from-owner": "c2",
    "from-stage": "c3",
    "from-amount": "c4",
    "from-close_date": "c5",
}


class Desk:
    """A browser at the imports page, and the worker that does what it asks for."""

    def __init__(self, house: House, browser: Client) -> None:
        self.house, self.browser = house, browser

    def url(self, path: str = "") -> str:
        return self.house.url(f"settings/imports/{path}")

    def upload(self, text: str | bytes, name: str = "deals.csv") -> Any:
        content = text if isinstance(text, bytes) else text.encode()
        return self.browser.post(
            self.url("upload/"), {"files": SimpleUploadedFile(name, content)}, follow=True
        )

    def run(self) -> ImportRun:
        with use(self.house.organization.id):
            found: ImportRun = ImportRun.objects.order_by("-started_at").first()
        return found

    def post(self, action: str, data: dict[str, str] | None = None) -> Any:
        return self.browser.post(self.url(f"{self.run().id}/{action}/"), data or {}, follow=True)

    def work(self) -> ImportRun:
        with use(self.house.organization.id):
            job: UUID = (
                Job.objects.filter(kind="import_run").order_by("-created_at").values_list("id", flat=True)[0]
            )
        run_job(self.house.organization.id, job)
        return self.run()

    def page(self) -> str:
        return str(self.browser.get(self.url(f"{self.run().id}/")).content.decode())


@pytest.fixture
def desk(house: House, signed_in: Callable[[Person], Client], tmp_path: Path) -> Iterator[Desk]:
    with override_settings(IMPORT_FOLDER=tmp_path / "imports", IMPORT_MAX_BYTES=2 * 1024**2):
        yield Desk(house, signed_in(house.ops))


def stored(desk: Desk) -> list[Path]:
    return [
        path
        for path in (settings.IMPORT_FOLDER / str(desk.house.organization.id)).glob("*")
        if path.is_file()
    ]


def test_a_file_goes_from_upload_to_deals(desk: Desk) -> None:
    desk.upload(DEALS)
    page = desk.post("mapping", {"kind": "opportunities"}).content.decode()
    assert "Missing" in page and "id over there" in page
    page = desk.post("mapping", MAPPED).content.decode()
    assert "ready to be checked" in page and "1200.50" in page and "2026-12-31" in page
    desk.post("mapping", MAPPED | {"action": "check"})
    run = desk.work()
    assert (run.state, run.created_count, run.refused_count) == ("checked", 2, 0)
    with use(desk.house.organization.id):
        assert not Opportunity.objects.exists()
    assert "2 rows would come in" in desk.page()
    desk.post("apply")
    run = desk.work()
    assert (run.state, run.created_count) == ("applied", 2)
    assert "2 rows came in" in desk.page()
    assert f"{run.finished_at.astimezone(ZoneInfo(desk.house.organization.timezone)):%H:%M}" in desk.page()
    with use(desk.house.organization.id):
        deal = Opportunity.objects.select_related("owner").get(external_id="D1")
        assert (deal.amount_minor, str(deal.close_date), deal.owner.name) == (
            1200_50,
            "2026-12-31",
            "Ana Ruiz",
        )
        entry = AuditEntry.objects.get(action="import.applied")
        assert (entry.actor_id, entry.detail["created"]) == (desk.house.ops.id, 2)


def test_a_download_of_deals_comes_back_to_the_same_deals(desk: Desk) -> None:
    desk.upload(DEALS)
    for answers in ({"kind": "opportunities"}, MAPPED | {"action": "check"}):
        desk.post("mapping", answers)
    desk.work()
    desk.post("apply")
    desk.work()
    download = b"".join(
        desk.browser.get(desk.house.url("deals/?format=csv&scope=everyone")).streaming_content
    )
    page = desk.upload(download.replace(b"1200.50", b"1300.50"), name="ours.csv").content.decode()
    assert "ready to be checked" in page
    desk.post("mapping", {"action": "check"})
    run = desk.work()
    assert (run.state, run.created_count, run.updated_count, run.refused_count) == ("checked", 0, 2, 0)
    desk.post("apply")
    desk.work()
    with use(desk.house.organization.id):
        first, _ = Opportunity.objects.order_by("external_id")
        assert (first.external_id, first.amount_minor, first.attributes) == ("D1", 1300_50, {})


def test_deals_without_ids_are_known_by_account_and_name(desk: Desk) -> None:
    file = "Company,Deal,Amount,Close date\nHalden,Renewal,100,2027-03-01\nHalden,Seats,200,2027-03-01\n"
    assert "ready to be checked" in desk.upload(file).content.decode()
    assert desk.run().kind == "opportunities"
    assert 'value="named" selected' in desk.page()
    chosen = {"external_id": "named", "account": "c0", "name": "c1", "amount": "c2", "close_date": "c3"}
    answers = {f"from-{name}": answer for name, answer in chosen.items()} | {"kind": "opportunities"}
    desk.post("mapping", {**answers, "mapping": "1", "action": "check", "creates_missing": "1"})
    desk.work()
    desk.post("apply")
    assert desk.work().created_count == 2
    assert "deals/?scope=everyone" in desk.page()
    desk.upload(file.replace("200", "300"), name="next week.csv")
    desk.post("mapping", {"action": "check"})
    run = desk.work()
    assert (run.created_count, run.updated_count, run.unchanged_count) == (0, 1, 1)
    twice = file + "Halden,Seats,400,2027-03-01\n"
    desk.upload(twice, name="two alike.csv")
    desk.post("mapping", {"action": "check"})
    assert desk.work().refused_count > 0
    assert "deals/?scope=everyone" not in desk.page()


def test_a_name_chosen_by_hand_can_stand_for_the_id(desk: Desk) -> None:
    desk.upload(DEALS.replace("Deal Key,", "Nr,"))
    desk.post("mapping", {"kind": "opportunities"})
    named = MAPPED | {"from-external_id": "named"}
    assert "ready to be checked" in desk.post("mapping", named).content.decode()
    assert desk.run().mapping["columns"]["external_id"] == {"columns": ["Title"], "separator": " · "}
    page = desk.post("mapping", {**named, "from-name": ""}).content.decode()
    assert "Missing: id over there." in page


def test_a_file_of_column_names_alone_is_refused(desk: Desk) -> None:
    page = desk.upload(DEALS.splitlines()[0] + "\n").content.decode()
    assert "has no rows" in page and not stored(desk)


def test_the_mapping_is_kept_for_the_next_file_with_these_columns(desk: Desk) -> None:
    desk.upload(DEALS)
    desk.post("mapping", {"kind": "opportunities"})
    desk.post("mapping", MAPPED | {"action": "check", "creates_missing": "1"})
    desk.work()
    desk.upload(DEALS.replace("Kestrel", "Osprey"), name="next month.csv")
    run = desk.run()
    assert (run.file_name, run.kind, run.creates_missing) == ("next month.csv", "opportunities", True)
    assert run.mapping["columns"]["amount"] == "Worth"
    with use(desk.house.organization.id):
        assert SavedMapping.objects.count() == 1


def test_values_are_mapped_one_by_one_with_suggestions(desk: Desk) -> None:
    desk.upload(DEALS.replace("Qualify", "Qualifyy").replace("Discover", "Zenith"))
    desk.post("mapping", {"kind": "opportunities"})
    page = desk.post("mapping", MAPPED).content.decode()
    assert "suggested" in page and "their rows are refused" in page
    values = {
        "value-stage-0": "Qualifyy", "means-stage-0": "Qualify", "value-stage-1": "Zenith", "means-stage-1": "-"
    }  # fmt: skip
    desk.post("mapping", MAPPED | values | {"action": "check"})
    assert desk.run().mapping["columns"]["stage"]["values"] == {"Qualifyy": "Qualify", "Zenith": ""}
    assert desk.work().refused_count == 0


def test_the_check_shows_what_changes_from_what_to_what(desk: Desk) -> None:
    for text in (DEALS, DEALS.replace("900.00", "950.00")):
        desk.upload(text)
        desk.post("mapping", {"kind": "opportunities"})
        desk.post("mapping", MAPPED | {"action": "check"})
        desk.work()
        if text == DEALS:
            desk.post("apply")
            desk.work()
    run = desk.run()
    assert (run.created_count, run.updated_count, run.unchanged_count) == (0, 1, 1)
    changes = [(row["record"], row["field"], row["before"], row["after"]) for row in run.differences]
    assert changes == [("Heron", "amount", "900.00", "950.00")]
    assert "900.00" in desk.page() and "950.00" in desk.page()


def test_an_ambiguous_date_is_asked_for_at_its_column(desk: Desk) -> None:
    desk.upload(DEALS.replace("12/31/2026", "03/04/2026").replace("01/05/2027", "05/06/2026"))
    desk.post("mapping", {"kind": "opportunities"})
    page = desk.post("mapping", MAPPED).content.decode()
    assert "is ambiguous" in page and "not ready yet" in page
    page = desk.post("mapping", MAPPED | {"form-close_date": "dmy"}).content.decode()
    assert "ready to be checked" in page and "2026-04-03" in page


def test_refused_rows_come_back_as_a_file_that_can_be_mended(desk: Desk) -> None:
    rows = "external_id,name,amount,stage\nD1,=HYPERLINK(1),ten,Qualify\nD2,'-x,12.50,Nowhere\nD3,Fine,5.00,Qualify\n"
    desk.upload(rows)
    desk.post("mapping", {"kind": "opportunities", "action": "check"})
    if desk.run().state == "uploaded":
        desk.post("mapping", {"action": "check"})
    run = desk.work()
    assert (run.created_count, run.refused_count) == (1, 2)
    answer = desk.browser.get(desk.url(f"{run.id}/refused.csv"))
    found = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert found[0] == [
        "refused_line",
        "refused_column",
        "refused_reason",
        "external_id",
        "name",
        "amount",
        "stage",
    ]
    assert found[1][:2] == ["2", "amount"] and found[1][4] == "'=HYPERLINK(1)"
    assert found[2][:2] == ["3", "stage"] and found[2][4] == "''-x"
    mended = answer.getvalue().decode("utf-8-sig").replace(",ten,", ",10.00,").replace("Nowhere", "Discover")
    desk.upload(mended, name="mended.csv")
    desk.post("mapping", {"action": "check"})
    desk.work()
    desk.post("apply")
    assert desk.work().created_count == 2
    with use(desk.house.organization.id):
        names = set(Opportunity.objects.values_list("name", flat=True))
    assert names == {"=HYPERLINK(1)", "'-x"}


def test_a_cancelled_import_applies_nothing(desk: Desk) -> None:
    desk.upload(DEALS)
    desk.post("mapping", {"kind": "opportunities"})
    desk.post("mapping", MAPPED | {"action": "check"})
    page = desk.post("cancel").content.decode()
    assert "Cancelled: nothing of it is applied" in page
    assert desk.work().state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_running_import_hears_the_cancel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying_out, "LOOK_EVERY_SECONDS", 0.05)
    rows = "".join(f"D{n},Deal {n}\n" for n in range(20_000))
    desk.upload("external_id,name\n" + rows)
    desk.post("mapping", {"action": "check"})
    desk.work()
    desk.post("apply")
    stage, seen = services.stage_rows, []

    def ask() -> None:
        desk.post("cancel")
        connection.close()

    asking = Thread(target=ask)

    def slowly(job: Any, source: Any, *, kind: Any) -> int:
        def asked() -> Any:
            for number, row in enumerate(source):
                if number == 2_000:
                    asking.start()
                    asking.join()
                    sleep(1)
                seen.append(row.line)
                yield row

        return stage(job, asked(), kind=kind)

    monkeypatch.setattr(services, "stage_rows", slowly)
    run = desk.work()
    assert (run.state, bool(seen)) == ("cancelled", True)
    with use(desk.house.organization.id):
        assert not Opportunity.objects.exists()


def test_progress_can_be_left_and_shows_on_the_list(desk: Desk) -> None:
    desk.upload(DEALS)
    desk.post("mapping", {"kind": "opportunities"})
    page = desk.post("mapping", MAPPED | {"action": "check"}).content.decode()
    assert "every 1s" in page and "You can leave this page" in page
    listed = desk.browser.get(desk.url()).content.decode()
    assert "deals.csv" in listed and "Olga Petrova" in listed and "Being checked" in listed


def test_what_is_no_csv_is_refused_and_not_kept(desk: Desk) -> None:
    for content, word in (
        (b"PK\x03\x04" + b"x" * 1000, "workbook"),
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (b"\x1f\x8b\x08" + b"0" * 100, "compressed"),
        (b"a,a\n1,2\n", "more than once"),
    ):
        page = desk.upload(content, name="deals.csv").content.decode()
        assert word in page
    assert stored(desk) == []
    with use(desk.house.organization.id):
        assert not ImportRun.objects.exists()


def test_too_large_a_file_is_refused_while_it_comes(desk: Desk) -> None:
    page = desk.upload(b"a,b\n" + b"1,2\n" * 700_000).content.decode()
    assert "larger than 2 MB" in page
    assert stored(desk) == [] and list(incoming_folder().iterdir()) == []


def test_files_sent_elsewhere_are_dropped(desk: Desk) -> None:
    desk.browser.post(desk.house.url("settings/tokens/"), {"files": SimpleUploadedFile("a.csv", b"a\n1\n")})
    Client().post(desk.url("upload/"), {"files": SimpleUploadedFile("a.csv", b"a\n1\n")})
    assert not incoming_folder().exists()


def test_operations_read_and_bring_nothing_in(desk: Desk, signed_in: Callable[[Person], Client]) -> None:
    desk.upload(DEALS)
    with use(desk.house.organization.id):
        Person.objects.filter(id=desk.house.max.id).update(role="operations")
    reader = Desk(desk.house, signed_in(desk.house.max))
    assert "deals.csv" in reader.browser.get(reader.url()).content.decode()
    assert "Upload" not in reader.browser.get(reader.url()).content.decode()
    assert reader.browser.get(reader.url(f"{desk.run().id}/")).status_code == 200
    assert reader.browser.post(reader.url("upload/"), {}).status_code == 403
    for action in ("mapping", "apply", "cancel", "again", "forget"):
        assert reader.browser.post(reader.url(f"{desk.run().id}/{action}/")).status_code == 403


def test_files_and_refused_rows_are_forgotten(desk: Desk) -> None:
    desk.upload(DEALS)
    run = desk.run()
    assert len(stored(desk)) == 1
    with use(desk.house.organization.id):
        ImportRow(run=run, line=2, external_id="x", fingerprint="", cells=[]).save()
        assert forget_old(now=timezone.now() + timedelta(days=6)) == 0
        assert len(stored(desk)) == 1
        assert forget_old(now=timezone.now() + timedelta(days=8)) == 1
        assert stored(desk) == [] and ImportRow.objects.exists()
        forget_old(now=timezone.now() + timedelta(days=31))
        assert not ImportRow.objects.exists()
    desk.upload(DEALS, name="again.csv")
    desk.post("forget")
    assert stored(desk) == [] and desk.run().stored_as == ""


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is absent: exports can't be uploaded")
def test_the_shared_exports_come_in_whole_through_the_page(desk: Desk) -> None:
    exports = {
        "salesforce_export": ("Account", "Contact", "Opportunity", "OpportunityHistory"),
        "hubspot_seed": ("owner_data", "company_data", "deal_data", "deal_stage_data"),
    }
    for folder, names in exports.items():
        for name in names:
            content = (SHARED_DATA / folder / f"{name}.csv").read_bytes()
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]
            page = desk.upload(content, name=f"{name}.csv").content.decode()
            assert "ready to be checked" in page, name
            desk.post("mapping", {"action": "check"})
            checked = desk.work()
            assert (checked.state, checked.created_count, checked.refused_count) == (
                "checked",
                len(rows),
                0,
            ), name
            desk.post("apply")
            assert desk.work().created_count == len(rows), name
