"""Files of every kind against the database: what is created, refused, left alone, and what history it makes."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from otc.imports.mapping import MappingError, parse_mapping
from otc.imports.models import ImportRow, ImportRun
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Person, ReportingLine
from pipeline.accounts.models import Account
from pipeline.activities.models import Activity
from pipeline.history.models import OpportunityVersion
from pipeline.imports.registry import KINDS
from pipeline.opportunities.models import Opportunity, Product
from pipeline.opportunities.services import opportunity_edit
from pipeline.process.models import Stage
from tests.conftest import House
from tests.pipeline.chain import check_chain

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
Load = Callable[..., ImportReport]


@pytest.fixture
def load(inside: House, tmp_path: Path) -> Load:
    """load(kind, text, mapping={...}, creates_missing=True): import a text as a file into the house."""

    def import_text(kind: str, text: str, *, mapping: Any = None, **options: Any) -> ImportReport:
        path = tmp_path / f"{kind}.csv"
        path.write_text(text)
        return run_import(
            inside.organization,
            kind=KINDS[kind],
            path=path,
            mapping=parse_mapping(mapping or {}),
            now=options.pop("now", NOW),
            **options,
        )

    return import_text


def refusals(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.line, row.column, row.reason) for row in report.refused]


def deal(external_id: str = "D1") -> Opportunity:
    found: Opportunity = Opportunity.objects.get(external_id=external_id)
    return found


class TestOpportunities:
    def test_every_native_column_arrives_and_others_become_attributes(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,name,account,owner,stage,amount,currency,close_date,created_at,competitor,product,source,"
            "kind,next_step,next_step_on,region\n"
            "D1,Kestrel,Acme,ANA  ruiz,qualify,1250.50,EUR,2026-06-30,2026-01-05,Rival,Drill,Web,New,Call,"
            "2026-04-02,North\n",
            creates_missing=True,
        )
        found = deal()
        assert refusals(report) == []
        assert (found.name, found.account.name, found.owner.name) == ("Kestrel", "Acme", "Ana Ruiz")
        assert (found.stage.name, found.category, found.amount_minor) == ("Qualify", "pipeline", 1250_50)
        assert (found.close_date, found.competitor.name, found.product.name) == (
            date(2026, 6, 30),
            "Rival",
            "Drill",
        )
        assert found.created_at == datetime(2026, 1, 4, 23, tzinfo=UTC)  # midnight in Berlin
        assert (found.source, found.kind, found.next_step) == ("Web", "New", "Call")
        assert found.attributes == {"region": "North"}

    def test_an_open_deal_without_day_or_amount_keeps_neither(self, load: Load) -> None:
        load("opportunities", "external_id,amount,close_date\nD1,,\n")
        found = deal()
        assert (found.amount_minor, found.close_date, found.outcome) == (None, None, None)
        assert [version.valid_from for version in check_chain(found.id)] != []

    def test_a_closed_deal_has_an_open_and_a_closing_version(self, load: Load) -> None:
        load(
            "opportunities",
            "external_id,stage,amount,created_at,closed_at,outcome\n"
            "D1,Propose,100,2026-01-05,2026-02-10T09:30:00Z,won\n",
        )
        found = deal()
        opened, closed = check_chain(found.id)
        assert (opened.valid_from, opened.outcome, opened.category) == (found.created_at, None, "most_likely")
        assert (closed.valid_from, closed.outcome, closed.category) == (found.closed_at, "won", "closed")
        assert {opened.provenance, closed.provenance} == {"reconstructed"}
        assert opened.known_from == opened.valid_from
        assert (found.close_date, found.reason.name) == (date(2026, 2, 10), "not given")

    def test_a_closed_deal_without_closed_at_closed_on_its_close_date(self, load: Load) -> None:
        load(
            "opportunities",
            "external_id,created_at,close_date,outcome\n"
            "D1,2026-01-05T10:00:00Z,2026-01-05,lost\nD2,,2026-01-05,no_decision\n",
        )
        same_day, no_creation = deal("D1"), deal("D2")
        assert same_day.closed_at == same_day.created_at
        assert len(check_chain(same_day.id)) == 2
        assert no_creation.closed_at == no_creation.created_at == datetime(2026, 1, 4, 23, tzinfo=UTC)
        assert len(check_chain(no_creation.id)) == 1
        assert {same_day.category, no_creation.category} == {"omitted"}

    def test_rows_that_contradict_themselves_are_refused(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,created_at,closed_at,close_date,outcome,category,amount\n"
            "D1,2026-02-01,2026-01-01,,won,,\n"
            "D2,,,,won,,\n"
            "D3,,2026-01-01,,,,\n"
            "D4,,,,,closed,\n"
            "D5,2027-01-01,,,,,\n"
            "D6,,,2026-12-31,lost,,\n"
            "D7,,,,,,-5\n"
            ",,,,,,\n"
            "D8,,,,,,7\n",
        )
        assert refusals(report) == [
            (2, "created_at", "lies after closed_at"),
            (3, "closed_at", "a closed deal needs closed_at or close_date"),
            (4, "closed_at", "is set, but there is no outcome: use close_date for a day ahead"),
            (5, "category", "closed is for won deals: outcome says otherwise"),
            (6, "created_at", "lies in the future"),
            (7, "close_date", "a closed deal can't close in the future"),
            (8, "amount", "an amount is not negative"),
        ]
        assert list(Opportunity.objects.values_list("external_id", flat=True)) == ["D8"]

    def test_cells_that_cannot_be_read_are_refused_by_name(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,name,amount,close_date,outcome,region\n"
            "D1,x,10.505,,,\n"
            "D2,x,ten,,,\n"
            "D3,x,,31/03/2026,,\n"
            "D4,x,,,perhaps,\n"
            f"D5,{'x' * 10_000},,,,\n"
            f"D6,x,,,,{'x' * 10_000}\n"
            "D7,a\0b,,,,\n"
            "D8,x,,0026-01-01,,\n"
            "D9,x,,\n"
            ",x,,,,\n",
        )
        assert [(row.line, row.column) for row in report.refused] == [
            (2, "amount"),
            (3, "amount"),
            (4, "close_date"),
            (5, "outcome"),
            (6, "name"),
            (7, "region"),
            (8, "name"),
            (9, "close_date"),
            (10, ""),
            (11, "external_id"),
        ]
        assert (report.read_count, report.refused_count) == (10, 10)
        assert ImportRow.objects.filter(run_id=report.run_id).count() == 10
        assert ImportRun.objects.get(id=report.run_id).refused_count == 10

    def test_amounts_are_exact_in_the_row_s_currency(self, load: Load, inside: House) -> None:
        for currency in ("JPY", "KWD"):
            Rate(
                currency=currency, valid_from=date(2020, 1, 1), known_from=NOW.replace(year=2020), rate=1
            ).save()
        report = load(
            "opportunities",
            "external_id,amount,currency\nD1,1250,jpy\nD2,1.234,KWD\nD3,12.5,JPY\nD4,1,XYZ\nD5,1,CHF\n",
        )
        assert [(deal(key).amount_minor, deal(key).currency) for key in ("D1", "D2")] == [
            (1250, "JPY"),
            (1234, "KWD"),
        ]
        assert [(row.line, row.column) for row in report.refused] == [
            (4, "amount"),
            (5, "currency"),
            (6, "currency"),
        ]
        assert report.refused[2].reason == "there is no rate for CHF"

    def test_the_second_row_of_one_deal_is_refused(self, load: Load) -> None:
        report = load("opportunities", "external_id,name\nD1,first\nD2,x\nD1,second\n")
        assert refusals(report) == [(4, "external_id", "stands on line 2 already")]
        assert deal().name == "first"

    def test_unknown_names_are_refused_and_named(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,account,owner,stage,reason,competitor,product\n"
            "D1,Nowhere,,,,,\nD2,,Nobody,,,,\nD3,,,Never,,,\nD4,,,,Why,,\nD5,,,,,Rival,\nD6,,,,,,Thing\nD7,,,,,,\n",
        )
        assert refusals(report) == [
            (2, "account", "there is no account “Nowhere”"),
            (3, "owner", "there is no person “Nobody”"),
            (4, "stage", "there is no stage “Never”"),
            (5, "reason", "there is no closing reason “Why”"),
            (6, "competitor", "there is no competitor “Rival”"),
            (7, "product", "there is no product “Thing”"),
        ]
        assert deal("D7").account is None

    def test_unknown_names_are_created_once_when_asked_and_only_for_rows_that_apply(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,account,stage,category,outcome,close_date\n"
            "D1,Acme,Pitch,best_case,,\nD2,ACME ,Pitch,best_case,,\nD3,Refused Ltd,,,won,\n",
            creates_missing=True,
        )
        assert report.refused_count == 1
        assert list(Account.objects.values_list("name", flat=True)) == ["ACME"]
        stage = Stage.objects.get(name="Pitch")
        assert (stage.position, stage.category) == (7, "best_case")

    def test_a_name_of_two_people_is_refused(self, load: Load, inside: House) -> None:
        for external_id in ("P1", "P2"):
            Person(name="Kim Lee", name_folded="kim lee", external_id=external_id).save()
        report = load("opportunities", "external_id,owner\nD1,Kim Lee\nD2,P2\n")
        assert refusals(report) == [(2, "owner", "“Kim Lee” names 2 records (person)")]
        assert deal("D2").owner.external_id == "P2"

    def test_an_unchanged_row_leaves_later_edits_alone(self, load: Load) -> None:
        text = "external_id,name,next_step\nD1,Kestrel,Call\n"
        load("opportunities", text)
        opportunity_edit(deal().id, changes={"next_step": "Visit"})
        report = load("opportunities", text)
        assert (report.unchanged_count, report.updated_count) == (1, 0)
        assert deal().next_step == "Visit"

    def test_a_changed_row_updates_the_columns_of_the_file_only(self, load: Load) -> None:
        load("opportunities", "external_id,name,stage,amount,region,size\nD1,Kestrel,Qualify,100,North,big\n")
        opportunity_edit(deal().id, changes={"amount_minor": 200_00})
        report = load("opportunities", "external_id,stage,region\nD1,Validate,\n")
        found = deal()
        assert (report.updated_count, report.created_count) == (1, 0)
        assert (found.name, found.amount_minor, found.stage.name) == ("Kestrel", 200_00, "Validate")
        assert (found.category, found.attributes) == ("best_case", {"size": "big"})
        assert check_chain(found.id)[-1].channel == "import"

    def test_a_category_that_a_person_set_survives_a_new_stage(self, load: Load) -> None:
        load("opportunities", "external_id,stage\nD1,Qualify\n")
        opportunity_edit(deal().id, changes={"category": "commit"})
        load("opportunities", "external_id,stage\nD1,Discover\n")
        assert (deal().stage.name, deal().category) == ("Discover", "commit")

    def test_a_deal_is_won_by_a_later_file(self, load: Load) -> None:
        load("opportunities", "external_id,stage,created_at\nD1,Qualify,2026-01-01\n")
        load("opportunities", "external_id,outcome,close_date,reason\nD1,won,2026-03-01,Price\n")
        found = deal()
        assert (found.outcome, found.category, found.stage.name) == ("won", "closed", "Qualify")
        assert (found.reason.name, [v.provenance for v in check_chain(found.id)]) == (
            "Price",
            ["reconstructed", "live"],
        )

    def test_a_dry_run_counts_and_changes_nothing(self, load: Load) -> None:
        report = load("opportunities", "external_id,stage\nD1,Qualify\nD2,Never\n", is_dry_run=True)
        assert (report.created_count, report.refused_count, report.is_applied) == (1, 1, False)
        assert not Opportunity.objects.exists()
        assert ImportRun.objects.get(id=report.run_id).is_dry_run

    def test_strict_applies_all_or_nothing(self, load: Load) -> None:
        report = load("opportunities", "external_id,stage\nD1,Qualify\nD2,Never\n", is_strict=True)
        assert not report.is_applied
        assert not Opportunity.objects.exists()
        assert load("opportunities", "external_id,stage\nD1,Qualify\n", is_strict=True).is_applied

    def test_nothing_in_a_cell_is_executed(self, load: Load) -> None:
        nasty = "'; DROP TABLE pipeline_opportunity; -- %s %(org)s \\N \\. \\\\ {{7*7}} =1+1 <script>"
        load(
            "opportunities",
            f'external_id,name,account,{nasty}\nD1,"{nasty}","{nasty}","{nasty}"\n',
            creates_missing=True,
        )
        found = deal()
        assert (found.name, found.account.name) == (nasty, nasty)
        assert found.attributes == {nasty: nasty}

    def test_a_file_without_the_key_says_what_it_has(self, load: Load) -> None:
        with pytest.raises(MappingError, match=r"missing column: external_id\. The file has: Id, name"):
            load("opportunities", "Id,name\n1,x\n")

    def test_a_large_file_applies_by_a_constant_number_of_statements(
        self, load: Load, django_assert_max_num_queries: Any
    ) -> None:
        rows = "".join(f"D{n},Deal {n},Account {n % 50}\n" for n in range(2_500))
        with django_assert_max_num_queries(90):
            report = load("opportunities", "external_id,name,account\n" + rows, creates_missing=True)
        assert report.created_count == 2_500

    def test_other_organizations_names_are_unknown(self, load: Load, elsewhere: House) -> None:
        with use(elsewhere.organization.id):
            Account(name="Secret", name_folded="secret").save()
            Opportunity(
                external_id="D1", name="theirs", name_folded="theirs", currency="USD", created_at=NOW
            ).save()
        report = load("opportunities", "external_id,account\nD2,Secret\nD1,\n")
        assert refusals(report) == [(2, "account", "there is no account “Secret”")]
        assert report.created_count == 1
        with use(elsewhere.organization.id):
            assert deal("D1").name == "theirs"


class TestHistory:
    DEALS = (
        "external_id,stage,amount,close_date,created_at,closed_at,outcome\n"
        "D1,Validate,300,2026-09-30,2026-01-01T08:00:00Z,,\n"
        "D2,Propose,300,2026-03-10,2026-01-01T08:00:00Z,2026-03-10T08:00:00Z,won\n"
    )

    def test_partial_rows_fill_forward_and_end_in_the_present(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        report = load(
            "history",
            "external_id,at,stage,amount,close_date,owner\n"
            "D1,2026-02-01T08:00:00Z,Discover,,,Ana Ruiz\n"
            "D1,2026-01-01T08:00:00Z,Qualify,100,2026-06-30,\n"
            "D1,2026-02-15T08:00:00Z,,200,,\n",
        )
        chain = check_chain(deal().id)
        assert refusals(report) == []
        assert [(v.stage.name, v.amount_minor, v.close_date.month) for v in chain] == [
            ("Qualify", 100_00, 6),
            ("Discover", 100_00, 6),
            ("Discover", 200_00, 6),
            ("Validate", 300_00, 9),
        ]
        assert [v.category for v in chain] == ["pipeline", "pipeline", "pipeline", "best_case"]
        assert [v.owner.name if v.owner else None for v in chain] == [None, "Ana Ruiz", "Ana Ruiz", None]
        assert [v.provenance for v in chain] == ["imported"] * 3 + ["reconstructed"]
        assert [v.known_from == v.valid_from for v in chain] == [True] * 4
        assert chain[-1].valid_from == NOW

    def test_a_closed_deal_closes_at_its_instant(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        load(
            "history",
            "external_id,at,stage,amount,close_date\n"
            "D2,2026-01-01T08:00:00Z,Qualify,100,2026-03-10\nD2,2026-02-01T08:00:00Z,Propose,300,\n",
        )
        chain = check_chain(deal("D2").id)
        assert [(v.outcome, v.category) for v in chain] == [
            (None, "pipeline"),
            (None, "most_likely"),
            ("won", "closed"),
        ]
        assert chain[-1].valid_from == deal("D2").closed_at

    def test_rows_after_the_closing_are_closed(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        load(
            "history",
            "external_id,at,stage,amount,close_date\n"
            "D2,2026-01-01T08:00:00Z,Qualify,100,2026-03-10\nD2,2026-03-10T18:00:00Z,Propose,300,\n",
        )
        chain = check_chain(deal("D2").id)
        assert [(v.stage.name, v.outcome) for v in chain] == [
            ("Qualify", None),
            ("Qualify", "won"),
            ("Propose", "won"),
        ]

    def test_rows_of_one_instant_keep_their_order(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        load(
            "history",
            "external_id,at,stage\nD1,2026-01-01T08:00:00Z,Qualify\nD1,2026-01-01T08:00:00Z,Discover\n"
            "D1,2026-01-01T08:00:00Z,Validate\n",
        )
        assert [v.stage.name for v in check_chain(deal().id)] == ["Qualify", "Discover", "Validate"]

    def test_what_was_edited_here_is_not_overwritten(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        opportunity_edit(deal().id, changes={"amount_minor": 999_00})
        report = load(
            "history",
            "external_id,at,amount\nD1,2026-01-01T08:00:00Z,100\nD1,2099-01-01,5\n",
        )
        chain = check_chain(deal().id)
        assert [v.amount_minor for v in chain] == [100_00, 300_00, 999_00]
        assert [v.provenance for v in chain] == ["imported", "reconstructed", "live"]
        assert refusals(report) == [(3, "at", "lies in the future")]

    def test_rows_after_an_edit_here_are_refused(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        opportunity_edit(deal().id, changes={"amount_minor": 999_00})
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (after,) = cursor.fetchone()
        report = load("history", f"external_id,at,amount\nD1,{after.isoformat()},100\n", now=after)
        assert [(row.line, row.column) for row in report.refused] == [(2, "at")]
        assert "edited here" in report.refused[0].reason

    def test_a_changed_history_corrects_and_keeps_what_was_known(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        text = "external_id,at,stage,amount\nD1,2026-01-01T08:00:00Z,Qualify,100\n"
        load("history", text)
        assert load("history", text).unchanged_count == 1
        load("history", text + "D1,2026-02-01T08:00:00Z,Discover,150\n")
        assert [v.amount_minor for v in check_chain(deal().id)] == [100_00, 150_00, 300_00]
        known_before = OpportunityVersion.objects.filter(opportunity=deal()).exclude(known_to=FOREVER)
        assert sorted(v.amount_minor for v in known_before) == [100_00, 300_00]

    def test_a_file_of_new_rows_continues_the_history(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        load("history", "external_id,at,stage,amount\nD1,2026-01-01T08:00:00Z,Qualify,100\n")
        load("history", "external_id,at,stage,amount\nD1,2026-02-01T08:00:00Z,Discover,\n")
        assert [(v.stage.name, v.amount_minor) for v in check_chain(deal().id)] == [
            ("Qualify", 100_00),
            ("Discover", 100_00),
            ("Validate", 300_00),
        ]

    def test_unknown_deals_stages_and_odd_decimals_are_refused(self, load: Load) -> None:
        load("opportunities", self.DEALS)
        report = load(
            "history",
            "external_id,at,stage,amount\nD9,2026-01-01,,\nD1,2026-01-01,Never,\nD1,2026-01-02,,1.005\nD1,,,\n",
        )
        assert refusals(report) == [
            (2, "external_id", "there is no deal “D9”"),
            (3, "stage", "there is no stage “Never”"),
            (4, "amount", "has more decimals than EUR (2)"),
            (5, "at", "is empty"),
        ]


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

    def test_a_known_person_is_updated_not_doubled(self, load: Load, inside: House) -> None:
        load("people", "external_id,name,title\nP1,ana ruiz,Account executive\n")
        ana = Person.objects.get(id=inside.ana.id)
        assert (ana.external_id, ana.title, ana.role) == ("P1", "Account executive", "rep")


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
