"""The database writes the history: every edit leaves a version, and the chain never breaks."""

import importlib
import threading
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otc.tenancy.context import use
from pipeline.history.models import STATE_COLUMNS, HistoryRow, OpportunityVersion
from pipeline.history.queries import version_as_of, versions_as_of
from pipeline.history.services import enter_history, renew_statistics
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_edit, opportunity_reopen
from pipeline.process.models import CloseReason, Stage
from tests.conftest import House, build_house
from tests.pipeline.chain import check_chain

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def staged(deal: Opportunity, at: datetime, provenance: str = "imported", **changes: object) -> HistoryRow:
    state = {column: getattr(deal, column) for column in STATE_COLUMNS} | changes
    return HistoryRow(opportunity_id=deal.id, at=at, provenance=provenance, **state)


def imported_deal(house: House, **state: object) -> Opportunity:
    with use(house.organization.id, channel="import"):
        deal = Opportunity(id=uuid4(), name="Old", name_folded="old", currency="EUR", created_at=NOW, **state)
        deal.save(force_insert=True)
    return Opportunity.objects.get(id=deal.id)


def test_a_new_deal_has_one_open_version(inside, make_deal):
    chain = check_chain(make_deal(owner=inside.ana).id)
    assert [v.provenance for v in chain] == ["live"]


def test_an_edit_closes_one_version_and_opens_the_next(inside, make_deal):
    deal = make_deal(owner=inside.ana, amount_minor=100)
    opportunity_edit(deal.id, changes={"amount_minor": 250})
    assert [v.amount_minor for v in check_chain(deal.id)] == [100, 250]


def test_an_edit_that_changes_nothing_leaves_no_version(inside, make_deal):
    deal = make_deal(owner=inside.ana, amount_minor=100)
    opportunity_edit(deal.id, changes={"amount_minor": 100})
    assert len(check_chain(deal.id)) == 1


def test_a_bulk_update_leaves_versions_too(inside, make_deal):
    deals = [make_deal(f"Deal {n}") for n in range(3)]
    Opportunity.objects.all().update(close_date=date(2026, 12, 1))
    assert [len(check_chain(deal.id)) for deal in deals] == [2, 2, 2]


def test_the_version_says_who_and_from_where(house, make_deal):
    with use(house.organization.id, person_id=house.ana.id, channel="api"):
        version = check_chain(make_deal(owner=house.ana, next_step="Call", next_step_on=date(2099, 1, 1)).id)[
            0
        ]
    assert (version.actor_id, version.channel) == (house.ana.id, "api")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pipeline_opportunityversion SET amount_minor = 1",
        "DELETE FROM pipeline_opportunityversion",
        "INSERT INTO pipeline_opportunityversion SELECT * FROM pipeline_opportunityversion",
        "DELETE FROM pipeline_opportunity",
        "ALTER TABLE pipeline_opportunity DISABLE TRIGGER opportunity_version_edit",
        "TRUNCATE pipeline_opportunityversion",
    ],
)
def test_the_application_can_not_touch_history(inside, make_deal, statement):
    make_deal(owner=inside.ana)
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_as_of_gives_the_deal_as_it_was(inside, make_deal):
    deal = make_deal(owner=inside.ana, amount_minor=100)
    before = check_chain(deal.id)[0].valid_from
    opportunity_edit(deal.id, changes={"amount_minor": 250})
    assert version_as_of(deal.id, before).amount_minor == 100
    assert version_as_of(deal.id, before - timedelta(microseconds=1)) is None
    assert versions_as_of(before).count() == 1


def test_imported_history_is_known_since_it_was_true(house, inside):
    deal = imported_deal(house, amount_minor=300)
    first, second = NOW - timedelta(days=40), NOW - timedelta(days=10)
    enter_history([staged(deal, first, amount_minor=100), staged(deal, second)])
    chain = check_chain(deal.id)
    assert [(v.amount_minor, v.known_from) for v in chain] == [(100, first), (300, second)]
    assert check_chain(deal.id, known=first + timedelta(days=1))[-1].amount_minor == 100


