"""What has ended since one last looked: a number beside one's name, and the list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from otc.notices.models import Notice
from otc.notices.services import notices_seen
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page

SHOWN = 100


@page("use_pages")
def notices(request: HttpRequest, slug: str) -> HttpResponse:
    """`/notices/`: the latest; looking at them makes them seen."""
    person_id = tenant_of(request).person.id
    rows = list(Notice.objects.filter(person_id=person_id).order_by("-created_at", "-id")[:SHOWN])
    new_count = sum(row.seen_at is None for row in rows)
    notices_seen(person_id, now=timezone.now())
    context = {"page_title": "Notices", "rows": rows, "new_count": new_count}
    return render(request, "otc/notices/notices.html", context)


@page("use_pages")
def notice_count(request: HttpRequest, slug: str) -> HttpResponse:
    """How many are new, as the link that every page asks for once it stands."""
    new = Notice.objects.filter(person_id=tenant_of(request).person.id, seen_at__isnull=True).count()
    return render(request, "otc/notices/_bell.html", {"new_count": new})
