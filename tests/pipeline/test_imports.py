"""People, accounts, products and activities from files, and the command."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from otc.audit.models import AuditEntry
from otc.tenancy.models import FOREVER, Person, ReportingLine
from pipeline.accounts.models import Account
from pipeline.activities.models import Activity
from pipeline.opportunities.models import Product
from tests.conftest import House
from tests.pipeline.loading import Load, deal, load, refusals

__all__ = ["load"]


class TestPeople:
    def lines(self) -> dict[str, str | None]:
        current = ReportingLine.objects.filter(valid_to=FOREVER, person__external_id__isnull=False)
        return {line.person.external_id: line.manager and line.manager.name for line in current}

    def test_managers_may_come_later_in_the_file(self, load: Load) -> None:
        report = load(
            "people",
            "external_id,name,email,role,title,territory,manager\n"
            "P1,Kim,kim@example.org,rep,AE,North,Lou\nP2,Lou,,manager,,,P3\nP3,Mo,,,,,\nP4,Nell,,,,,\n",
        )
        assert refusals(report) == []
        assert self.lines() == {"P1": "Lou", "P2": "Mo", "P3": None}
        assert Person.objects.get(external_id="P3").role == "manager"
        assert Person.objects.get(external_id="P4").role == "rep"

    def test_a_manager_without_a_row_is_created_as_a_top_when_asked(self, load: Load) -> None:
        text = "external_id,name,manager\nP1,Kim,The Boss\n"
        assert refusals(load("people", text)) == [(2, "manager", "there is no person “The Boss”")]
        load("people", text, mapping={"create_missing": ["manager"]})
        boss = Person.objects.get(name="The Boss")
        assert (boss.role, self.lines()) == ("manager", {"P1": "The Boss"})
        assert ReportingLine.objects.get(person=boss).manager is None

    def test_a_cycle_is_refused(self, load: Load) -> None:
        report = load("people", "external_id,name,manager\nP1,Kim,Lou\nP2,Lou,Kim\nP3,Mo,Mo\nP4,Nell,\n")
        assert [(row.line, row.column) for row in report.refused] == [
            (2, "manager"),
            (3, "manager"),
            (4, "manager"),
        ]
        assert list(Person.objects.filter(external_id__isnull=False).values_list("name", flat=True)) == [
            "Nell"
        ]

    def test_who_reports_to_a_refused_row_is_refused_too(self, load: Load) -> None:
        report = load("people", "external_id,name,manager\nP1,Kim,Lou\nP2,Lou,Nobody\n")
        assert {row.line for row in report.refused} == {2, 3}

    def test_a_new_manager_ends_the_former_line(self, load: Load) -> None:
        load("people", "external_id,name,manager,is_top\nP1,Kim,Lou,\nP2,Lou,,yes\nP3,Mo,,yes\n")
        load("people", "external_id,name,manager,since\nP1,Kim,Mo,2026-02-01\n")
        lines = ReportingLine.objects.filter(person__external_id="P1").order_by("valid_from")
        assert [line.manager.name for line in lines] == ["Lou", "Mo"]
        assert lines[0].valid_to == lines[1].valid_from == datetime(2026, 1, 31, 23, tzinfo=UTC)
        assert self.lines()["P2"] is None

    def test_an_email_is_one_persons(self, load: Load) -> None:
        load("people", "external_id,name,email\nP1,Kim,kim@example.org\n,Lou,lou@example.org\n")
        report = load(
            "people",
            "external_id,name,email\nP2,Kimberly,KIM@example.org\nP3,Louise,lou@example.org\n"
            ",Kimmy,kim@example.org\nP4,Mo,mo@example.org\nP5,Moe,mo@example.org\n",
        )
        assert refusals(report) == [
            (2, "email", "belongs to “Kim”"),
            (4, "email", "belongs to “Kim”"),
            (6, "email", "stands on line 5 already"),
        ]
        assert Person.objects.get(email="lou@example.org").external_id == "P3"

    def test_a_known_person_is_updated_not_doubled(self, load: Load, inside: House) -> None:
        load("people", "external_id,name,title\nP1,ana ruiz,Account executive\n")
        ana = Person.objects.get(id=inside.ana.id)
        assert (ana.external_id, ana.title, ana.role) == ("P1", "Account executive", "rep")

    def test_an_empty_cell_gives_nobody_access_back(self, load: Load, inside: House) -> None:
        head = "external_id,name,email,role,title,left_on\n"
        load("people", head + "P1,Kim,kim@example.org,administrator,Chief,2026-01-31\nP2,Lou,,manager,,\n")
        load("people", head + "P1,Kim,,,,\nP2,Lou,,,Head,\n")
        kim, lou = (Person.objects.get(external_id=key) for key in ("P1", "P2"))
        assert (str(kim.left_on), kim.role, kim.email, kim.title) == (
            "2026-01-31", "administrator", "kim@example.org", ""
        )  # fmt: skip
        assert (lou.role, lou.title, lou.left_on) == ("manager", "Head", None)
        assert not AuditEntry.objects.filter(action="access.imported").exists()

    def test_what_a_file_changes_of_access_is_one_entry(self, load: Load, inside: House) -> None:
        head = "external_id,name,role,left_on\n"
        load("people", head + "P1,Kim,rep,\nP2,Lou,rep,\nP3,Mo,rep,2026-01-31\n")
        changed = head + "P1,Kim,manager,\nP2,Lou,rep,2026-02-28\nP3,Mo,rep,2030-01-31\n"
        load("people", changed, is_dry_run=True)
        load("people", changed)
        entry = AuditEntry.objects.get(action="access.imported")
        assert entry.detail == {
            "roles": {"Kim": "rep to manager"},
            "left_on": {
                "Lou": {"before": None, "after": "2026-02-28"},
                "Mo": {"before": "2026-01-31", "after": "2030-01-31"},
            },
        }

    def test_the_last_administrator_stays(self, load: Load, inside: House) -> None:
        why = "is the only administrator who signs in: appoint another first"
        for rest in ("rep,", ",2026-01-31", "administrator,2026-01-31"):
            report = load("people", f"name,role,left_on\nOlga Petrova,{rest}\n")
            assert refusals(report) == [(2, "role", why)]
        assert refusals(load("people", "name,role,left_on\nOlga Petrova,administrator,\n")) == []
        Person.objects.filter(id=inside.max.id).update(role="administrator")
        both = "name,role\nOlga Petrova,rep\nMax Brandt,rep\n"
        assert [row.line for row in load("people", both).refused] == [2, 3]
        assert refusals(load("people", "name,role\nOlga Petrova,rep\nMax Brandt,administrator\n")) == []

    def test_an_empty_cell_takes_away_what_other_columns_hold(self, load: Load, inside: House) -> None:
        load("accounts", "external_id,name,industry,country,Motto\nA1,Kestrel,Rail,DE,fly\n")
        load("accounts", "external_id,name,industry,Motto\nA1,Kestrel,,\n")
        account = Account.objects.get(external_id="A1")
        assert (account.industry, account.country, account.attributes) == ("", "DE", {})
        rows = "D1,Kestrel,A1,Qualify,12.50,2026-06-30,Web\n", "D1,,,,,,\n"
        for row in rows:
            load("opportunities", "external_id,name,account,stage,amount,close_date,source\n" + row)
        found = deal("D1")
        held = (found.account_id, found.stage_id, found.amount_minor, found.close_date, found.source)
        assert (found.name, held) == ("Kestrel", (None, None, None, None, ""))


class TestOtherKinds:
    def test_accounts_find_their_parents_in_the_file_or_out_of_it(self, load: Load) -> None:
        load("accounts", "name\nGroup\n")
        report = load(
            "accounts",
            "external_id,name,parent,industry,country,employees\n"
            "A1,North,South,Steel,Norway,12\nA2,South,Group,,,\nA3,Lone,Nowhere,,,\nA4,Self,Self,,,\n",
        )
        assert [(row.line, row.column) for row in report.refused] == [(4, "parent"), (5, "parent")]
        north = Account.objects.get(external_id="A1")
        assert (north.parent.name, north.parent.parent.name) == ("South", "Group")
        assert (north.industry, north.country, north.attributes) == ("Steel", "Norway", {"employees": "12"})

    def test_accounts_that_would_belong_to_themselves_are_refused(self, load: Load) -> None:
        report = load("accounts", "name,parent\nNorth,South\nSouth,North\nEast,\nWest,East\n")
        assert refusals(report) == [
            (2, "parent", "would belong to itself through “South”"),
            (3, "parent", "would belong to itself through “North”"),
        ]
        again = load("accounts", "name,parent\nEast,West\n")
        assert refusals(again) == [(2, "parent", "would belong to itself through “West”")]

    def test_an_account_known_by_name_takes_its_id(self, load: Load) -> None:
        load("accounts", "name\nAcme\n")
        report = load("accounts", "external_id,name\nA1,ACME\n")
        assert (report.updated_count, Account.objects.get().external_id) == (1, "A1")

    def test_products_have_prices_and_no_double_names(self, load: Load) -> None:
        report = load("products", "external_id,name,list_price\n1,Drill,99.50\n2,drill,5\n")
        drill = Product.objects.get()
        assert (drill.list_price_minor, drill.currency) == (99_50, "EUR")
        assert refusals(report) == [(3, "name", "another product bears this name")]

    def test_activities_belong_to_deals_and_come_once(self, load: Load) -> None:
        load("opportunities", "external_id\nD1\n")
        text = (
            "external_id,at,kind,direction,subject,person\n"
            "D1,2026-02-01T10:00:00Z,Call,out,Hello,Ana Ruiz\nD9,2026-02-01,call,,,\nD1,2026-02-01,call,up,,\n"
        )
        report = load("activities", text)
        assert [(row.line, row.column) for row in report.refused] == [(3, "external_id"), (4, "direction")]
        activity = Activity.objects.get()
        assert (activity.opportunity_id, activity.kind, activity.direction) == (deal().id, "call", "out")
        assert (activity.subject, activity.person.name) == ("Hello", "Ana Ruiz")
        assert load("activities", text).unchanged_count == 1
        assert Activity.objects.count() == 1


class TestCommand:
    def test_the_command_reports_counts_and_refused_rows(
        self, house: House, tmp_path: Path, capsys: Any
    ) -> None:
        path = tmp_path / "deals.csv"
        path.write_text("external_id,stage\nD1,Qualify\nD2,Never\n")
        call_command("import_csv", str(path), org="halden", kind="opportunities")
        output = capsys.readouterr().out
        assert "2 rows read; imported: 1 created, 0 updated, 0 unchanged; 1 refused" in output
        assert "line 3: stage: there is no stage “Never”" in output
        with pytest.raises(SystemExit) as stop:
            call_command("import_csv", str(path), org="halden", kind="opportunities", strict=True)
        assert stop.value.code == 1

    def test_the_command_says_what_is_wrong_with_the_whole_file(self, house: House, tmp_path: Path) -> None:
        path = tmp_path / "deals.csv"
        path.write_text("<html></html>")
        with pytest.raises(CommandError, match="web page"):
            call_command("import_csv", str(path), org="halden", kind="opportunities")
        with pytest.raises(CommandError, match="there is no organization “nowhere”"):
            call_command("import_csv", str(path), org="nowhere", kind="opportunities")
