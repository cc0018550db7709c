"""Files of deals: complete, of one moment, cancelled, only for whoever asked, and for a day."""

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from otc.jobs.models import Job
from otc.jobs.services import run
from otc.notices.models import Notice
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.exports import writing
from pipeline.exports.files import XlsxFile
from pipeline.exports.models import DealExport
from pipeline.exports.services import EXPORT_JOB, ExportRefused, export_ask, exports_forget, file_path
from pipeline.opportunities.services import opportunity_edit
from tests.days import day_in_house

pytestmark = pytest.mark.django_db
NASTY = "=HYPERLINK(1)"


@pytest.fixture
def deals(house, make_deal):
    with use(house.organization.id):
        return [
            make_deal(name, owner=house.ana, amount_minor=(n + 1) * 100_50)
            for n, name in enumerate(("Kestrel", NASTY, "Löwe & Söhne"))
        ]


def ask(client: Client, house: Any, format: str, query: str = "") -> UUID:
    answer = client.post(house.url("deals/exports/"), {"format": format, "query": query})
    return UUID(answer["Location"].rstrip("/").rsplit("/", 1)[-1])


def work(house: Any, export_id: UUID) -> DealExport:
    """Do its job, and give it back."""
    with use(house.organization.id):
        job = Job.objects.get(kind=EXPORT_JOB, subject=export_id)
    run(house.organization.id, job.id)
    with use(house.organization.id):
        return DealExport.objects.get(id=export_id)


def fetched(client: Client, house: Any, export_id: UUID) -> Any:
    return client.get(house.url(f"deals/exports/{export_id}/file/"))


def test_a_csv_holds_every_deal_of_the_list_and_a_notice_tells(house, deals, signed_in):
    client = signed_in(house.ana)
    export = work(house, ask(client, house, "csv", "sort=-amount"))
    assert (export.state, export.row_count, export.total_count) == ("done", 3, 3)
    answer = fetched(client, house, export.id)
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["Löwe & Söhne", f"'{NASTY}", "Kestrel"]
    assert [row["amount"] for row in rows] == ["301.50", "201.00", "100.50"]
    streamed = client.get(house.url("deals/?format=csv&sort=-amount")).getvalue().decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(streamed))) == rows
    with use(house.organization.id):
        notice = Notice.objects.get(person=house.ana)
    assert "3 deals is ready" in notice.text and str(export.id) in notice.path


