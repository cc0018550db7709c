"""Where a close plan's link leads, without a sign-in: the plan, its ticks and its comments.

The address is what one may, so a form needs no cookie: none is set, and nothing is learned from a link that is over.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from otc.logo.queries import logo_shown
from otc.logo.views import picture
from otc.tenancy.context import use
from otc.tenancy.models import Organization
from pipeline.closeplan.forms import CommentForm
from pipeline.closeplan.queries import FoundLink, link_by_token
from pipeline.closeplan.report import SharedPlan, shared_plan
from pipeline.closeplan.rules import PlanRefused
from pipeline.closeplan.services import LinkOver, buyer_comment, buyer_tick, link_opened
from pipeline.opportunities.models import Opportunity

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store, private",
}
# What the comment's field takes: a little more than a comment may hold.
MOST_TYPED = 20_000
View = Callable[..., HttpResponseBase]


def by_link(view: View) -> View:
    """Call `view(request, found, token)` for a link that is open; 404 for one that was never made, 410 for one over.

    Both answer with the same page, which gives back what was typed. No cookie is needed, so there is no forged request
    to fear but by who has the link.
    """

    @csrf_exempt
    @never_cache
    @wraps(view)
    def served(request: HttpRequest, token: str) -> HttpResponseBase:
        response = _answer(request, token)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    def _answer(request: HttpRequest, token: str) -> HttpResponseBase:
        if ratelimit.consume_or_429(request, action="close_plan", limit_get=True):
            return _over(request, status=429)
        found = link_by_token(token)
        if found is None:
            return _over(request, status=404)
        is_write = request.method == "POST"
        if is_write and ratelimit.consume_or_429(request, action="close_plan_write", key=str(found.id)):
            return _over(request, status=429)
        if not found.is_open(now=timezone.now()):
            return _over(request, status=410)
        try:
            with use(found.organization_id, channel="ui"):
                return view(request, found, token)
        except LinkOver:
            return _over(request, status=410)

    return served


def _over(request: HttpRequest, *, status: int) -> HttpResponse:
    """The page of a link that doesn't open, or not now: what was typed stands on it, to be taken along."""
    typed = request.POST.get("text", "")[:MOST_TYPED]
    context = {"typed": typed, "is_posted": request.method == "POST", "is_crowded": status == 429}
    return render(request, "pipeline/closeplan/over.html", context, status=status)


@require_http_methods(["GET", "HEAD"])
@by_link
def plan(request: HttpRequest, found: FoundLink, token: str) -> HttpResponse:
    """`/plan/<token>/`."""
    now = timezone.now()
    shown = _plan(found)
    if request.method == "GET":
        link_opened(found.id, now=now)
    return _page(request, found, token, shown=shown, form=_form(shown))


@require_POST
@by_link
def plan_tick(request: HttpRequest, found: FoundLink, token: str) -> HttpResponseBase:
    """POST `milestone` and `state` (met or open)."""
    milestone_id = _uuid(request.POST.get("milestone"))
    try:
        if milestone_id is None:
            raise PlanRefused("milestone", "This step is no longer in the plan; load the page again")
        is_met = request.POST.get("state") != "open"
        buyer_tick(found, milestone_id=milestone_id, is_met=is_met, now=timezone.now())
    except PlanRefused as refusal:
        shown = _plan(found)
        return _page(
            request, found, token, shown=shown, form=_form(shown), refusal=refusal.reason, status=422
        )
    return _back(token, f"step-{milestone_id}")


@require_POST
@by_link
def plan_comment(request: HttpRequest, found: FoundLink, token: str) -> HttpResponseBase:
    """POST `text` and, if it is about one step, `about`; what was typed stays where it is refused."""
    shown = _plan(found)
    form = _form(shown, request.POST)
    if form.is_valid():
        try:
            said = buyer_comment(
                found,
                text=form.cleaned_data["text"],
                milestone_id=_uuid(form.cleaned_data["about"]),
                now=timezone.now(),
            )
        except PlanRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            return _back(token, f"comment-{said.id}")
    return _page(request, found, token, shown=shown, form=form, status=422)


@require_http_methods(["GET", "HEAD"])
@by_link
def plan_logo(request: HttpRequest, found: FoundLink, token: str) -> HttpResponse:
    """`/plan/<token>/logo/`: the organization's logo, as long as the link opens."""
    shown = logo_shown()
    return _over(request, status=404) if shown is None else picture(shown)


def _plan(found: FoundLink) -> SharedPlan:
    deals = Opportunity.objects.select_related("account").filter(id=found.opportunity_id, deleted_at=None)
    deal = deals.first()
    if deal is None:
        raise LinkOver
    return shared_plan(deal, Organization.objects.get(id=found.organization_id), now=timezone.now())


def _form(shown: SharedPlan, data: Any = None) -> CommentForm:
    return CommentForm(data, milestones=[(one.id, one.name) for one in shown.needed])


def _page(
    request: HttpRequest,
    found: FoundLink,
    token: str,
    *,
    shown: SharedPlan,
    form: CommentForm,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "plan": shown,
        "recipient": found.recipient,
        "expires_at": found.expires_at,
        "form": form,
        "refusal": refusal,
        "logo": shown.logo,
        "logo_href": reverse("plan_logo", args=[token]),
        "tick_href": reverse("plan_tick", args=[token]),
        "comment_href": reverse("plan_comment", args=[token]),
    }
    return render(request, "pipeline/closeplan/plan.html", context, status=status)


def _back(token: str, anchor: str) -> HttpResponse:
    response = HttpResponseRedirect(f"{reverse('plan', args=[token])}#{anchor}")
    response.status_code = 303
    return response


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
