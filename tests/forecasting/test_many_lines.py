"""Many reporting lines from rows: the difference first, all or none, in any order, undone together."""

from datetime import timedelta

import pytest

from forecasting.preview.many import put_lines_back
from otc.tenancy.context import use
from otc.tenancy.lines import chart_at
from otc.tenancy.models import ReportingLine
from otc.undo.models import UndoStep
from otc.undo.registry import CantUndo
from tests.days import day_in_house


@pytest.fixture
def page(house, signed_in):
    browser, address = signed_in(house.ops), f"/o/{house.organization.slug}/settings/people/lines/"

    def send(*lines, act="check"):
        return browser.post(address, {"block": "\n".join(lines), "act": act})

    return send


def rows(house):
    with use(house.organization.id):
        return list(ReportingLine.objects.order_by("id").values_list())


def boss(house, person):
    from django.utils import timezone

    with use(house.organization.id):
        return chart_at(timezone.now()).manager_of.get(person.id)


@pytest.mark.django_db
def test_two_change_places_whoever_is_written_first_after_the_difference_was_shown(house, page):
    before = rows(house)
    swap = ("Person,Manager,From", "Max Brandt,Ana Ruiz,", "Ana Ruiz,Eve Okafor,today")
    shown = page(*swap)
    assert shown.status_code == 200 and "Write 2 lines" in shown.content.decode()
    assert "Max Brandt now" in shown.content.decode()
    assert rows(house) == before
    assert page(*swap, act="write").status_code == 302
    assert (boss(house, house.max), boss(house, house.ana)) == (house.ana.id, house.eve.id)
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        step = UndoStep.objects.get(kind="lines_set")
        assert put_lines_back(step.payload) == "2 reporting lines are as before"
        with pytest.raises(CantUndo):
            put_lines_back(step.payload)
    assert (boss(house, house.max), boss(house, house.ana)) == (house.eve.id, house.max.id)


@pytest.mark.django_db
def test_a_circle_is_named_by_its_people_and_nothing_is_written_not_even_on_a_later_day(house, page):
    before = rows(house)
    for day in ("today", (day_in_house() + timedelta(days=40)).isoformat()):
        for act in ("check", "write"):
            refused = page("Jonas Feld,Eve Okafor,today", f"Max Brandt,Ana Ruiz,{day}", act=act)
            text = refused.content.decode()
            assert refused.status_code == 422
            assert (
                "in a circle" in text and "Ana Ruiz → Max Brandt" in text
            ) or "Max Brandt → Ana Ruiz" in text
            assert rows(house) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Nobody Here,Max Brandt,today", "Nobody is called “Nobody Here”"),
        ("Ana Ruiz,Ana Ruiz,today", "report to themselves"),
        ("Ana Ruiz,,today", "Name a manager"),
        ("Ana Ruiz,top,2020-01-01", "the past stays"),
        ("Ana Ruiz,top,blurb", "blurb"),
        ("Ana Ruiz,Bridge,today", "Nobody is called “Bridge”"),
        ("Jonas Feld,top,today", "stands here twice"),
    ],
)
def test_one_wrong_line_writes_none_and_says_which(house, page, line, said):
    before = rows(house)
    refused = page("Jonas Feld,Eve Okafor,today", line, act="write")
    assert refused.status_code == 422
    assert "Line 2: " in refused.content.decode() and said in refused.content.decode()
    assert rows(house) == before


@pytest.mark.django_db
def test_only_who_manages_people_may(house, signed_in):
    address = f"/o/{house.organization.slug}/settings/people/lines/"
    assert signed_in(house.max).get(address).status_code == 403
    assert "as a spreadsheet copies them" in signed_in(house.ops).get(address).content.decode()
