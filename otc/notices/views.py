"""What one was told, how one wants to be told, and from where on a deal is a big one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from otc.identity.tabs import settings_tabs
from otc.notices.forms import BigDealForm
from otc.notices.kinds import NOTICE_KINDS, Ways
from otc.notices.models import Notice
from otc.notices.queries import choices_of, mails_of
from otc.notices.services import big_deal_set, mail_choice_set, notice_choices_set, notices_seen
from otc.notices.undo import CHOICES, choices_before
from otc.tenancy.middleware import tenant_of
from otc.ui.format import money_full
from otc.ui.pages import page
from otc.undo.services import undo_offer
from otc.undo.views import undo_address

SHOWN = 100


@page("use_pages")
def notices(request: HttpRequest, slug: str) -> HttpResponse:
    """`/notices/`: the latest; looking at them makes them seen."""
    person_id = tenant_of(request).person.id
    found = Notice.objects.filter(person_id=person_id, is_shown=True)
    rows = list(found.order_by("-created_at", "-id")[:SHOWN])
    new_count = sum(row.seen_at is None for row in rows)
    notices_seen(person_id, now=timezone.now())
    context = {"page_title": "Notices", "rows": rows, "new_count": new_count}
    return render(request, "otc/notices/notices.html", context)


@page("use_pages")
def notice_count(request: HttpRequest, slug: str) -> HttpResponse:
    """How many are new, as the link that every page asks for once it stands."""
    found = Notice.objects.filter(person_id=tenant_of(request).person.id, seen_at__isnull=True, is_shown=True)
    return render(request, "otc/notices/_bell.html", {"new_count": found.count()})


@require_http_methods(["GET", "HEAD", "POST"])
@page("use_pages")
def notice_choices(request: HttpRequest, slug: str) -> HttpResponse:
    """One's own choices: each kind below the bell, in the digest, by a mail at once; POST saves all of them."""
    tenant = tenant_of(request)
    person_id = tenant.person.id
    if request.method == "POST":
        before = choices_before(person_id)
        ways = {
            kind.key: Ways(*(f"{kind.key}.{way}" in request.POST for way in ("app", "digest", "mail")))
            for kind in NOTICE_KINDS
        }
        notice_choices_set(person_id, ways=ways)
        mail_choice_set(person_id, digest="digest" in request.POST, at_once="mails" in request.POST)
        step = undo_offer(CHOICES, said="Your choices are as they were", payload=before)
        messages.success(request, "Saved: from now on you are told so", extra_tags=undo_address(slug, step))
        return redirect("notice_choices", slug=slug)
    choices = choices_of(person_id)
    context = {
        "page_title": "How I am told",
        "choices": choices,
        "mails": mails_of(person_id),
        "mailed_kinds": sum(ways.is_mailed for _, ways in choices),
        "digest_kinds": sum(ways.in_digest for _, ways in choices),
        "has_address": tenant.person.user_id is not None,
        "settings_href": reverse("big_deals", args=[slug]) if tenant.may("manage_notices") else "",
    }
    return render(request, "otc/notices/choices.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_notices")
def big_deals(request: HttpRequest, slug: str) -> HttpResponse:
    """From which amount and chance on a deal is told of as a big one, to everybody above it."""
    organization = tenant_of(request).organization
    amount = organization.big_deal_minor
    initial = {
        "amount": money_full(amount, currency=organization.currency) if amount is not None else "",
        "percent": organization.big_deal_percent,
    }
    form = BigDealForm(request.POST or None, initial=initial, currency=organization.currency)
    if request.method == "POST" and form.is_valid():
        big_deal_set(amount_minor=form.cleaned_data["amount"], percent=form.cleaned_data["percent"])
        messages.success(request, "Saved: it holds for every change from now on")
        return redirect("big_deals", slug=slug)
    context = {"page_title": "Big deals", "tabs": settings_tabs(request, "big_deals"), "form": form}
    return render(request, "otc/notices/big_deals.html", context, status=422 if form.errors else 200)
