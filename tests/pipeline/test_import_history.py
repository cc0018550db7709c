"""The history of deals from files: filled forward, ending in the present, never over an edit made here."""

from django.db import connection

from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.services import opportunity_edit
from tests.pipeline.chain import check_chain
from tests.pipeline.loading import NOW, Load, deal, load, refusals

__all__ = ["load"]


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
            "external_id,at,stage,amount\nD9,2026-01-01,,\nD1,2026-01-01,Never,\nD1,2026-01-02,,1.0050\nD1,,,\n",
        )
        assert refusals(report) == [
            (2, "external_id", "there is no deal “D9”"),
            (3, "stage", "there is no stage “Never”"),
            (4, "amount", "has more decimals than EUR (2)"),
            (5, "at", "is empty"),
        ]
