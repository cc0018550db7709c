"""Files of people who mean harm, or of chance: they come in as text, or are refused in words; nothing else happens."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otc.imports.mapping import MappingError
from otc.imports.reader import ImportFileError
from otc.imports.services import run_import
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import account_create, account_edit, contact_create, contact_edit
from pipeline.imports.registry import KINDS
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from tests.conftest import House
from tests.pipeline.loading import NOW, Load, load, refusals

__all__ = ["load"]

EVIL = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "=HYPERLINK(0)",
    "@SUM(1)",
    "'; DROP TABLE pipeline_opportunity; --",
    "{{ 7|add:7 }} {% now 'Y' %}",
    "${7*7} %s %(x)s {0}",
    "\\. \\N \\copy",
    "../../etc/passwd",
    "a\tb",
)
BIDI = "Ada\u202e gpj.exe\u2066\u200b"


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_hostile_cells_are_text(load: Load) -> None:
    lines = [f"D{n},{quoted(text)},{quoted(text)},{quoted(text)}" for n, text in enumerate(EVIL)]
    report = load(
        "opportunities", "external_id,name,account,note\n" + "\n".join(lines) + "\n", creates_missing=True
    )
    assert refusals(report) == []
    deals = Opportunity.objects.select_related("account").order_by("external_id")
    for deal, text in zip(deals, EVIL, strict=True):
        seen = text.replace("\t", " ")
        assert (deal.name, deal.account.name, deal.attributes["note"]) == (seen, seen, text)


def test_names_lose_what_cannot_be_seen(load: Load) -> None:
    load("opportunities", f"external_id,name,account\nD1,{BIDI},{BIDI}\n", creates_missing=True)
    deal = Opportunity.objects.select_related("account").get()
    assert (deal.name, deal.account.name) == ("Ada gpj.exe", "Ada gpj.exe")


def test_forms_and_api_clean_names_like_imports(inside: House) -> None:
    account = account_create(name=BIDI, industry="Ra\u202eil")
    contact = contact_create(account.id, name=BIDI, title="C\u2066FO")
    deal = opportunity_create(name=BIDI, now=NOW, next_step="Ca\u200bll").opportunity
    assert (account.name, account.industry, contact.name, contact.title) == (
        "Ada gpj.exe",
        "Rail",
        "Ada gpj.exe",
        "CFO",
    )
    assert (deal.name, deal.name_folded, deal.next_step) == ("Ada gpj.exe", "ada gpj.exe", "Call")
    assert account_edit(account.id, changes={"name": f" {BIDI} 2\n"}).name == "Ada gpj.exe 2"
    assert contact_edit(contact.id, changes={"name": f"{BIDI}3"}).name == "Ada gpj.exe3"
    assert opportunity_edit(deal.id, changes={"name": f"{BIDI}4"}).opportunity.name == "Ada gpj.exe4"


def test_a_name_of_nothing_visible_is_no_name(inside: House) -> None:
    with pytest.raises(Invalid):
        account_create(name="\u202e\u200b")
    with pytest.raises(Refused):
        opportunity_create(name="\u2066\n", now=NOW)
    assert not Account.objects.exists()


def test_hostile_headers_are_names_of_attributes(load: Load) -> None:
    header = "<script>x</script>"
    load("opportunities", f'external_id,name,{header},"a"";--"\nD1,x,1,2\n')
    assert Opportunity.objects.get().attributes == {header: "1", 'a";--': "2"}


def test_a_fault_late_in_the_file_is_said_plainly_and_nothing_stays(load: Load) -> None:
    rows = "".join(f"D{n},Deal {n}\n" for n in range(12_000))
    with pytest.raises(ImportFileError, match=r"line 12002: .*quotation mark"):
        load("opportunities", f'external_id,name\n{rows}D,"x"y"\n')
    assert not Opportunity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_hostile_name_is_harmless_on_every_page(
    house: House, signed_in: Any, make_deal: Any, tmp_path: Path
) -> None:
    evil = EVIL[0]
    path = tmp_path / "evil.csv"
    path.write_text(f"external_id,name,account,owner\nD1,{evil},{evil},{evil}\n")
    run_import(house.organization, kind=KINDS["opportunities"], path=path, creates_missing=True, now=NOW)
    browser: Client = signed_in(house.ops)
    with use(house.organization.id):
        deal = Opportunity.objects.get()
        assert Person.objects.filter(name=evil).exists()
    for page in (
        "deals/",
        "deals/board/",
        f"deals/{deal.id}/",
        "accounts/",
        "inspection/",
        "settings/people/",
    ):
        text = browser.get(house.url(page), {"scope": "everyone"}).content.decode()
        assert "<img src=x" not in text, page
    assert "&lt;img src=x" in browser.get(house.url(f"deals/{deal.id}/")).content.decode()


PIECES = st.sampled_from(
    [
        "D1",
        "D2",
        ",",
        "\n",
        '"',
        "x",
        "1.234",
        "1,234",
        "01/02/2026",
        "2026-01-01",
        "won",
        "=1",
        "\0",
        "\u202e",
        "é",
        ";",
    ]
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.lists(PIECES, max_size=40).map("".join))
def test_any_body_is_imported_or_refused_and_the_counts_add_up(
    inside: House, tmp_path: Path, body: str
) -> None:
    path = tmp_path / "fuzz.csv"
    path.write_text("external_id,name,amount,close_date,outcome\n" + body)
    before = Opportunity.objects.count()
    try:
        report = run_import(
            inside.organization, kind=KINDS["opportunities"], path=path, creates_missing=True, now=NOW
        )
    except (ImportFileError, MappingError) as error:
        assert str(error)
        assert not connection.needs_rollback and Opportunity.objects.count() == before
        return
    assert report.read_count == (
        report.created_count + report.updated_count + report.unchanged_count + report.refused_count
    )
    assert Opportunity.objects.count() == before + report.created_count
