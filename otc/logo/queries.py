"""Which logo is shown, and its picture."""

from uuid import UUID

from otc.logo.models import Logo


def logo_now() -> Logo | None:
    """The organization's logo without its picture; None where there is none. One query."""
    found: Logo | None = Logo.objects.filter(retired_at__isnull=True).defer("image").first()
    return found


def logo_shown(logo_id: UUID | None = None) -> Logo | None:
    """The logo that is shown, with its picture; None where `logo_id` names another one. One query."""
    found = Logo.objects.filter(retired_at__isnull=True)
    if logo_id is not None:
        found = found.filter(id=logo_id)
    logo: Logo | None = found.first()
    return logo
