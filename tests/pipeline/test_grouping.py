"""The list grouped: every deal is in one group, sums are over all that match, a group opens where not all fit."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.fields.rules import Option
from otc.fields.services import field_create
from otc.tenancy.context import use
from pipeline.accounts.services import account_create
from pipeline.opportunities.report import deals_report
from pipeline.opportunities.services import opportunity_edit

pytestmark = pytest.mark.django_db
GROUPS = ("stage", "owner", "category", "month", "account", "field.region")


@pytest.fixture
def deals(house, make_deal):
    """Four deals of two owners, two months and no month, two accounts and none, two regions and none."""
    with use(house.organization.id):
        field_create(
            object="deal",
            label="Region",
            kind="choice",
            options=[Option("us", "Americas"), Option("emea", "EMEA")],
        )
        accounts = [account_create(name=name) for name in ("Small", "Large")]
        found = [
            make_deal(
                f"Deal {n}",
                owner=house.jon if n == 3 else house.ana,
                amount_minor=10 ** (n + 3),
                close_date=[date(2027, 1, 3), date(2027, 1, 31), date(2027, 2, 1), None][n],
                account_id=[accounts[0].id, accounts[1].id, accounts[1].id, None][n],
            )
            for n in range(4)
        ]
        for n, region in enumerate(("emea", "us", "us")):
            opportunity_edit(found[n].id, changes={"fields": {"region": region}})
        opportunity_edit(found[0].id, changes={"category": "commit"})
    return found


def report_of(client: Any, house: Any, query: str) -> Any:
    return client.get(house.url(f"deals/?scope=everyone&{query}")).context


def shown(context: Any) -> list[tuple[str, list[str]]]:
    return [(one.group.label, [row.name for row in one.rows]) for one in context["sections"]["all"]]


def test_groups_add_up_to_the_list_and_each_row_stands_in_its_own(house, deals, signed_in):
    client = signed_in(house.max)
    for group in GROUPS:
        for query in ("", "&q=deal+1", "&state=any"):
            context = report_of(client, house, f"group={group}{query}")
            report, asked = context["report"], (group, query)
            assert sum(one.count for one in report.groups) == report.sums.count, asked
            assert sum(one.total_minor for one in report.groups) == report.sums.total_minor, asked
            rows = [row.id for one in context["sections"]["all"] for row in one.rows]
            assert sorted(rows) == sorted(row.id for row in report.rows), asked
            assert all(len(one.rows) == one.group.count for one in context["sections"]["all"]), asked


@pytest.mark.parametrize(
    ("group", "labels"),
    [
        ("category", ["Pipeline", "Commit"]),
        ("month", ["January 2027", "February 2027", "No close date"]),
        ("owner", ["Ana Ruiz", "Jonas Feld"]),
        ("account", ["No account", "Large", "Small"]),
        ("field.region", ["Americas", "EMEA", "Not set"]),
    ],
)
def test_groups_stand_in_their_order(house, deals, signed_in, group, labels):
    context = report_of(signed_in(house.max), house, f"group={group}")
    assert [label for label, _ in shown(context)] == labels


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_opened_alone_lists_its_own_deals(house, deals, signed_in, group):
    client = signed_in(house.max)
    for one in report_of(client, house, f"group={group}")["report"].groups:
        alone = report_of(client, house, f"group={group}&in={one.key}")
        assert len(alone["report"].rows) == one.count
        assert [len(section.rows) for section in alone["sections"]["all"] if section.is_open] == [one.count]


def test_where_not_all_fit_the_first_group_is_open_and_pages_on(
    house, deals, signed_in, make_deal, monkeypatch
):
    monkeypatch.setattr("pipeline.opportunities.views.deals.deals_report", partial(deals_report, limit=2))
    client = signed_in(house.max)
    context = report_of(client, house, "group=owner")
    assert [len(rows) for _, rows in shown(context)] == [2, 0]
    following = client.get(context["next_href"]).context
    assert [len(rows) for _, rows in shown(following)] == [1, 0]
    assert following["report"].groups == context["report"].groups


def test_what_is_no_group_is_refused(house, deals, signed_in):
    client = signed_in(house.max)
    for query in ("group=colour", "group=field.none", "group=month&in=soon", "group=stage&in=1"):
        assert client.get(house.url(f"deals/?{query}")).status_code == 400, query


def test_the_past_is_grouped_as_it_was(house, deals, signed_in):
    with use(house.organization.id):
        before = timezone.now()
        opportunity_edit(deals[3].id, changes={"category": "commit", "close_date": date(2027, 5, 1)})
    as_of = before.isoformat().replace("+00:00", "Z")
    context = report_of(signed_in(house.max), house, f"group=month&as_of={as_of}")
    assert [label for label, _ in shown(context)] == ["January 2027", "February 2027", "No close date"]


def test_grouping_costs_one_query(house, deals, signed_in):
    client = signed_in(house.ana)
    counts = []
    for query in ("", "", "?group=stage"):
        with CaptureQueriesContext(connection) as captured:
            client.get(house.url("deals/") + query)
        counts.append(len(captured))
    assert counts[2] == counts[1] + 1
