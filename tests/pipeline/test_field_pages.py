"""Custom fields where people and programs meet them: forms, lists, filters, files, the API, the past."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.fields.rules import Option
from otc.fields.services import field_create
from otc.imports.services import run_import
from otc.tenancy.context import use
from pipeline.imports.registry import KINDS as IMPORTS
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from tests.api_client import NEXT_STEP, Caller
from tests.conftest import House
from tests.days import day_in_house
from tests.pipeline.test_fields import REGIONS

pytestmark = pytest.mark.django_db

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
        "next_step": "Call",
        "next_step_on": "+1w",
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


def test_the_api_writes_and_refuses_by_name(house):
    with use(house.organization.id, channel="ui"):
        field_create(object="deal", label="Region", kind="choice", options=REGIONS)
        field_create(object="account", label="Tier", kind="number")
        field_create(object="contact", label="Since", kind="date")
    caller = Caller(house.ana)
    wanted = {"name": "K", "fields": {"region": "emea"}, "attributes": {"x": 1}, **NEXT_STEP}
    made = caller.post("opportunities", wanted)
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
                close_date=day_in_house(),
                fields=dict(zip(EVERY, values, strict=True)),
            )


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


@pytest.mark.parametrize(
    "name", ["field.nothing", "field.region", "field.seats.from", "field.seats.like", "field."]
)
def test_a_filter_that_can_not_be_meant_says_so(house, signed_in, name):
    fields_and_deals(house)
    assert Caller(house.ops).get(f"opportunities?{name}=what").status_code == 400
    assert signed_in(house.ops).get(house.url(f"deals/?{name}=what")).status_code == 400


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


def test_the_board_is_narrowed_by_a_field(house, signed_in):
    fields_and_deals(house)
    report = signed_in(house.ops).get(house.url("deals/board/?field.region=apac")).context["report"]
    assert report.count == 1


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


@pytest.mark.django_db(transaction=True)
def test_a_session_that_begins_with_words_for_a_person_reads_no_person(house):
    """The first calls of a session plan with the words at hand, and what no condition keeps off is cast then."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("""SELECT pipeline_field_person('{"a": "Jonas"}', 'a')""")
        assert cursor.fetchall() == [(None,)]
