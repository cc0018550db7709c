"""A deal's buying team at an instant: who plays which part, when they were last in contact, what is missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pipeline.accounts.models import Contact
from pipeline.buying.models import BuyingRole, Part
from pipeline.buying.queries import buying_roles_at
from pipeline.buying.rules import WANTED, is_single_threaded, missing_parts


@dataclass(frozen=True)
class Member:
    """Somebody of the buyer's; `role` is None for a contact of the account who plays no part yet."""

    contact: Contact
    role: BuyingRole | None
    last_at: datetime | None


@dataclass(frozen=True)
class BuyingTeam:
    """`members` have parts, in the order of the parts; `others` are the account's other contacts."""

    members: tuple[Member, ...]
    others: tuple[Member, ...]
    missing: tuple[Part, ...]
    is_single_threaded: bool

    @property
    def covered(self) -> int:
        return len(WANTED) - len(self.missing)

    @property
    def wanted(self) -> int:
        return len(WANTED)

    @property
    def lacks_decision_maker(self) -> bool:
        return Part.DECISION_MAKER in self.missing

    @property
    def contacts(self) -> list[Contact]:
        """Everybody once, by name: whom an activity or a part can name."""
        known = {member.contact.id: member.contact for member in (*self.members, *self.others)}
        return sorted(known.values(), key=lambda contact: (contact.name_folded, contact.id))


def buying_team_report(
    opportunity_id: UUID,
    *,
    contacts: Collection[Contact],
    last_at: Mapping[UUID, datetime],
    as_of: datetime,
) -> BuyingTeam:
    """The team of one deal. `contacts` are its account's, `last_at` says when somebody was last in contact.

    One query.
    """
    order = {part: place for place, part in enumerate(Part.values)}
    roles = sorted(buying_roles_at(opportunity_id, as_of), key=lambda found: order[found.role])
    people = {found.contact_id for found in roles}
    return BuyingTeam(
        members=tuple(Member(found.contact, found, last_at.get(found.contact_id)) for found in roles),
        others=tuple(
            Member(contact, None, last_at.get(contact.id)) for contact in contacts if contact.id not in people
        ),
        missing=tuple(Part(part) for part in missing_parts(found.role for found in roles)),
        is_single_threaded=is_single_threaded(people | set(last_at)),
    )
