"""What is the target of a scope in a period?"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from forecasting.quotas.models import Quota
from otc.calendar.rules import Period
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import EVERYONE, UNASSIGNED, Chart


def quotas_of(period: Period, *, own: str, currency: str, known: datetime) -> dict[UUID, int]:
    """Quota per person in minor units of `currency`; who has none is left out. `own` is the organization's.

    A quota has no close date: in another currency it counts at the rate of its period's last day.
    """
    quotas = dict(Quota.objects.filter(period=period.key).values_list("person_id", "amount_minor"))
    return shown_minor(quotas, own=own, currency=currency, day=period.last, known=known)


def quota_minor(question: Question, quotas: Mapping[UUID, int] | None = None) -> int | None:
    """The scope's target: the person's own quota, else the sum of the reports'; None where nobody has one."""
    known = quotas
    if known is None:
        known = quotas_of(
            question.period,
            own=question.organization.currency,
            currency=question.currency,
            known=question.known,
        )
    if question.scope == UNASSIGNED:
        return None
    if question.scope != EVERYONE:
        return branch_quota(UUID(question.scope), chart=question.chart, quotas=known)
    seen = question.visible.owners.person_ids
    roots = [
        person
        for person, manager in question.chart.manager_of.items()
        if (seen is None and manager is None) or (seen is not None and person in seen and manager not in seen)
    ]
    found = [branch_quota(root, chart=question.chart, quotas=known) for root in roots]
    given = [amount for amount in found if amount is not None]
    return sum(given) if given else None


def branch_quota(person_id: UUID, *, chart: Chart, quotas: Mapping[UUID, int]) -> int | None:
    """A person's quota, or where there is none the sum over the reports, all the way down."""
    found: list[int] = []
    waiting = [person_id]
    while waiting:
        person = waiting.pop()
        if person in quotas:
            found.append(quotas[person])
        else:
            waiting += chart.reports.get(person, ())
    return sum(found) if found else None