def test_real_history_takes_the_place_of_a_reconstruction(house, inside):
    deal = imported_deal(house, amount_minor=300)
    enter_history([staged(deal, NOW - timedelta(days=50), "reconstructed")])
    enter_history([staged(deal, NOW - timedelta(days=40), amount_minor=1), staged(deal, NOW)])
    assert [v.provenance for v in check_chain(deal.id)] == ["imported", "imported"]


def test_a_late_correction_changes_only_what_is_known_now(house, inside):
    deal = imported_deal(house, amount_minor=300)
    first, second = NOW - timedelta(days=40), NOW - timedelta(days=10)
    enter_history([staged(deal, first, amount_minor=100), staged(deal, second)])
    asked = NOW - timedelta(days=20)
    enter_history([staged(deal, first, amount_minor=111), staged(deal, second)])
    assert version_as_of(deal.id, asked).amount_minor == 100
    assert version_as_of(deal.id, asked, known=datetime.now(UTC)).amount_minor == 111
    check_chain(deal.id)
    check_chain(deal.id, known=asked)


def test_history_enters_before_a_live_edit_only(house, inside):
    deal = imported_deal(house, amount_minor=300)
    opportunity_edit(deal.id, changes={"amount_minor": 400})
    enter_history([staged(deal, NOW - timedelta(days=40), amount_minor=1)])
    chain = check_chain(deal.id)
    assert [v.amount_minor for v in chain] == [1, 400]
    with pytest.raises(IntegrityError, match="history can only enter before"), transaction.atomic():
        enter_history([staged(deal, chain[1].valid_from)])


@pytest.mark.parametrize(
    ("at", "amount", "message"),
    [
        (datetime(2999, 1, 1, tzinfo=UTC), 300, "lies in the future"),
        (NOW - timedelta(days=3), 299, "does not end in its present state"),
    ],
)
def test_history_that_can_not_be_true_is_refused(house, inside, at, amount, message):
    deal = imported_deal(house, amount_minor=300)
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        enter_history([staged(deal, at, amount_minor=amount)])
    assert len(check_chain(deal.id)) == 1


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("amount_minor"), st.integers(0, 3)),
        st.tuples(st.just("close_date"), st.dates(date(2026, 1, 1), date(2026, 1, 3))),
        st.tuples(st.just("stage"), st.integers(0, 5)),
        st.tuples(st.just("close"), st.sampled_from(["won", "lost", "no_decision"])),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)


def apply_edit(
    deal: Opportunity, edit: tuple[str, object], *, stages: list[Stage], reason: CloseReason
) -> None:
    from pipeline.opportunities.rules import Refused

    kind, value = edit
    now = datetime.now(UTC)
    try:
        if kind == "close":
            opportunity_close(deal.id, outcome=str(value), reason_id=reason.id, now=now, today=now.date())
        elif kind == "reopen":
            opportunity_reopen(deal.id)
        elif kind == "stage":
            opportunity_edit(deal.id, changes={"stage_id": stages[value].id})
        else:
            opportunity_edit(deal.id, changes={kind: value})
    except Refused:
        pass


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_the_chain_holds_under_random_edits(inside, make_deal, edits):
    deal = make_deal(owner=inside.ana)
    stages, reason = list(Stage.objects.all()), CloseReason.objects.first()
    for edit in edits:
        apply_edit(deal, edit, stages=stages, reason=reason)
        check_chain(deal.id)


@pytest.mark.django_db(transaction=True)
def test_the_chain_holds_under_concurrent_edits(make_deal):
    house = build_house()
    with use(house.organization.id):
        deal = make_deal(owner=house.ana, amount_minor=0)

    def edit_often(number: int) -> None:
        try:
            for turn in range(15):
                with use(house.organization.id, person_id=house.ana.id, channel="ui"):
                    opportunity_edit(deal.id, changes={"amount_minor": number * 100 + turn})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=edit_often, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with use(house.organization.id):
        assert len(check_chain(deal.id)) == 61
        instants = OpportunityVersion.objects.values_list("valid_from", flat=True)
        assert all(versions_as_of(instant).count() == 1 for instant in instants)


