"""Who may be chosen as a manager."""

from otc.tenancy.models import Person, Role


def managers() -> list[Person]:
    """Everybody who has not left and is no program, by name."""
    present = Person.objects.filter(left_on__isnull=True).exclude(role=Role.INTEGRATION)
    return list(present.order_by("name_folded", "id"))
