"""Pages that belong to no room: the organization's front page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from otc.ui.pages import page


@page("view_deals")
def front(request: HttpRequest, slug: str) -> HttpResponse:
    """The organization's address alone leads to its deals."""
    return redirect("deals", slug=slug)


urlpatterns = [path("", front, name="front")]
