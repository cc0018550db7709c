"""Custom fields: one value goes round every surface and comes back the same; what doesn't fit is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.fields.models import CustomField
from otc.fields.native import NATIVE
from otc.fields.queries import field_book
from otc.fields.rules import NotAccepted, Option, millionths, stored
from otc.fields.services import field_create, field_edit, field_move, field_retire, field_undo
from otc.tenancy.context import use
from pipeline.fields.models import OpportunityFieldValue
from pipeline.history.models import OpportunityVersion
from pipeline.imports.registry import KINDS as IMPORTS
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_create, opportunity_edit, opportunity_undo
from tests.conftest import House
from tests.days import day_in_house

Make = Callable[..., Any]
REGIONS = [Option("emea", "EMEA"), Option("apac", "Asia & Pacific"), Option("old", "Old world", True)]


@pytest.fixture
def region(inside: House) -> CustomField:
    return field_create(object="deal", label="Region", kind="choice", options=REGIONS)


@pytest.fixture
def six(inside: House) -> dict[str, CustomField]:
    """A field of each kind."""
    return {
        "text": field_create(object="deal", label="Segment", kind="text"),
        "number": field_create(object="deal", label="Seats", kind="number", decimals=2),
        "money": field_create(object="deal", label="Budget", kind="money", currency="JPY"),
        "date": field_create(object="deal", label="Go live", kind="date"),
        "choice": field_create(object="deal", label="Region", kind="choice", options=REGIONS),
        "person": field_create(object="deal", label="Engineer", kind="person"),
    }


def values_of(house: House) -> dict[str, Any]:
    """A value of each kind by field key."""
    return {
        "segment": "Mid =market",
        "seats": 12.5,
        "budget": {"amount_minor": 1_250_000, "currency": "JPY"},
        "go_live": "2026-12-18",
        "region": "apac",
        "engineer": str(house.jon.id),
    }


def held(deal_id: Any) -> list[tuple[Any, ...]]:
    rows = OpportunityFieldValue.objects.filter(opportunity_id=deal_id).order_by("field__position")
    return list(rows.values_list("text", "number", "day", "person_id"))


def test_values_stand_in_versions_and_in_the_typed_table(inside, six, make_deal):
    deal = make_deal(owner=inside.ana, fields=values_of(inside))
    assert held(deal.id) == [
        ("mid =market", None, None, None),
        (None, 12_500_000, None, None),
        (None, 1_250_000, None, None),
        (None, None, date(2026, 12, 18), None),
        ("apac", None, None, None),
        (None, None, None, inside.jon.id),
    ]
    opportunity_edit(deal.id, changes={"fields": {"region": "emea", "seats": None}})
    versions = OpportunityVersion.objects.filter(opportunity_id=deal.id).order_by("valid_from")
    assert [version.attributes.get("region") for version in versions] == ["apac", "emea"]
    assert len(held(deal.id)) == 5


def test_undo_puts_a_field_back(inside, region, make_deal):
    deal = make_deal(owner=inside.ana, fields={"region": "apac"})
    written = opportunity_edit(deal.id, changes={"fields": {"region": "emea"}})
    opportunity_undo(deal.id, to_version=written.before)
    assert Opportunity.objects.get(id=deal.id).attributes == {"region": "apac"}
    assert held(deal.id)[0][0] == "apac"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("segment", 5),
        ("segment", "x" * 201),
        ("segment", "a\x00b"),
        ("segment", "\ud800"),
        ("seats", True),
        ("seats", "many"),
        ("seats", 1.005),
        ("seats", 10**13),
        ("seats", "NaN"),
        ("seats", "1e999999"),
        ("budget", 5),
        ("budget", {"amount_minor": 5, "currency": "EUR"}),
        ("budget", {"amount_minor": 5.5, "currency": "JPY"}),
        ("budget", {"amount_minor": 10**16, "currency": "JPY"}),
        ("go_live", "tomorrow"),
        ("go_live", "2026-02-30"),
        ("go_live", "0001-01-01"),
        ("region", "EMEA"),
        ("region", "old"),
        ("region", ["emea"]),
        ("engineer", "Jonas Feld"),
        ("engineer", "00000000-0000-0000-0000-000000000001"),
        ("nothing", "x"),
    ],
)
def test_what_a_field_can_not_hold_is_refused_and_nothing_is_written(inside, six, make_deal, key, value):
    deal = make_deal(owner=inside.ana)
    with pytest.raises(Refused) as refusal:
        opportunity_edit(deal.id, changes={"fields": {key: value}})
    assert refusal.value.field == f"fields.{key}"
    assert Opportunity.objects.get(id=deal.id).attributes == {}


def test_a_person_of_another_organization_is_unknown(house, elsewhere):
    with use(house.organization.id, channel="ui"):
        field_create(object="deal", label="Engineer", kind="person")
        with pytest.raises(Refused, match="no such person"):
            opportunity_create(name="X", now=timezone.now(), fields={"engineer": str(elsewhere.zoe.id)})


def test_a_retired_option_stays_where_it_stands(inside, region, make_deal):
    deal = make_deal(owner=inside.ana, fields={"region": "emea"})
    options = [Option("emea", "EMEA", True), *REGIONS[1:]]
    field_edit(region.id, changes={"options": options})
    opportunity_edit(deal.id, changes={"fields": {"region": "emea"}, "next_step": "Call"})
    assert Opportunity.objects.get(id=deal.id).attributes == {"region": "emea"}
    with pytest.raises(Refused, match="retired"):
        make_deal("Other", fields={"region": "emea"})


def test_a_required_field_is_needed_from_its_day_on(inside, region, make_deal):
    early = make_deal("Early", now=timezone.now() - timedelta(days=30))
    field_edit(region.id, changes={"required_from": day_in_house() - timedelta(days=1)})
    with pytest.raises(Refused, match="required"):
        make_deal("Late")
    opportunity_edit(early.id, changes={"next_step": "Call"})
    deal = make_deal("Late", fields={"region": "emea"})
    with pytest.raises(Refused, match="required"):
        opportunity_edit(deal.id, changes={"fields": {"region": None}})


# Definitions


def test_a_definition_is_renamed_moved_retired_undone_and_audited(inside, six):
    seats = six["number"]
    field_edit(seats.id, changes={"label": "Licences"})
    field_undo(seats.id)
    field_move(seats.id, to=1)
    field_retire(seats.id)
    row = CustomField.objects.get(id=seats.id)
    assert (row.label, row.key, row.position, row.is_active) == ("Seats", "seats", 1, False)
    field_undo(seats.id)
    assert CustomField.objects.get(id=seats.id).is_active
    actions = list(AuditEntry.objects.filter(subject_id=seats.id).values_list("action", flat=True))
    assert {"field.created", "field.changed", "field.moved", "field.retired"} <= set(actions)


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"kind": "choice"}, "options"),
        ({"kind": "text", "options": REGIONS}, "options"),
        ({"kind": "money", "currency": "XXX"}, "currency"),
        ({"kind": "colour"}, "kind"),
        ({"kind": "text", "key": "Region"}, "key"),
        ({"kind": "text", "key": "none"}, "key"),
        ({"kind": "number", "minimum": 5, "maximum": 1}, "maximum"),
        ({"kind": "text", "minimum": 5}, "minimum"),
        ({"kind": "choice", "options": [REGIONS[0], REGIONS[0]]}, "options"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(inside, more, part):
    with pytest.raises(NotAccepted) as refusal:
        field_create(object="deal", label="X", **more)
    assert refusal.value.key == part


def test_the_hundred_and_first_field_is_refused(inside):
    for number in range(100):
        field_create(object="deal", label=f"F {number}", kind="text")
    with pytest.raises(NotAccepted, match="at most 100"):
        field_create(object="deal", label="One more", kind="text")


# Surfaces


def test_the_typed_table_says_what_the_rules_say(inside, six, make_deal):
    """The reading in SQL and the one in Python agree, on what an import left too."""
    raws = [
        "12", "-7.25", "1,000", "12.5000001", "", " 5", "2026-02-28", "2026-02-30", "emea", "EMEA", "Old world",
        str(inside.jon.id), "nobody", 5, 5.5, True, None, ["x"], {"amount_minor": 5, "currency": "JPY"},
        {"amount_minor": 5, "currency": "EUR"}, {"a": 1}, "1e5", "99999999999999", 1e-06,
    ]  # fmt: skip
    book = field_book("deal")
    for raw in raws:
        deal = make_deal("K")
        Opportunity.objects.filter(id=deal.id).update(
            attributes={field.attribute: raw for field in book.fields if raw is not None}
        )
        table = {
            row["field__key"]: row["text"] or row["number"] or row["day"] or row["person_id"]
            for row in OpportunityFieldValue.objects.filter(opportunity_id=deal.id).values(
                "field__key", "text", "number", "day", "person_id"
            )
        }
        expected = {}
        for field in book.fields:
            value = stored(field, {field.attribute: raw})
            if value is None:
                continue
            expected[field.key] = {
                "number": lambda v: millionths(v),
                "money": lambda v: v["amount_minor"],
                "date": lambda v: date.fromisoformat(v),
                "text": lambda v: " ".join(v.lower().split()) or None,
            }.get(field.kind, lambda v: v)(value)
        got = {key: str(value) if key == "engineer" else value for key, value in table.items()}
        wanted = {key: value for key, value in expected.items() if value is not None}
        assert got == wanted, raw


def test_a_field_is_called_like_nothing_that_is_there(house: House) -> None:
    with use(house.organization.id, person_id=house.ops.id):
        for object, label in (("deal", "Close Date"), ("account", "industry"), ("contact", "Phone")):
            with pytest.raises(NotAccepted, match="already"):
                field_create(object=object, label=label, kind="text")
        first = field_create(object="deal", label="Region", kind="text")
        with pytest.raises(NotAccepted, match="already"):
            field_create(object="deal", label="REGION", kind="text")
        field_create(object="account", label="Region", kind="text")
        field_retire(first.id)
        field_create(object="deal", label="Region", kind="text")
        with pytest.raises(NotAccepted, match="already"):
            field_retire(first.id, is_active=True)


@pytest.mark.parametrize(
    ("object", "kind"), [("deal", "opportunities"), ("account", "accounts"), ("contact", "contacts")]
)
def test_every_native_column_is_a_taken_label(object: str, kind: str) -> None:
    assert {column.name.replace("_", " ") for column in IMPORTS[kind].columns} <= NATIVE[object]
