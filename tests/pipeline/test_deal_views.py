"""Lists of deals under names: kept whole, shared with whom one says, started with, deleted and back."""

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.deal_views.models import DealView
from pipeline.deal_views.rules import kept
from tests.api_client import bearer, secret_of

pytestmark = pytest.mark.django_db


def save(
    client: Client, house: Any, name: str = "Mine", query: str = "group=stage", shared: str = "nobody"
) -> Any:
    posted = {"name": name, "query": query, "shared": shared}
    return client.post(house.url("deals/views/"), posted, follow=True)


def views(house: Any) -> list[DealView]:
    with use(house.organization.id):
        return list(DealView.objects.order_by("name"))


def names(client: Client, house: Any) -> list[str]:
    return [view.name for view, _ in client.get(house.url("deals/views/")).context["views"]]


def test_a_view_keeps_filters_columns_sort_and_grouping_and_no_page_or_day():
    asked = [
        ("q", "a"),
        ("sort", "-amount"),
        ("after", "x"),
        ("as_of", "2026-01-01"),
        ("field.region", "us"),
        ("in", "y"),
    ]
    assert kept(asked, viewer="me", columns="amount,close") == [
        ("q", "a"),
        ("sort", "-amount"),
        ("field.region", "us"),
        ("columns", "amount,close"),
    ]
    assert kept([("scope", "me"), ("columns", "stage")], viewer="me", columns="x") == [("columns", "stage")]


def test_a_saved_view_opens_as_it_was_with_all_of_it_in_the_address(house, signed_in, make_deal):
    with use(house.organization.id):
        make_deal("Kestrel", owner=house.ana)
    client = signed_in(house.ana)
    page = save(client, house, query="group=category&sort=-amount&q=kes&after=zzz")
    address = QueryDict(page.redirect_chain[-1][0].partition("?")[2])
    assert (address["group"], address["sort"], address["q"]) == ("category", "-amount", "kes")
    assert "after" not in address and address["columns"].startswith("stage,")
    assert page.context["view"].name == "Mine" and not page.context["is_view_changed"]
    changed = client.get(page.redirect_chain[-1][0] + "&tab=changed")
    assert changed.context["is_view_changed"]


def test_saved_again_under_its_name_it_is_replaced(house, signed_in):
    client = signed_in(house.ana)
    save(client, house)
    save(client, house, query="group=owner", shared="everyone")
    assert [(view.query.split("&")[0], view.shared) for view in views(house)] == [("group=owner", "everyone")]


def test_who_sees_a_view(house, signed_in):
    ana, max_ = signed_in(house.ana), signed_in(house.max)
    save(ana, house, "Only me")
    save(ana, house, "Everybody", shared="everyone")
    save(max_, house, "Team", shared=str(house.max.id))
    assert names(ana, house) == ["Everybody", "Only me", "Team"]
    assert names(max_, house) == ["Team", "Everybody"]
    assert names(signed_in(house.eve), house) == ["Everybody"]


def test_a_view_is_shared_with_a_team_that_one_belongs_to_only(house, signed_in):
    page = save(signed_in(house.ana), house, shared=str(house.jon.id))
    assert "Choose who sees the view" in page.content.decode() and views(house) == []
    save(signed_in(house.ana), house, shared=str(house.max.id))
    assert views(house)[0].branch_id == house.max.id


@pytest.mark.parametrize(
    "posted", [{"query": "sort=nothing"}, {"query": "group=colour"}, {"name": " "}, {"name": "x" * 101}]
)
def test_what_is_no_view_is_refused_in_words(house, signed_in, posted):
    page = save(signed_in(house.ana), house, **posted)
    assert "toast-error" in page.content.decode() and views(house) == []


def test_my_deals_are_each_viewers_own(house, signed_in, make_deal):
    with use(house.organization.id):
        make_deal("Ana’s", owner=house.ana)
        make_deal("Max’s", owner=house.max)
    save(signed_in(house.ana), house, query=f"scope={house.ana.id}", shared="everyone")
    client = signed_in(house.max)
    _, href = client.get(house.url("deals/views/")).context["views"][0]
    assert {row.name for row in client.get(href).context["report"].rows} == {"Ana’s", "Max’s"}


def test_a_list_starts_with_ones_view_and_with_the_usual_one_on_request(house, signed_in):
    client = signed_in(house.ana)
    save(client, house)
    view = views(house)[0]
    client.post(house.url("deals/views/default/"), {"view": str(view.id)})
    assert client.get(house.url("deals/"))["Location"].endswith(f"view={view.id}")
    assert client.get(house.url("deals/?view=none")).status_code == 200
    assert signed_in(house.max).get(house.url("deals/")).status_code == 200
    client.post(house.url("deals/views/default/"))
    assert client.get(house.url("deals/")).status_code == 200


def test_one_that_is_no_longer_shared_starts_nobodys_list(house, signed_in):
    save(signed_in(house.max), house, shared="everyone")
    ana = signed_in(house.ana)
    ana.post(house.url("deals/views/default/"), {"view": str(views(house)[0].id)})
    save(signed_in(house.max), house)
    assert ana.get(house.url("deals/")).status_code == 200


def test_a_deleted_view_comes_back_with_its_id_and_for_whom_it_was_first(house, signed_in):
    client = signed_in(house.ana)
    save(client, house, shared=str(house.max.id))
    view = views(house)[0]
    client.post(house.url("deals/views/default/"), {"view": str(view.id)})
    page = client.post(house.url(f"deals/views/{view.id}/delete/"), follow=True)
    assert views(house) == []
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).default_deal_view is None
    back = client.post(list(page.context["messages"])[-1].extra_tags, follow=True)
    assert str(next(iter(back.context["messages"]))) == "Mine is back"
    assert [(one.id, one.branch_id) for one in views(house)] == [(view.id, house.max.id)]
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).default_deal_view == view.id


def test_undo_says_so_where_the_name_was_taken_since(house, signed_in):
    client = signed_in(house.ana)
    save(client, house)
    page = client.post(house.url(f"deals/views/{views(house)[0].id}/delete/"), follow=True)
    save(client, house)
    back = client.post(list(page.context["messages"])[-1].extra_tags, follow=True)
    assert "another view called Mine" in back.content.decode() and len(views(house)) == 1


def test_only_who_saved_it_deletes_it(house, signed_in):
    save(signed_in(house.ana), house, shared="everyone")
    url = house.url(f"deals/views/{views(house)[0].id}/delete/")
    assert signed_in(house.max).post(url).status_code == 404 and len(views(house)) == 1


def test_the_api_reads_views(house, signed_in):
    save(signed_in(house.ana), house, query="group=stage&q=kestrel")
    answer = Client(headers=bearer(secret_of(house.ana))).get("/api/v1/deal-views").json()
    assert [(one["name"], one["parameters"]["q"], one["is_default"]) for one in answer["results"]] == [
        ("Mine", ["kestrel"], False)
    ]
    assert Client(headers=bearer(secret_of(house.max))).get("/api/v1/deal-views").json() == {"results": []}


def test_a_name_with_markup_stays_text(house, signed_in):
    page = save(signed_in(house.ana), house, "<script>alert(1)</script>")
    assert "<script>alert" not in page.content.decode()
