"""One's own sign-in: how it is done, with which second factors, and where it is open."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from otc.identity.account.queries import factors_of, sessions_of, workplaces, zone_of
from otc.identity.account.services import other_sessions_end, session_end
from otc.identity.models import User


def user_of(request: HttpRequest) -> User:
    """The signed-in user of a view behind login_required."""
    assert isinstance(request.user, User)
    return request.user


@require_safe
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Password, second factors, sessions, and what the organizations ask for."""
    user, now = user_of(request), timezone.now()
    factors = factors_of(user.pk)
    places = workplaces(user.pk, factors=factors, now=now)
    context = {
        "factors": factors,
        "sessions": sessions_of(user, current_key=request.session.session_key),
        "workplaces": places,
        "asking": [place for place in places if place.asks_for],
        "zone": zone_of(places),
    }
    return render(request, "otc/identity/account.html", context)


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one browser out; this one too."""
    session = UserSession.objects.filter(id=session_id, user=user_of(request)).first()
    if session is None:
        raise Http404
    if session.session_key == request.session.session_key:
        session_end(session)
        logout(request)
        return redirect("account_login")
    session_end(session)
    messages.success(request, "That browser is signed out.")
    return redirect("account")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign every other browser out."""
    count = other_sessions_end(user_of(request), kept_key=request.session.session_key)
    messages.success(request, f"{count} other {'browser is' if count == 1 else 'browsers are'} signed out.")
    return redirect("account")
