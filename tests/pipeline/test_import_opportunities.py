"""Deals from files: what is created, refused, updated and left alone, and which versions that makes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from otc.imports.mapping import MappingError
from otc.imports.models import ImportRow, ImportRun
from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from pipeline.process.models import Stage
from tests.conftest import House
from tests.pipeline.chain import check_chain
from tests.pipeline.loading import NOW, Load, deal, load, refusals

__all__ = ["load"]


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
        end_of_day = datetime(2026, 1, 5, 22, 59, 59, 999_999, tzinfo=UTC)  # in Berlin
        assert same_day.closed_at == end_of_day
        assert len(check_chain(same_day.id)) == 2
        assert no_creation.closed_at == no_creation.created_at == end_of_day
        assert len(check_chain(no_creation.id)) == 1
        assert {same_day.category, no_creation.category} == {"omitted"}

    @pytest.mark.parametrize(("day", "form"), [("2026-01-05", None), ("01/05/26", "%m/%d/%y")])
    def test_a_bare_day_of_closing_is_its_last_microsecond(
        self, load: Load, day: str, form: str | None
    ) -> None:
        text = f"external_id,created_at,closed_at,outcome\nD1,{day},{day},won\n"
        load("opportunities", text, mapping={"date_format": form} if form else {})
        found = deal()
        assert found.created_at == datetime(2026, 1, 4, 23, tzinfo=UTC)
        assert found.closed_at == datetime(2026, 1, 5, 22, 59, 59, 999_999, tzinfo=UTC)
        assert found.close_date == date(2026, 1, 5)

    def test_a_deal_that_closed_today_closed_by_now(self, load: Load) -> None:
        report = load(
            "opportunities",
            "external_id,created_at,closed_at,close_date,outcome\nD1,2026-03-01,2026-03-31,,won\n"
            "D2,2026-03-01,,2026-03-31,lost\nD3,2026-03-31,2026-03-30,,won\n",
        )
        assert deal("D1").closed_at == deal("D2").closed_at == NOW
        assert refusals(report) == [(4, "created_at", "lies after closed_at")]

    def test_new_stages_join_the_mappings_process_in_its_order(self, load: Load) -> None:
        mapping = {"process": "Field sales", "create_missing": {"stage": ["First", "Second"]}}
        text = (
            "external_id,stage,close_date,outcome\nD1,Second,,\nD2,First,,\nD3,Third,,\nD4,,2026-01-05,won\n"
        )
        load("opportunities", text, mapping=mapping)
        stages = Stage.objects.filter(process__name="Field sales").values_list("name", "position")
        assert list(stages) == [("First", 1), ("Second", 2), ("Third", 3)]
        assert {deal(f"D{place}").process.name for place in range(1, 5)} == {"Field sales"}
        assert not deal("D4").process.is_default

    def test_what_cant_be_seen_is_taken_out_of_names(self, load: Load) -> None:
        load("opportunities", "external_id,name\nD1,\u202eKes\x07trel\u2066 One\n")
        assert deal().name == "Kestrel One"

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
            "D1,x,10.5055,,,\n"
            "D2,x,ten,,,\n"
            "D3,x,,31/13/2026,,\n"
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
