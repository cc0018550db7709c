"""What may every role do, and who has it? The matrix is the role table itself, the people are today's."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from otc.tenancy.models import Person, Role
from otc.tenancy.permissions import SEES_EVERYTHING, TABLE, Action, may

NAMES_SHOWN = 8


@dataclass(frozen=True)
class ActionRow:
    """An action and, in the order of the roles, whether each may."""

    action: Action
    allowed: tuple[bool, ...]


@dataclass(frozen=True)
class RoleColumn:
    """A role, how many people have it today, the first of them by name, and whether it sees every deal."""

    role: Role
    count: int
    people: tuple[Person, ...]
    sees_everything: bool

    @property
    def more(self) -> int:
        return self.count - len(self.people)


@dataclass(frozen=True)
class RolesReport:
    columns: tuple[RoleColumn, ...]
    groups: tuple[tuple[str, tuple[ActionRow, ...]], ...]


def roles_report(*, today: date) -> RolesReport:
    """The whole matrix by group, and who has which role. One query."""
    people: dict[str, list[Person]] = {}
    here = Person.objects.filter(Q(left_on__isnull=True) | Q(left_on__gt=today))
    for person in here.order_by("name_folded", "id"):
        people.setdefault(person.role, []).append(person)
    columns = tuple(
        RoleColumn(
            role,
            len(people.get(role, [])),
            tuple(people.get(role, [])[:NAMES_SHOWN]),
            role in SEES_EVERYTHING,
        )
        for role in Role
    )
    groups: dict[str, list[ActionRow]] = {}
    for action in TABLE:
        row = ActionRow(action, tuple(may(role, action.key) for role in Role))
        groups.setdefault(action.group, []).append(row)
    return RolesReport(columns, tuple((name, tuple(rows)) for name, rows in groups.items()))
