"""Where the link at a mail's foot leads, without a sign-in: these mails stop, or come again."""

from dataclasses import replace
from uuid import UUID

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from otc.notices.kinds import WEEKLY_FORECAST
from otc.notices.queries import mails_of, ways_of
from otc.notices.services import mail_choice_set, notice_choices_set
from otc.notices.stops import DIGEST, SORTS, WEEKLY, BrokenStop, stop_of
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person


# Mail programs post here by themselves (RFC 8058) and bring no cookie: the signed address is what they may.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mail_stop(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET asks, as programs open links too; POST stops, with `again` it lets them come again."""
    if limited := ratelimit.consume_or_429(request, action="mail_stop", limit_get=True):
        return limited
    try:
        organization_id, person_id, sort = stop_of(token)
    except BrokenStop:
        return _over(request)
    with use(organization_id, person_id=person_id, channel="ui"):
        organization = Organization.objects.filter(id=organization_id).first()
        person = Person.objects.filter(id=person_id).first()
        if organization is None or person is None:
            return _over(request)
        if request.method == "POST":
            is_wanted = "again" in request.POST
            _choose(person_id, sort=sort, is_wanted=is_wanted)
        context = {
            "organization_name": organization.name,
            "invited": person,
            "words": SORTS.get(sort, "these mails"),
            "is_wanted": _wants(person_id, sort=sort),
        }
        return _closed(render(request, "otc/notices/mail_stop.html", context))


def _choose(person_id: UUID, *, sort: str, is_wanted: bool) -> None:
    if sort == WEEKLY:
        ways = replace(ways_of([person_id], WEEKLY_FORECAST)[person_id], is_mailed=is_wanted)
        notice_choices_set(person_id, ways={WEEKLY_FORECAST: ways})
        return
    mail_choice_set(person_id, **{"digest" if sort == DIGEST else "at_once": is_wanted})


def _wants(person_id: UUID, *, sort: str) -> bool:
    if sort == WEEKLY:
        return ways_of([person_id], WEEKLY_FORECAST)[person_id].is_mailed
    mails = mails_of(person_id)
    return mails.digest if sort == DIGEST else mails.at_once


def _over(request: HttpRequest) -> HttpResponse:
    return _closed(render(request, "otc/notices/mail_stop_over.html", status=404))


def _closed(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
