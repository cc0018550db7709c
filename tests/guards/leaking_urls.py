"""The house with three more doors, each broken in a way of its own: what the fuzz has to find."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from otc.jobs.queries import organization_ids
from otc.tenancy.context import use
from otc.ui.pages import page
from otc.urls import urlpatterns as house
from pipeline.accounts.models import Account


def of_any_house(account_id: UUID) -> tuple[UUID, Any] | None:
    for organization_id in organization_ids():
        with use(organization_id):
            if account := Account.objects.filter(id=account_id).first():
                return organization_id, account
    return None


@page("view_deals")
def shows(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    found = of_any_house(account_id)
    if found is None:
        raise Http404
    return HttpResponse(found[1].name)


@page("view_deals")
def changes(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    if found := of_any_house(account_id):
        with use(found[0]):
            Account.objects.filter(id=account_id).update(industry="taken over")
    return HttpResponse("Done")


@page("view_deals")
def tells(request: HttpRequest, slug: str) -> HttpResponse:
    asked = request.GET.get("account_id")
    found = of_any_house(UUID(asked)) if asked else None
    return HttpResponse("Not yours" if found else "Not there")


urlpatterns = [
    path("o/<slug:slug>/shows/<uuid:account_id>/", shows),
    path("o/<slug:slug>/changes/<uuid:account_id>/", changes),
    path("o/<slug:slug>/tells/", tells),
    *house,
]
