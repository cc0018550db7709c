"""Stands between a member and the pages of an organization: what its security policy asks for, or no page."""

from datetime import datetime

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from otc.identity.policy.rules import PASSKEY, Policy, SessionFacts, Verdict, verdict
from otc.identity.sessions import stamps
from otc.tenancy.models import Organization

WORDS = {
    Verdict.IDLE: "{name} signs people out after {idle} without a click. Sign in again to go on.",
    Verdict.OVER: "{name} asks for a new sign-in every {length}. Sign in again to go on.",
}


def policy_of(organization: Organization) -> Policy:
    return Policy(
        second_factor=organization.second_factor,
        idle_minutes=organization.session_idle_minutes,
        length_hours=organization.session_length_hours,
    )


def span(minutes: int) -> str:
    """Minutes as people say them: 15 minutes, 4 hours, 7 days."""
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "0 minutes"


def facts_of(request: HttpRequest, policy: Policy) -> SessionFacts:
    """What is known of the request's session; the person's factors are only asked for where they matter."""
    owned: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    if policy.second_factor != "optional":
        kinds = Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True)
        owned = frozenset(str(kind) for kind in kinds)
        records = get_authentication_records(request, request.user)
        used = frozenset(str(record.get("type")) for record in records if record.get("method") == "mfa")
    return SessionFacts(
        started_at=stamps.started_at(request.session),
        longest_gap=stamps.longest_gap(request.session),
        used=used,
        owned=owned,
    )


def stop(request: HttpRequest, organization: Organization, *, now: datetime) -> HttpResponseBase | None:
    """Where the request is sent instead of its page; None lets it in. Signs out what has lasted too long."""
    policy = policy_of(organization)
    facts = facts_of(request, policy)
    found = verdict(policy, facts, now=now)
    if found is Verdict.IN:
        return None
    # A form that was sent too late is not sent again by itself: its page is.
    after = request.get_full_path() if request.method == "GET" else f"/o/{organization.slug}/"
    if found in WORDS:
        logout(request)
        idle, length = span(policy.idle_minutes or 0), span((policy.length_hours or 0) * 60)
        messages.info(request, WORDS[found].format(name=organization.name, idle=idle, length=length))
        return _sent_to(request, redirect_to_login(after).url)
    if found is Verdict.CONFIRM:
        by_key = policy.second_factor == PASSKEY or "totp" not in facts.owned
        door = "mfa_reauthenticate_webauthn" if by_key else "mfa_reauthenticate"
        return _sent_to(request, f"{reverse(door)}?{urlencode({REDIRECT_FIELD_NAME: after})}")
    return _sent_to(request, reverse("account"))


def _sent_to(request: HttpRequest, url: str) -> HttpResponseBase:
    """A redirect; the whole page goes there when only a part of it was asked for."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
