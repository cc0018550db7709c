"""The front door: sends a signed-in person to the organization that they work in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from otc.tenancy.permissions import may
from otc.tenancy.queries import memberships
from otc.ui.pages import start_page


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The first organization's start page; a page that says what to do where there is none."""
    assert request.user.pk is not None
    found = memberships(request.user.pk, today=timezone.now().date())
    mine = next((m for m in found if may(m.person.role, "use_pages")), None)
    if mine is None:
        return render(request, "ui/no_organization.html")
    return redirect(start_page(mine.person.role), slug=mine.organization.slug)