def test_the_trigger_knows_every_column_of_a_deals_state():
    migration = importlib.import_module("pipeline.migrations.0006_bulk")
    assert tuple(migration.COLUMNS) == STATE_COLUMNS


def test_statistics_are_renewed_by_a_role_that_owns_nothing(inside, make_deal):
    make_deal(owner=inside.ana)
    renew_statistics()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'pipeline_opportunity'")
        assert cursor.fetchone()[0] >= 1


@pytest.mark.parametrize("column", ["owner_id", "account_id", "stage_id", "product_id", "actor_id"])
def test_history_that_names_what_is_not_there_is_refused(house, inside, column):
    deal = imported_deal(house, amount_minor=300)
    row = staged(deal, NOW - timedelta(days=3))
    setattr(row, column, uuid4())
    with pytest.raises(IntegrityError, match=column), transaction.atomic():
        enter_history([row])


def test_history_that_names_what_is_another_organizations_is_refused(house, elsewhere, inside):
    deal = imported_deal(house, amount_minor=300)
    with pytest.raises(IntegrityError, match="owner_id"), transaction.atomic():
        enter_history([staged(deal, NOW - timedelta(days=3), owner_id=elsewhere.zoe.id)])


def test_history_entered_for_somebody_who_is_not_there_is_refused(house, inside):
    deal = imported_deal(house, amount_minor=300)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('otc.acting_for', %s, true)", [str(uuid4())])
    with pytest.raises(IntegrityError, match="entered for somebody"), transaction.atomic():
        enter_history([staged(deal, NOW - timedelta(days=3))])


def test_history_of_a_deal_that_is_not_there_is_refused(house, inside):
    deal = imported_deal(house, amount_minor=300)
    row = staged(deal, NOW - timedelta(days=3))
    row.opportunity_id = uuid4()
    with pytest.raises(IntegrityError, match="there is no deal"), transaction.atomic():
        enter_history([row])


def test_what_history_named_can_not_be_deleted_afterwards(house, inside):
    deal = imported_deal(house, amount_minor=300)
    stage = Stage.objects.exclude(id=deal.stage_id)[0]
    enter_history([staged(deal, NOW - timedelta(days=3), stage_id=stage.id), staged(deal, NOW)])
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM pipeline_stage WHERE id = %s", [stage.id])


def test_a_deal_comes_to_be_with_its_history(house, inside):
    like = imported_deal(house, amount_minor=300)
    first, last = staged(like, NOW - timedelta(days=9), amount_minor=1), staged(like, NOW)
    first.opportunity_id = last.opportunity_id = made = uuid4()
    last.external_id, last.name_folded, last.created_at = "made", "old", NOW - timedelta(days=9)
    assert enter_history([first, last]) == 2
    assert [v.amount_minor for v in check_chain(made)] == [1, 300]
    assert Opportunity.objects.get(id=made).external_id == "made"


def test_a_deal_is_not_made_from_a_state_that_is_not_its_last(house, inside):
    like = imported_deal(house, amount_minor=300)
    first, last = staged(like, NOW - timedelta(days=9), amount_minor=1), staged(like, NOW)
    first.opportunity_id = last.opportunity_id = uuid4()
    first.name_folded, first.created_at = "old", NOW - timedelta(days=9)
    with pytest.raises(IntegrityError, match="does not end in its present state"), transaction.atomic():
        enter_history([first, last])


def test_triggers_and_keys_are_in_force_again_after_history_entered(house, inside):
    deal = imported_deal(house, amount_minor=300)
    enter_history([staged(deal, NOW)])
    opportunity_edit(deal.id, changes={"amount_minor": 301})
    assert len(check_chain(deal.id)) == 2
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(id=deal.id).update(owner_id=uuid4())


def test_the_application_can_not_switch_triggers_off(db):
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


def test_a_deal_keeps_its_id(inside, make_deal):
    deal = make_deal(owner=inside.ana)
    with pytest.raises(IntegrityError, match="keeps its id"), transaction.atomic():
        Opportunity.objects.filter(id=deal.id).update(id=uuid4())