def test_an_xlsx_holds_numbers_as_numbers_and_no_formula(house, deals, signed_in):
    client = signed_in(house.ana)
    export = work(house, ask(client, house, "xlsx"))
    assert export.state == "done", export.error
    book = zipfile.ZipFile(io.BytesIO(b"".join(fetched(client, house, export.id).streaming_content)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<v>100.50</v>" in sheet and NASTY in sheet
    assert sheet.count("<row ") == 4


def test_a_filter_narrows_the_file_as_it_does_the_list(house, deals, signed_in):
    client = signed_in(house.ana)
    export = work(house, ask(client, house, "csv", "q=kestrel"))
    assert export.total_count == 1


def test_only_who_asked_opens_it(house, deals, signed_in):
    export = work(house, ask(signed_in(house.ana), house, "csv"))
    for path in ("", "file/", "cancel/"):
        url = house.url(f"deals/exports/{export.id}/{path}")
        other = signed_in(house.max)
        assert (other.post if path == "cancel/" else other.get)(url).status_code == 404


def test_it_holds_what_the_asker_sees_at_the_time_it_is_made(house, deals, signed_in, make_deal):
    with use(house.organization.id):
        make_deal("Jonas’s", owner=house.jon)
    export = work(house, ask(signed_in(house.ana), house, "csv", "scope=everyone"))
    assert export.total_count == 3


def test_it_expires_and_its_file_is_deleted(house, deals, signed_in):
    client = signed_in(house.ana)
    export = work(house, ask(client, house, "csv"))
    with use(house.organization.id):
        path = file_path(export.stored_as)
        DealExport.objects.filter(id=export.id).update(expires_at=timezone.now())
    answer = fetched(client, house, export.id)
    assert answer.status_code == 302 and path.is_file()
    with use(house.organization.id):
        assert exports_forget(now=timezone.now()) == 1
    assert not path.exists()
    assert "has expired" in client.get(house.url(f"deals/exports/{export.id}/")).content.decode()


def test_one_that_waits_is_cancelled_at_once_and_never_made(house, deals, signed_in):
    client = signed_in(house.ana)
    export_id = ask(client, house, "csv")
    client.post(house.url(f"deals/exports/{export_id}/cancel/"))
    export = work(house, export_id)
    assert (export.state, export.stored_as) == ("cancelled", "")


def test_one_that_runs_stops_with_its_next_step_and_leaves_nothing(house, deals, signed_in, monkeypatch):
    client = signed_in(house.ana)
    export_id = ask(client, house, "csv")
    spool = writing._spool

    def spool_and_cancel(asked: Any) -> int:
        DealExport.objects.filter(id=export_id).update(is_cancel_asked=True)
        return spool(asked)

    monkeypatch.setattr(writing, "_spool", spool_and_cancel)
    export = work(house, export_id)
    assert export.state == "cancelled"
    with use(house.organization.id):
        assert list(file_path("").iterdir()) == []


def test_every_row_is_of_one_moment(house, deals, signed_in, monkeypatch):
    """A deal that changes while the file is written stands in it as it was read."""
    client = signed_in(house.ana)
    export_id = ask(client, house, "csv")
    spool = writing._spool

    def spool_and_change(asked: Any) -> int:
        count = spool(asked)
        opportunity_edit(deals[0].id, changes={"amount_minor": 999_00})
        return count

    monkeypatch.setattr(writing, "_spool", spool_and_change)
    work(house, export_id)
    text = b"".join(fetched(client, house, export_id).streaming_content).decode()
    assert "100.50" in text and "999" not in text


def test_one_that_breaks_says_so(house, deals, signed_in, monkeypatch):
    client = signed_in(house.ana)
    export_id = ask(client, house, "csv")
    monkeypatch.setattr(writing, "line", lambda *a, **k: 1 / 0)
    export = work(house, export_id)
    assert export.state == "failed" and "went wrong" in export.error
    with use(house.organization.id):
        assert Notice.objects.get(person=house.ana).is_bad
        assert list(file_path("").iterdir()) == []


def test_who_left_gets_no_file(house, deals, signed_in):
    export_id = ask(signed_in(house.ana), house, "csv")
    with use(house.organization.id):
        Person.objects.filter(id=house.ana.id).update(left_on=day_in_house() - timedelta(1))
    assert work(house, export_id).state == "failed"


@pytest.mark.parametrize("posted", [{"format": "pdf"}, {"format": "csv", "query": "sort=nothing"}, {}])
def test_what_can_not_be_made_is_refused_at_once(house, signed_in, posted):
    page = signed_in(house.ana).post(house.url("deals/exports/"), posted, follow=True)
    assert "toast-error" in page.content.decode()
    with use(house.organization.id):
        assert not DealExport.objects.exists()


def test_three_at_once_are_enough(inside):
    for _ in range(3):
        export_ask(inside.ana.id, query="", format="csv")
    with pytest.raises(ExportRefused):
        export_ask(inside.ana.id, query="", format="csv")


def test_a_sheet_that_is_full_goes_on_in_another(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.exports.files.MOST_SHEET_ROWS", 3)
    file = XlsxFile(tmp_path / "a.xlsx", ["n"])
    for n in range(5):
        file.write([n])
    file.close()
    names = zipfile.ZipFile(tmp_path / "a.xlsx").namelist()
    assert sum(name.startswith("xl/worksheets/sheet") for name in names) == 3
