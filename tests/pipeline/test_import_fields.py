"""Custom fields in files: mapped on the page, by the command, by a preset; read by their kind or refused by row."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from otc.fields.rules import Option
from otc.fields.services import field_create, field_retire
from otc.imports.models import ImportRow
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.models import Account, Contact
from pipeline.opportunities.models import Opportunity
from tests.api_client import Caller
from tests.conftest import House
from tests.pipeline.test_imports_page import Desk

pytestmark = pytest.mark.django_db

REGIONS = [Option("emea", "EMEA"), Option("apac", "Asia & Pacific"), Option("old", "Old world", True)]
SIX: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Segment", "text", {}),
    ("Seats", "number", {"decimals": 2}),
    ("Budget", "money", {"currency": "JPY"}),
    ("Go live", "date", {}),
    ("Region", "choice", {"options": REGIONS}),
    ("Engineer", "person", {}),
)
FILE = (
    "external_id,name,Market,Licences,Yen,Start,Territory,SE\n"
    'D1,Kestrel,Mid market,"1.012,5","¥1,250,000",12/18/2026,apac,Jonas Feld\n'
    "D2,Heron,,7,,01/05/2027,EMEA,\n"
    "D3,Osprey,Small,2,5,01/06/2027,Mars,\n"
)
MAPPED = {
    "mapping": "1",
    "from-external_id": "c0",
    "from-name": "c1",
    "from-field.segment": "c2",
    "from-field.seats": "c3",
    "from-field.budget": "c4",
    "from-field.go_live": "c5",
    "from-field.region": "c6",
    "from-field.engineer": "c7",
}
COLUMNS = {
    "field.segment": "Market",
    "field.seats": "Licences",
    "field.budget": "Yen",
    "field.go_live": "Start",
    "field.region": {"column": "Territory"},
    "field.engineer": "SE",
}


def expected(house: House) -> dict[str, Any]:
    return {
        "segment": "Mid market",
        "seats": 1012.5,
        "budget": {"amount_minor": 1_250_000, "currency": "JPY"},
        "go_live": "2026-12-18",
        "region": "apac",
        "engineer": str(house.jon.id),
    }


@pytest.fixture
def desk(house: House, signed_in: Callable[[Person], Client], tmp_path: Path) -> Iterator[Desk]:
    """The imports page of a house with a deal field of each kind."""
    with use(house.organization.id, channel="ui"):
        for label, kind, more in SIX:
            field_create(object="deal", label=label, kind=kind, **more)
    with override_settings(IMPORT_FOLDER=tmp_path / "imports"):
        yield Desk(house, signed_in(house.ops))


def command(house: House, path: Path, *options: str, kind: str = "opportunities") -> str:
    out = StringIO()
    call_command("import_csv", str(path), "--org", house.organization.slug, *(
        ("--kind", kind) if "--preset" not in options else ()), *options, stdout=out)  # fmt: skip
    return out.getvalue()


def deals(house: House) -> dict[str, Any]:
    return {deal["name"]: deal for deal in Caller(house.ops).get("opportunities").json()["results"]}


def see_everywhere(desk: Desk) -> None:
    """The values of D1 stand in API, version, list and filter."""
    deal = deals(desk.house)["Kestrel"]
    assert deal["fields"] == expected(desk.house) and deal["attributes"] == {}
    versions = Caller(desk.house.ops).get(f"opportunities/{deal['id']}/versions").json()["results"]
    assert versions[0]["fields"] == expected(desk.house)
    columns = ",".join(f"field.{key}" for key in deal["fields"])
    page = desk.browser.get(desk.house.url(f"deals/?columns={columns}")).content.decode()
    for words in ("Mid market", "1,012.5", "1,250,000", "18\u00a0Dec", "Asia &amp; Pacific", "Jonas Feld"):
        assert words in page, words
    for asked in ("region=apac", "seats.from=1012", "go_live.to=2026-12-31", f"engineer={desk.house.jon.id}"):
        page = desk.browser.get(desk.house.url(f"deals/?field.{asked}")).content.decode()
        assert "Kestrel" in page and "Heron" not in page, asked


def test_fields_are_mapped_previewed_checked_and_brought_in_on_the_page(desk: Desk) -> None:
    desk.upload(FILE)
    desk.post("mapping", {"kind": "opportunities"})
    page = desk.post("mapping", MAPPED).content.decode()
    for words in ("Go live", "field · date", "2026-12-18", "1012.5", "Jonas Feld", "ready to be checked"):
        assert words in page, words
    # The third row's choice is none of the field's: it is said before anything is checked.
    assert "1 value unknown: their rows are refused; map them below" in page
    desk.post("mapping", MAPPED | {"action": "check"})
    run = desk.work()
    assert (run.created_count, run.refused_count) == (2, 1)
    assert "“Mars” is none of: EMEA, Asia &amp; Pacific" in desk.page()
    mars = {"value-field.region-2": "Mars", "means-field.region-2": "Asia & Pacific"}
    desk.post("mapping", MAPPED | mars | {"action": "check"})
    assert desk.run().mapping["columns"]["field.region"]["values"] == {"Mars": "Asia & Pacific"}
    assert desk.work().refused_count == 0
    desk.post("apply")
    assert desk.work().created_count == 3
    assert deals(desk.house)["Osprey"]["fields"]["region"] == "apac"
    see_everywhere(desk)


def test_the_command_brings_every_kind_of_field_in(desk: Desk, tmp_path: Path) -> None:
    path, mapping = tmp_path / "deals.csv", tmp_path / "mapping.json"
    path.write_text(FILE)
    mapping.write_text(json.dumps({"columns": COLUMNS}))
    told = command(desk.house, path, "--mapping", str(mapping), "--dry-run")
    assert "2 created" in told and "line 4: region: “Mars” is none of: EMEA, Asia & Pacific" in told
    assert deals(desk.house) == {}
    command(desk.house, path, "--mapping", str(mapping))
    see_everywhere(desk)
    assert "2 unchanged" in command(desk.house, path, "--mapping", str(mapping))


def test_what_a_field_can_not_hold_refuses_its_row_with_the_reason(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    head = "external_id,name,Seats,Budget,Go live,Region,Engineer\n"
    rows = (
        "1,A,twelve,,,,", "2,B,12.125,,,,", "3,C,12 %,,,,", "4,D,,€5,,,", "5,E,,5.5,,,", "6,F,,,31/12/2026,,",
        "7,G,,,12/31/2026,,", "8,H,,,,Old world,", "9,I,,,,,Nobody", "10,J,7.5,¥5,2026-12-31,emea,Ana Ruiz",
    )  # fmt: skip
    path.write_text(head + "\n".join(row for row in rows if "31/12/2026" not in row) + "\n")
    told = command(desk.house, path)
    for words in (
        "line 2: seats: “twelve” is not a number like 1250.5",
        "line 3: seats: Seats takes 2 decimals; round it to those",
        "line 4: seats: “12 %” is a share, not a number: leave the sign away",
        "line 5: budget: “€5” is in another currency; Budget is kept in JPY",
        "line 6: budget: “5.5” has more decimals than JPY (0)",
        "line 8: region: “Old world” is retired; choose another Region",
        "line 9: engineer: Nobody here is “Nobody”",
    ):
        assert words in told, (words, told)
    assert set(deals(desk.house)) == {"G", "J"}
    path.write_text(head + "\n".join(rows) + "\n")
    with pytest.raises(CommandError, match=r"field\.go_live .*holds days in two orders"):
        command(desk.house, path)


def test_days_and_numbers_of_two_readings_are_asked_for(desk: Desk, tmp_path: Path) -> None:
    text = "external_id,name,Go live,Seats\n1,A,03/04/2026,1.250\n2,B,05/06/2026,2.125\n"
    path = tmp_path / "deals.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match=r"field\.seats .*is ambiguous.*decimal_mark"):
        command(desk.house, path)
    desk.upload(text)
    page = desk.post("mapping", {"mapping": "1", "kind": "opportunities"}).content.decode()
    assert "not ready yet" in page and 'name="form-field.go_live"' in page
    answers = {
        "mapping": "1", "from-external_id": "c0", "from-name": "c1", "from-field.go_live": "c2",
        "form-field.go_live": "dmy", "from-field.seats": "c3", "form-field.seats": ",", "action": "check",
    }  # fmt: skip
    desk.post("mapping", answers)
    assert desk.work().refused_count == 0
    desk.post("apply")
    desk.work()
    fields = deals(desk.house)["A"]["fields"]
    assert (fields["go_live"], fields["seats"]) == ("2026-04-03", 1250)
    # Read in the other order the same file says something else.
    answers |= {"form-field.go_live": "mdy"}
    desk.upload(text)
    desk.post("mapping", answers)
    run = desk.work()
    assert run.updated_count == 2
    assert [
        (row["field"], row["before"], row["after"]) for row in run.differences if row["record"] == "A"
    ] == [("Go live", "2026-04-03", "2026-03-04")]


def test_a_field_that_nothing_is_to_feed_stays_out(desk: Desk) -> None:
    desk.upload("external_id,name,Region,stage\nD1,Kestrel,emea,Qualify\n")
    page = desk.page()
    assert desk.run().mapping["columns"]["field.region"] == "Region"
    nothing = {
        "mapping": "1",
        "from-external_id": "c0",
        "from-name": "c1",
        "from-field.region": "",
        "from-stage": "",
    }
    page = desk.post("mapping", nothing | {"action": "check"}).content.decode()
    assert desk.run().mapping["ignore"] == ["Region", "stage"]
    desk.work()
    page = desk.page()
    assert 'name="other-' not in page
    desk.post("apply")
    desk.work()
    deal = deals(desk.house)["Kestrel"]
    assert (deal["fields"]["region"], deal["attributes"], deal["stage_id"]) == (None, {}, None)
    desk.post("again")
    desk.post("mapping", nothing | {"from-field.region": "c2", "action": "check"})
    assert desk.run().mapping["ignore"] == ["stage"]
    assert desk.work().refused_count == 0


def test_accounts_and_contacts_have_fields_too(desk: Desk, tmp_path: Path) -> None:
    with use(desk.house.organization.id, channel="ui"):
        field_create(object="account", label="Tier", kind="number")
        field_create(object="contact", label="Speaks", kind="choice", options=[Option("de", "German")])
    path = tmp_path / "rows.csv"
    path.write_text("name,TIER,Motto\nKestrel,3,fly\nHeron,many,swim\n")
    assert "line 3: tier: “many” is not a number" in command(desk.house, path, kind="accounts")
    path.write_text("account,name,Speaks,Shoe size\nKestrel,Lea,german,38\nKestrel,Tom,Latin,44\n")
    assert "line 3: speaks: “Latin” is none of: German" in command(desk.house, path, kind="contacts")
    with use(desk.house.organization.id):
        assert Account.objects.get(name="Kestrel").attributes == {"tier": 3, "Motto": "fly"}
        assert Contact.objects.get(name="Lea").attributes == {"speaks": "de"}
    path.write_text("account,name,Speaks\nKestrel,Lea,\n")
    command(desk.house, path, kind="contacts")
    with use(desk.house.organization.id):
        assert Contact.objects.get(name="Lea").attributes == {}


def test_a_saved_mapping_outlives_a_field_that_is_retired(desk: Desk) -> None:
    desk.upload(FILE)
    desk.post("mapping", {"kind": "opportunities"})
    desk.post("mapping", MAPPED | {"action": "check"})
    desk.work()
    with use(desk.house.organization.id, channel="ui"):
        field_retire(field_of(desk.house, "region"))
    page = desk.upload(FILE).content.decode()
    assert "ready to be checked" in page and "field.region" not in desk.run().mapping["columns"]
    assert desk.run().mapping["columns"]["field.go_live"] == "Start"


def test_an_export_of_another_system_feeds_fields_by_their_names(desk: Desk, tmp_path: Path) -> None:
    head = "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,Region__c,Go_Live__c\n"
    row = "006A,0,,Kestrel,,100.00,2026-12-01,0,0,2026-01-05T10:00:00.000Z,EMEA,2026-12-18\n"
    page = desk.upload(head + row, name="Opportunity.csv").content.decode()
    run = desk.run()
    assert run.system.startswith("Salesforce") and "ready to be checked" in page
    assert run.mapping["columns"]["field.region"] == "Region__c"
    path = tmp_path / "Opportunity.csv"
    path.write_text(head + row)
    command(desk.house, path, "--preset", "--create-missing")
    fields = deals(desk.house)["Kestrel"]["fields"]
    assert (fields["region"], fields["go_live"]) == ("emea", "2026-12-18")


def test_a_field_that_is_not_there_and_one_fed_twice_are_errors(desk: Desk, tmp_path: Path) -> None:
    path, mapping = tmp_path / "deals.csv", tmp_path / "mapping.json"
    path.write_text("external_id,Territory,region,Region\n1,emea,apac,apac\n")
    mapping.write_text(json.dumps({"columns": {"field.weather": "Territory"}}))
    with pytest.raises(
        CommandError, match=r"field\.weather: there is no such field; known are field\.segment"
    ):
        command(desk.house, path, "--mapping", str(mapping))
    with pytest.raises(CommandError, match="another column feeds the field “Region” already"):
        command(desk.house, path)
    with use(desk.house.organization.id):
        assert not ImportRow.objects.exists() and not Opportunity.objects.exists()


def field_of(house: House, key: str) -> Any:
    from otc.fields.models import CustomField

    return CustomField.objects.get(object="deal", key=key).id
