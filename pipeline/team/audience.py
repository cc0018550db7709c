"""Who may see a deal? The same rule as `seen`, asked from the deal's side."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from otc.delegation.models import Delegation
from otc.tenancy.lines import Chart, sees_everything
from otc.tenancy.models import FOREVER, Organization, Person, Visibility
from otc.tenancy.permissions import STANDS_IN, may
from pipeline.opportunities.models import Opportunity
from pipeline.team.models import DealTeamMember, Split


def people_seeing(
    deal: Opportunity, *, organization: Organization, chart: Chart, today: date
) -> list[Person]:
    """Everybody who signs in and may see the deal today, by name. Four queries."""
    above = _leading(chart, _close_to(deal, organization=organization))
    if deal.owner_id is None:
        above |= chart.tops
    standing_in = _delegates(above, today=today)
    people = Person.objects.filter(left_on__isnull=True).order_by("name_folded", "id")
    return [
        person
        for person in people
        if may(person.role, "use_pages")
        and (
            person.id in above
            or sees_everything(person, organization=organization)
            or (person.id in standing_in and person.role in STANDS_IN)
        )
    ]


def _close_to(deal: Opportunity, *, organization: Organization) -> set[UUID]:
    """The owner, and whoever has a seat where seats count."""
    found = {deal.owner_id} if deal.owner_id else set()
    if organization.visibility == Visibility.TEAM:
        for seat in (DealTeamMember, Split):
            present = seat.objects.filter(opportunity_id=deal.id, valid_to=FOREVER)
            found |= set(present.values_list("person_id", flat=True))
    return found


def _leading(chart: Chart, people: Iterable[UUID]) -> set[UUID]:
    """The people and everybody whom they report to, up to the top."""
    found: set[UUID] = set()
    for person_id in people:
        at: UUID | None = person_id
        while at is not None and at not in found:
            found.add(at)
            at = chart.manager_of.get(at)
    return found


def _delegates(managers: set[UUID], *, today: date) -> set[UUID]:
    """Who stands in for one of them today."""
    running = Delegation.objects.filter(
        manager_id__in=managers, ended_at__isnull=True, first_on__lte=today, last_on__gte=today
    )
    return set(running.values_list("delegate_id", flat=True))
