"""Untyped attributes become fields and fields change their kind: tried first, refused where words would be lost."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from otc.fields.models import CustomField
from otc.fields.queries import field_book
from otc.fields.rules import NotAccepted, Option, stored
from otc.fields.services import field_create
from otc.jobs.models import Job
from otc.jobs.services import run
from otc.tenancy.context import use
from pipeline.fields import conversion
from pipeline.fields.conversion import attribute_adopt, field_convert, untyped_attributes
from pipeline.fields.models import OpportunityFieldValue
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from tests.api_client import Caller
from tests.conftest import House

TODAY = date(2026, 11, 22)


@pytest.fixture
def imported(inside: House, make_deal: Callable[..., Any]) -> list[Opportunity]:
    """Three deals as an import left them."""
    rows = [
        {"Lead Source": "Fair", "Signed": "03/31/2026", "Seats": "12", "Who": "Jonas Feld"},
        {"Lead Source": "fair", "Signed": "12/24/2025", "Seats": "7.5", "Who": "Ana Ruiz"},
        {"Lead Source": "Web", "Signed": "soon", "Seats": "9", "Who": "nobody"},
    ]
    return [make_deal(f"D{n}", owner=inside.ana, attributes=row) for n, row in enumerate(rows)]


def now(name: str) -> list[Any]:
    book = field_book("deal")
    field = book.by_key(name)
    assert field is not None
    deals = Opportunity.objects.order_by("name")
    return [stored(field, deal.attributes) for deal in deals]


def test_untyped_attributes_are_listed_with_counts_samples_and_a_guess(imported):
    found = {one.name: one for one in untyped_attributes("deal")}
    assert found.keys() == {"Lead Source", "Signed", "Seats", "Who"}
    assert found["Seats"].count == 3 and found["Seats"].guess.kind == "number"
    assert found["Lead Source"].guess.kind == "choice" and "Web" in found["Lead Source"].samples


def test_adopting_writes_nothing_anew_where_the_words_can_be_read(imported):
    versions = OpportunityVersion.objects.count()
    row, tried = attribute_adopt(
        "deal", "Lead Source", label="Lead source", kind="choice", today=TODAY, takes_away=False
    )
    assert row.key == "lead_source" and tried.rewritten == 0
    assert OpportunityVersion.objects.count() == versions
    assert now("lead_source") == ["fair", "fair", "web"]
    assert OpportunityFieldValue.objects.filter(text="fair").count() == 2
    attribute_adopt("deal", "Seats", label="Seats", kind="number", today=TODAY, takes_away=False)
    assert now("seats") == [12, 7.5, 9]
    assert {one.name for one in untyped_attributes("deal")} == {"Signed", "Who"}


def test_words_that_would_be_lost_are_refused_unless_it_is_said(imported):
    options = {"label": "Signed", "kind": "date", "today": TODAY, "date_format": "%m/%d/%Y"}
    with pytest.raises(NotAccepted, match="1 values don’t convert, like “soon”"):
        attribute_adopt("deal", "Signed", takes_away=False, **options)
    assert not CustomField.objects.exists() and Opportunity.objects.filter(attributes__Signed="soon").exists()
    attribute_adopt("deal", "Signed", takes_away=True, **options)
    assert now("signed") == ["2026-03-31", "2025-12-24", None]
    first = OpportunityVersion.objects.filter(opportunity_id=imported[2].id).order_by("valid_from").first()
    assert first.attributes["Signed"] == "soon"


def test_people_are_found_by_name(inside, imported):
    attribute_adopt("deal", "Who", label="Engineer", kind="person", today=TODAY, takes_away=True)
    assert now("engineer") == [str(inside.jon.id), str(inside.ana.id), None]


def test_a_kind_changes_both_ways_and_the_typed_table_follows(inside, make_deal):
    row = field_create(object="deal", label="Size", kind="text")
    for words in ("10", "20", "20"):
        make_deal("K", fields={"size": words})
    field_convert(row, kind="number", today=TODAY, takes_away=False)
    assert sorted(OpportunityFieldValue.objects.values_list("number", flat=True)) == [
        10**7,
        2 * 10**7,
        2 * 10**7,
    ]
    row.refresh_from_db()
    field_convert(row, kind="choice", today=TODAY, takes_away=False)
    row.refresh_from_db()
    assert [option.label for option in row.definition.options] == ["20", "10"]
    field_convert(row, kind="text", today=TODAY, takes_away=False)
    assert sorted(now("size")) == ["10", "20", "20"]
    row.refresh_from_db()
    with pytest.raises(NotAccepted):
        field_convert(row, kind="date", today=TODAY, takes_away=False)
    assert CustomField.objects.get(id=row.id).kind == "text"


@pytest.mark.django_db(transaction=True)
def test_many_values_are_converted_by_a_job_in_steps(house, make_deal, monkeypatch):
    monkeypatch.setattr(conversion, "AT_ONCE", 2)
    monkeypatch.setattr(conversion, "STEP", 2)
    with use(house.organization.id, channel="ui"):
        row = field_create(object="deal", label="Size", kind="text")
        for number in range(5):
            make_deal("K", fields={"size": f"1,00{number}"})
        field_convert(row, kind="number", today=TODAY, takes_away=False)
        assert CustomField.objects.get(id=row.id).kind == "text"
        job = Job.objects.get(kind="field_conversion")
    assert run(house.organization.id, job.id)
    with use(house.organization.id):
        row.refresh_from_db()
        assert (row.kind, row.pending) == ("number", None)
        assert sorted(now("size")) == [1000, 1001, 1002, 1003, 1004]
        assert OpportunityFieldValue.objects.filter(number__isnull=False).count() == 5


pages = pytest.mark.django_db(transaction=True)


@pages
def test_the_pages_adopt_and_convert(house, signed_in, make_deal):
    with use(house.organization.id, channel="ui"):
        make_deal("K", owner=house.ana, attributes={"Lead <b>": "Fair"})
        row = field_create(object="deal", label="Size", kind="choice", options=[Option("s", "S")])
    browser = signed_in(house.ops)
    page = browser.get(house.url("settings/fields/?object=deal")).content.decode()
    assert "Lead &lt;b&gt;" in page and "Lead <b>" not in page
    url = house.url("settings/fields/adopt/")
    tried = browser.get(url, {"object": "deal", "attribute": "Lead <b>", "kind": "choice"})
    assert tried.status_code == 200 and tried.context["tried"].converting == 1
    done = browser.post(url, {"object": "deal", "attribute": "Lead <b>", "kind": "choice", "label": "Lead"})
    assert done.status_code == 302
    (deal,) = Caller(house.ana).get("opportunities").json()["results"]
    assert deal["fields"]["lead"] == "fair"
    kind = house.url(f"settings/fields/{row.id}/kind/")
    assert browser.get(kind, {"kind": "text"}).status_code == 200
    assert browser.post(kind, {"kind": "text"}).status_code == 302
    with use(house.organization.id):
        assert CustomField.objects.get(id=row.id).kind == "text"
    for path in ("", "adopt/", f"{row.id}/", f"{row.id}/kind/"):
        assert signed_in(house.ana).get(house.url(f"settings/fields/{path}")).status_code == 403


@pages
def test_a_field_is_made_changed_moved_retired_and_brought_back_on_its_pages(house, signed_in):
    browser = signed_in(house.ops)
    posted = {
        "object": "deal",
        "label": "Region",
        "kind": "choice",
        "options": "EMEA\nAsia & Pacific\n\nEMEA",
    }
    assert browser.post(house.url("settings/fields/"), posted).status_code == 302
    with use(house.organization.id):
        row = CustomField.objects.get()
    assert [option.key for option in row.definition.options] == ["emea", "asia_pacific"]
    page = house.url(f"settings/fields/{row.id}/")
    changed = {
        "label": "Region!",
        "help_text": "Where",
        "required_from": "",
        "options": "emea = Europe\nLatam",
    }
    assert browser.post(page, changed).status_code == 302
    with use(house.organization.id):
        row = CustomField.objects.get()
        found = [(o.key, o.label, o.is_retired) for o in row.definition.options]
    assert found == [
        ("emea", "Europe", False),
        ("latam", "Latam", False),
        ("asia_pacific", "Asia & Pacific", True),
    ]
    assert browser.post(page + "undo/").status_code == 302
    assert browser.post(page + "active/", {"is_active": "no"}).status_code == 302
    assert browser.post(page + "move/", {"to": "1"}).status_code == 302
    with use(house.organization.id):
        row = CustomField.objects.get()
    assert (row.label, row.is_active) == ("Region", False)
    refused = browser.post(house.url("settings/fields/"), posted | {"kind": "choice", "options": ""})
    assert refused.status_code == 422
