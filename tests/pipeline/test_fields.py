"""Custom fields: one value goes round every surface and comes back the same; what doesn't fit is refused."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.fields.models import CustomField
from otc.fields.native import NATIVE
from otc.fields.queries import field_book
from otc.fields.rules import NotAccepted, Option, millionths, stored
from otc.fields.services import field_create, field_edit, field_move, field_retire, field_undo
from otc.imports.services import run_import
from otc.tenancy.context import use
from pipeline.fields.models import OpportunityFieldValue
from pipeline.history.models import OpportunityVersion
from pipeline.imports.registry import KINDS as IMPORTS
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_create, opportunity_edit, opportunity_undo
from tests.api_client import Caller
from tests.conftest import House

Make = Callable[..., Any]
REGIONS = [Option("emea", "EMEA"), Option("apac", "Asia & Pacific"), Option("old", "Old world", True)]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=1+1",
    "'; DROP TABLE otc_customfield; --",
    "%(organization)s %s",
    "{{ request.user }}{% url %}",
    "a\u202eb",
    "None",
    "2024",
)


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
    field_edit(region.id, changes={"required_from": timezone.now().date() - timedelta(days=1)})
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

pages = pytest.mark.django_db(transaction=True)


@pages
def test_a_value_goes_round_form_list_csv_api_and_import(house, signed_in, tmp_path):
    with use(house.organization.id, channel="ui"):
        for label, kind, more in (
            ("Segment", "text", {}),
            ("Seats", "number", {"decimals": 2}),
            ("Budget", "money", {"currency": "JPY"}),
            ("Go live", "date", {}),
            ("Region", "choice", {"options": REGIONS}),
            ("Engineer", "person", {}),
        ):
            field_create(object="deal", label=label, kind=kind, **more)
    browser = signed_in(house.ana)
    posted = {
        "name": "Kestrel",
        "currency": "EUR",
        "owner": str(house.ana.id),
        "field-segment": "=Mid market",
        "field-seats": "1,012.5",
        "field-budget": "1.25m",
        "field-go_live": "18 dec 2026",
        "field-region": "apac",
        "field-engineer": str(house.jon.id),
    }
    answer = browser.post(house.url("deals/new/"), posted)
    assert answer.status_code == 302, answer.context["form"].errors
    expected = {
        "segment": "=Mid market",
        "seats": 1012.5,
        "budget": {"amount_minor": 1_250_000, "currency": "JPY"},
        "go_live": "2026-12-18",
        "region": "apac",
        "engineer": str(house.jon.id),
    }
    caller = Caller(house.ana)
    (deal,) = caller.get("opportunities").json()["results"]
    assert deal["fields"] == expected and deal["attributes"] == {}
    versions = caller.get(f"opportunities/{deal['id']}/versions").json()["results"]
    assert versions[0]["fields"] == expected
    columns = ",".join(f"field.{key}" for key in expected)
    page = browser.get(house.url(f"deals/?columns={columns}")).content.decode()
    for words in ("=Mid market", "1,012.5", "1,250,000", "18\u00a0Dec", "Asia &amp; Pacific", "Jonas Feld"):
        assert words in page, words
    text = browser.get(house.url("deals/?format=csv")).getvalue().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    path = tmp_path / "again.csv"
    names = [name for name in row if name.startswith("field.")]
    with path.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "name", *names])
        writer.writerow(["K1", "Copy", *(row[name] for name in names)])
    report = run_import(house.organization, kind=IMPORTS["opportunities"], path=path)
    assert report.refused == () and report.created_count == 1
    found = [one for one in Caller(house.ops).get("opportunities").json()["results"] if one["name"] == "Copy"]
    assert found[0]["fields"] == expected


@pages
def test_an_import_refuses_the_row_whose_cell_does_not_fit(house, tmp_path):
    with use(house.organization.id, channel="ui"):
        field_create(object="deal", label="Region", kind="choice", options=REGIONS)
    path = tmp_path / "deals.csv"
    path.write_text("external_id,name,Region,Odd\n1,A,emea,x\n2,B,Mars,y\n3,C,,z\n")
    report = run_import(house.organization, kind=IMPORTS["opportunities"], path=path)
    assert [(row.line, row.column) for row in report.refused] == [(3, "region")]
    assert "none of: EMEA, Asia & Pacific" in report.refused[0].reason
    found = {one["name"]: one for one in Caller(house.ops).get("opportunities").json()["results"]}
    assert found["A"]["fields"] == {"region": "emea"} and found["A"]["attributes"] == {"Odd": "x"}
    assert found["C"]["fields"] == {"region": None}


@pages
def test_the_api_writes_and_refuses_by_name(house):
    with use(house.organization.id, channel="ui"):
        field_create(object="deal", label="Region", kind="choice", options=REGIONS)
        field_create(object="account", label="Tier", kind="number")
        field_create(object="contact", label="Since", kind="date")
    caller = Caller(house.ana)
    made = caller.post("opportunities", {"name": "K", "fields": {"region": "emea"}, "attributes": {"x": 1}})
    assert made.status_code == 201 and made.json()["fields"] == {"region": "emea"}
    url = f"opportunities/{made.json()['id']}"
    wrong = caller.patch(url, {"fields": {"region": "mars"}})
    assert wrong.status_code == 422 and list(wrong.json()["error"]["fields"]) == ["fields.region"]
    taken = caller.patch(url, {"attributes": {"region": "emea"}})
    assert taken.status_code == 422 and "write it under fields" in taken.json()["error"]["message"]
    kept = caller.patch(url, {"attributes": {"y": 2}}).json()
    assert kept["fields"] == {"region": "emea"} and kept["attributes"] == {"y": 2}
    account = caller.post("accounts", {"name": "A", "fields": {"tier": 3}}).json()
    assert account["fields"] == {"tier": 3}
    contact = caller.post(
        "contacts", {"name": "C", "account_id": account["id"], "fields": {"since": "2020-02-29"}}
    ).json()
    assert contact["fields"] == {"since": "2020-02-29"}
    assert caller.get(f"contacts/{contact['id']}").json()["fields"] == {"since": "2020-02-29"}


@pages
def test_definitions_over_the_api(house):
    admin, rep = Caller(house.ops), Caller(house.ana)
    body = {"object": "deal", "label": "Tier", "kind": "choice", "options": [{"key": "a", "label": "A"}]}
    assert rep.post("fields", body).status_code == 403
    made = admin.post("fields", body)
    assert made.status_code == 201 and made.json()["key"] == "tier"
    url = f"fields/{made.json()['id']}"
    edited = admin.patch(url, {"options": [{"key": "b", "label": "B"}], "label": "Class", "position": 1})
    assert [(o["key"], o["is_retired"]) for o in edited.json()["options"]] == [("b", False), ("a", True)]
    assert admin.patch(url, {"is_active": False}).json()["is_active"] is False
    assert admin.patch(url, {"kind": "text"}).status_code == 400
    assert [one["label"] for one in rep.get("fields?object=deal").json()["results"]] == ["Class"]


FILTERS = [
    ("region=emea", {"A"}),
    ("region=emea,apac", {"A", "B"}),
    ("region=none", {"C"}),
    ("region=apac,none", {"B", "C"}),
    ("region.set=yes", {"A", "B"}),
    ("seats.from=10", {"B"}),
    ("seats.to=10", {"A"}),
    ("seats=2.5", {"A"}),
    ("seats.set=no", {"C"}),
    ("budget.from=100", {"A", "B"}),
    ("budget.to=100", {"A"}),
    ("go_live.from=2026-02-01", {"B"}),
    ("go_live.to=2026-02-01", {"A"}),
    ("segment.contains=MID", {"A", "B"}),
    ("segment.starts=mid", {"A"}),
    ("segment=mid%20market", {"A"}),
    ("segment.contains=%25", set()),
    ("engineer=JON", {"A"}),
    ("engineer=none", {"B", "C"}),
]


@pages
def test_filters_find_the_same_now_on_a_past_day_and_over_the_api(house, signed_in):
    fields_and_deals(house)
    asked = [("field." + query.replace("JON", str(house.jon.id)), names) for query, names in FILTERS]
    caller, browser = Caller(house.ops), signed_in(house.ops)
    for query, names in asked:
        found = caller.get(f"opportunities?{query}").json()["results"]
        assert {one["name"] for one in found} == names, query
    moment = timezone.now().isoformat().replace("+", "%2B")
    with use(house.organization.id, channel="ui"):
        for deal in Opportunity.objects.all():
            opportunity_edit(deal.id, changes={"fields": dict.fromkeys(EVERY)})
    for query, names in asked:
        past = caller.get(f"opportunities?{query}&as_of={moment}").json()["results"]
        assert {one["name"] for one in past} == names, query
        page = browser.get(house.url(f"deals/?{query}&as_of={moment}"))
        assert {row.name for row in page.context["report"].rows} == names, query


EVERY = ("segment", "seats", "budget", "go_live", "region", "engineer")


def fields_and_deals(house: House) -> None:
    """A has all six, B five, C none."""
    with use(house.organization.id, channel="ui"):
        field_create(object="deal", label="Segment", kind="text")
        field_create(object="deal", label="Seats", kind="number", decimals=1)
        field_create(object="deal", label="Budget", kind="money")
        field_create(object="deal", label="Go live", kind="date")
        field_create(object="deal", label="Region", kind="choice", options=REGIONS)
        field_create(object="deal", label="Engineer", kind="person")
        a = {"amount_minor": 100_00, "currency": "EUR"}
        b = {"amount_minor": 200_00, "currency": "EUR"}
        rows = {
            "A": ("Mid market", 2.5, a, "2026-01-31", "emea", str(house.jon.id)),
            "B": ("Not mid", 11, b, "2026-03-01", "apac", None),
            "C": (None,) * 6,
        }
        for name, values in rows.items():
            opportunity_create(
                name=name,
                now=timezone.now(),
                owner_id=house.ana.id,
                amount_minor=100_00,
                close_date=timezone.now().date(),
                fields=dict(zip(EVERY, values, strict=True)),
            )


@pages
@pytest.mark.parametrize("key", EVERY)
def test_the_list_sorts_by_every_kind_now_and_in_the_past(house, signed_in, key):
    fields_and_deals(house)
    browser = signed_in(house.ops)
    moment = timezone.now().isoformat().replace("+", "%2B")
    first = ["A", "B"] if key != "engineer" else ["A"]
    for more in ("", f"&as_of={moment}"):
        up = [
            row.name
            for row in browser.get(house.url(f"deals/?sort=field.{key}{more}")).context["report"].rows
        ]
        down = [
            row.name
            for row in browser.get(house.url(f"deals/?sort=-field.{key}{more}")).context["report"].rows
        ]
        assert up[: len(first)] == first and down[: len(first)] == first[::-1]
        assert up[-1] == down[-1] == "C" or key == "engineer"


@pages
@pytest.mark.parametrize(
    "name", ["field.nothing", "field.region", "field.seats.from", "field.seats.like", "field."]
)
def test_a_filter_that_can_not_be_meant_says_so(house, signed_in, name):
    fields_and_deals(house)
    assert Caller(house.ops).get(f"opportunities?{name}=what").status_code == 400
    assert signed_in(house.ops).get(house.url(f"deals/?{name}=what")).status_code == 400


@pages
def test_the_inspection_groups_by_a_field_with_exact_sums_on_a_past_day_too(house, signed_in):
    fields_and_deals(house)
    moment = timezone.now().isoformat().replace("+", "%2B")
    with use(house.organization.id, channel="ui"):
        deal = Opportunity.objects.get(name="A")
        opportunity_edit(deal.id, changes={"fields": {"region": "apac"}})
    caller = Caller(house.ops)
    now = caller.get("inspection?group=field.region").json()["groups"]
    assert [(g["key"], g["count"], g["total_minor"]) for g in now] == [("apac", 2, 200_00), ("", 1, 100_00)]
    past = caller.get(f"inspection?group=field.region&as_of={moment}").json()["groups"]
    assert [(g["key"], g["count"]) for g in past] == [("emea", 1), ("apac", 1), ("", 1)]
    page = (
        signed_in(house.ops).get(house.url(f"inspection/?group=field.region&as_of={moment}")).content.decode()
    )
    assert "Asia &amp; Pacific" in page and "Region: not set" in page
    for key in ("segment", "seats", "go_live", "engineer"):
        assert sum(g["count"] for g in caller.get(f"inspection?group=field.{key}").json()["groups"]) == 3
    assert caller.get("inspection?group=field.budget").status_code == 400
    assert caller.get("inspection?group=field.nothing").status_code == 400


@pages
def test_a_cell_is_edited_in_the_list_and_told_on_the_timeline(house, signed_in):
    fields_and_deals(house)
    with use(house.organization.id):
        deal = Opportunity.objects.get(name="A")
    browser = signed_in(house.ana)
    url = house.url(f"deals/{deal.id}/edit/field-region/")
    headers = {
        "HTTP_HX_REQUEST": "true",
        "HTTP_HX_CURRENT_URL": f"http://testserver{house.url('deals/')}?columns=field.region",
    }
    assert b"Asia &amp; Pacific" in browser.get(url, **headers).content
    saved = browser.post(url, {"value": "apac"}, **headers)
    assert saved.status_code == 200 and "Asia &amp; Pacific" in saved.content.decode()
    refused = browser.post(url, {"value": "mars"}, **headers)
    assert refused.status_code == 422
    page = browser.get(house.url(f"deals/{deal.id}/")).content.decode()
    assert "Region EMEA to" in page.replace("\n", " ")
    assert browser.get(house.url(f"deals/{deal.id}/edit/field-nothing/")).status_code == 404


@pages
def test_columns_are_remembered_per_person_and_stand_in_the_address(house, signed_in):
    fields_and_deals(house)
    browser = signed_in(house.ops)
    posted = {"column": ["amount", "field.region"], "place-field.region": "1", "place-amount": "2"}
    answer = browser.post(house.url("deals/columns/"), posted | {"query": "q=A&scope=everyone"})
    assert answer["Location"].endswith("?q=A&scope=everyone&columns=field.region%2Camount")
    shown = browser.get(house.url("deals/")).context["columns"]
    assert [column.name for column in shown] == ["field.region", "amount"]
    assert len(signed_in(house.ana).get(house.url("deals/")).context["columns"]) == 8
    browser.post(house.url("deals/columns/"), {"usual": "1"})
    assert len(browser.get(house.url("deals/")).context["columns"]) == 8
    assert browser.get(house.url("deals/?columns=nothing")).status_code == 400


@pages
def test_the_board_is_narrowed_by_a_field(house, signed_in):
    fields_and_deals(house)
    report = signed_in(house.ops).get(house.url("deals/board/?field.region=apac")).context["report"]
    assert report.count == 1


@pages
def test_a_hundred_hostile_labels_break_no_page_and_cost_no_query(house, signed_in):
    def queries() -> list[int]:
        counts = []
        for path in (
            "deals/",
            "deals/?format=csv",
            f"deals/{deal.id}/",
            "deals/new/",
            "deals/board/",
            "inspection/",
        ):
            browser.get(house.url(path))
            with CaptureQueriesContext(connection) as captured:
                answer = browser.get(house.url(path))
            body = b"".join(answer) if answer.streaming else answer.content
            assert answer.status_code == 200
            if b"text/html" in answer["Content-Type"].encode():
                assert b"<script>alert" not in body and b"<img src=x" not in body
            counts.append(len(captured))
        return counts

    browser = signed_in(house.ops)
    counted: list[list[int]] = []
    kinds = ("text", "choice", "person", "date", "number", "money")
    for start, end in ((0, 6), (6, 100)):
        with use(house.organization.id, channel="ui"):
            for number in range(start, end):
                label = HOSTILE[number % len(HOSTILE)]
                label = label.replace("\u202e", "") + (str(number) if number else "")
                kind = kinds[number % 6]
                options = [Option("x", HOSTILE[0])] if kind == "choice" else []
                field_create(object="deal", label=label, kind=kind, options=options, help_text=HOSTILE[1])
            if start == 0:
                deal = opportunity_create(name="K", now=timezone.now(), owner_id=house.ana.id).opportunity
        counted.append(queries())
    assert counted[0] == counted[1]


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


@pages
def test_a_session_that_begins_with_words_for_a_person_reads_no_person(house):
    """The first calls of a session plan with the words at hand, and what no condition keeps off is cast then."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("""SELECT pipeline_field_person('{"a": "Jonas"}', 'a')""")
        assert cursor.fetchall() == [(None,)]


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
