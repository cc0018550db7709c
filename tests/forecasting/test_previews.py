"""What a new line or a leaving would move: said before, taken back, and just what then happens."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import adjustment_set
from forecasting.preview.report import COLUMNS, preview_report
from forecasting.rollup.report import rollup_report
from otc.audit.models import AuditEntry
from otc.calendar.rules import following, period_of
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person, ReportingLine
from otc.tenancy.services import CyclicLine, line_set, person_create, person_leave
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

pytestmark = pytest.mark.django_db
TODAY = day_in_house()
QUARTER = period_of(TODAY)


def administrator(house):
    """Whoever asks, now."""
    return Tenant(house.organization, house.ops, timezone.now(), [house.organization])


@pytest.fixture
def branch(inside):
    """Ana below Max, Dana beside him, both below Eve; Ana has 40 in commit, Max 60."""
    dana = person_create(
        name="Dana Whitlock", role="manager", manager=inside.eve, since=timezone.now() - timedelta(days=9)
    )
    for owner, amount in ((inside.ana, 40_00), (inside.max, 60_00)):
        deal_with(owner_id=owner.id, amount_minor=amount, category="commit", close_date=QUARTER.last)
    return dana, administrator(inside)


def test_a_branch_that_moves_takes_its_amounts_along_and_the_total_stays(branch, inside):
    dana, tenant = branch
    found = preview_report(
        ask(tenant, {}), lambda: line_set(inside.ana, manager_id=dana.id, since=tenant.now)
    )
    changes = {row.name: row.change["commit_cumulative"] for row in found.rows}
    assert changes == {"Max Brandt": -40_00, "Dana Whitlock": 40_00, "Ana Ruiz": 0}
    ana = next(row for row in found.rows if row.name == "Ana Ruiz")
    assert (ana.manager_before, ana.manager_after) == ("Max Brandt", "Dana Whitlock")
    assert found.is_conserved
    assert found.total["commit_cumulative"] == (100_00, 100_00)


def test_a_preview_writes_nothing_and_says_what_then_happens(branch, inside):
    dana, tenant = branch
    question = ask(tenant, {})
    before = (list(ReportingLine.objects.values_list()), AuditEntry.objects.count())
    found = preview_report(question, lambda: line_set(inside.ana, manager_id=dana.id, since=tenant.now))
    assert (list(ReportingLine.objects.values_list()), AuditEntry.objects.count()) == before
    line_set(inside.ana, manager_id=dana.id, since=tenant.now)
    now = timezone.now()
    frame = question.frame | {"as_of": now, "now": now}
    report = rollup_report(question.organization, period=question.period, **frame)
    finals = {row.person_id: row for row in report.rows}
    for row in found.rows:
        assert {column: finals[row.person_id].amounts[column].final for column in COLUMNS} == row.after


def test_an_adjustment_of_the_manager_who_goes_is_named(branch, inside):
    dana, _ = branch
    tenant = administrator(inside)
    adjustment_set(
        inside.organization,
        author=inside.max,
        cell=Cell(QUARTER, inside.ana.id, "commit_cumulative"),
        kind="delta",
        amount_minor=-5_00,
        reason="too early",
        expected_step_id=None,
        now=tenant.now,
        today=tenant.today,
    )
    tenant = administrator(inside)
    found = preview_report(
        ask(tenant, {}), lambda: line_set(inside.ana, manager_id=dana.id, since=tenant.now)
    )
    assert [(one.author_name, one.effect_minor) for one in found.former] == [("Max Brandt", -5_00)]


def test_a_cycle_is_refused_and_nothing_is_written(branch, inside):
    _, tenant = branch
    with pytest.raises(CyclicLine, match="report"):
        preview_report(
            ask(tenant, {}), lambda: line_set(inside.max, manager_id=inside.ana.id, since=tenant.now)
        )
    assert not ReportingLine.objects.filter(person=inside.max, manager=inside.ana).exists()


def test_who_leaves_is_in_no_later_period_and_the_money_is_nobody_s(branch, inside):
    ahead = following(QUARTER)
    deal_with(owner_id=inside.ana.id, amount_minor=70_00, category="commit", close_date=ahead.first)
    tenant = administrator(inside)
    question = ask(tenant, {"period": ahead.key})
    found = preview_report(question, lambda: person_leave(inside.ana, now=tenant.now, today=tenant.today))
    changes = {row.name: row.change["commit_cumulative"] for row in found.rows}
    assert changes["Ana Ruiz"] == -70_00
    assert changes["Unassigned"] == 70_00
    assert found.is_conserved
    assert Person.objects.get(id=inside.ana.id).left_on is None


def test_the_page_shows_the_difference_before_the_button_that_makes_it(branch, inside, signed_in):
    dana, _ = branch
    page = signed_in(inside.ops).get(
        f"/o/{inside.organization.slug}/settings/people/{inside.ana.id}/line/preview/?manager={dana.id}&since=today"
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert "would report to Dana Whitlock" in text
    assert f"/settings/people/{inside.ana.id}/line/" in text


def test_the_page_names_what_can_not_be(branch, inside, signed_in):
    page = signed_in(inside.ops).get(
        f"/o/{inside.organization.slug}/settings/people/{inside.max.id}/line/preview/?manager={inside.ana.id}&since=today"
    )
    assert page.status_code == 422
    assert "can&#x27;t report to" in page.content.decode()
