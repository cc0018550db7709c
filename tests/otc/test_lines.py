"""Who reports to whom, from when to when, and whom one sees because of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from otc.tenancy.context import NoOrganization, use
from otc.tenancy.lines import ALL_OWNERS, UnknownScope, chart_at, scope_owners
from otc.tenancy.models import Person, ReportingLine, Visibility
from otc.tenancy.reach import visible_reach
from otc.tenancy.services import CyclicLine, line_set, person_create

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def sees(person, house):
    return visible_reach(person, organization=house.organization, now=NOW).owners


def test_a_branch_is_the_person_and_everybody_below(inside):
    chart = chart_at(NOW)
    assert chart.branch(inside.max.id) == {inside.max.id, inside.ana.id, inside.jon.id}
    assert chart.branch(inside.ana.id) == {inside.ana.id}


def test_a_rep_sees_own_deals_a_manager_the_branch_an_executive_all(inside):
    assert sees(inside.ana, inside).person_ids == {inside.ana.id}
    assert sees(inside.max, inside).person_ids == {inside.max.id, inside.ana.id, inside.jon.id}
    assert sees(inside.eve, inside) == ALL_OWNERS
    assert not sees(inside.max, inside).unassigned


def test_an_open_organization_shows_every_deal_to_everyone(inside):
    inside.organization.visibility = Visibility.OPEN
    assert sees(inside.ana, inside) == ALL_OWNERS


def test_a_moved_rep_is_seen_by_the_new_manager_only(inside):
    dana = person_create(name="Dana Whitlock", role="manager", manager=inside.eve, since=NOW)
    line_set(inside.ana, manager_id=dana.id, since=NOW)
    assert inside.ana.id not in sees(inside.max, inside).person_ids
    assert chart_at(NOW - timedelta(days=1)).manager_of[inside.ana.id] == inside.max.id
    assert chart_at(NOW).manager_of[inside.ana.id] == dana.id


def test_a_circle_of_lines_is_refused(inside):
    with pytest.raises(CyclicLine, match="Eve Okafor can't report"):
        line_set(inside.eve, manager_id=inside.ana.id, since=NOW)
    assert chart_at(NOW).manager_of[inside.eve.id] is None


def test_nobody_reports_to_themselves_not_even_in_sql(inside):
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportingLine(person_id=inside.ops.id, manager_id=inside.ops.id, valid_from=NOW).save()


def test_unassigned_are_nobody_and_people_without_a_line(inside):
    lone = person_create(name="Lone Wolf")
    owners = scope_owners("unassigned", chart=chart_at(NOW), visible=ALL_OWNERS)
    assert owners.contains(None)
    assert owners.contains(lone.id)
    assert not owners.contains(inside.ana.id)


@pytest.mark.parametrize("scope", ["nonsense", "0190b1c2-0000-7000-8000-000000000001", "unassigned"])
def test_a_scope_out_of_sight_is_not_found(inside, scope):
    with pytest.raises(UnknownScope):
        scope_owners(scope, chart=chart_at(NOW), visible=sees(inside.ana, inside))


def test_a_person_who_is_not_there_is_no_scope_even_for_who_sees_all(inside):
    with pytest.raises(UnknownScope):
        scope_owners("0190b1c2-0000-7000-8000-000000000001", chart=chart_at(NOW), visible=ALL_OWNERS)


def test_a_manager_is_no_scope_for_a_rep(inside):
    with pytest.raises(UnknownScope):
        scope_owners(str(inside.max.id), chart=chart_at(NOW), visible=sees(inside.ana, inside))


def test_without_an_organization_a_query_raises(house):
    with pytest.raises(NoOrganization):
        Person.objects.count()


def test_another_organization_in_between_leaves_the_first_in_force(inside, elsewhere):
    with use(elsewhere.organization.id):
        assert Person.objects.filter(name="Zoe Lindt").exists()
    assert Person.objects.filter(name="Ana Ruiz").exists()
    assert not Person.objects.filter(name="Zoe Lindt").exists()
