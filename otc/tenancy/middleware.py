"""The one middleware that owns the transaction: finds the organization, sets it, runs and renders, commits."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from otc.audit.exports import export_append
from otc.audit.refusals import REFUSALS, Visitor, holder_of_dead_token, refusal_append
from otc.calendar.queries import calendar_stamped
from otc.calendar.rules import Calendar
from otc.identity.policy.gate import stop
from otc.money.queries import keep_currency
from otc.tenancy.context import SPLITS_KEY, ActingFor, current_context, use
from otc.tenancy.lines import Chart
from otc.tenancy.models import Organization, Person
from otc.tenancy.permissions import DELEGATED, may
from otc.tenancy.queries import TokenOwner, memberships, token_member, token_owner
from otc.tenancy.reach import Charge, Reach, Standing, own_owners, reach_of, standing_of

PAGE = re.compile(r"^/o/([^/]+)/")
API = re.compile(r"^/api/")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Tenant:
    """Whom a request is served for. `now` is the request's one clock; `scopes` limit a token (None: a page)."""

    organization: Organization
    person: Person
    now: datetime
    organizations: list[Organization] = field(default_factory=list)
    scopes: frozenset[str] | None = None
    asked_currency: str = ""

    @property
    def currency(self) -> str:
        """What totals are shown in: what was asked for, on pages else the person's choice, else the organization's."""
        chosen = self.person.shown_currency if self.scopes is None else ""
        return self.asked_currency or chosen or self.organization.currency

    @cached_property
    def standing(self) -> Standing:
        """Today's reporting lines and the person's charges, read once a request."""
        return standing_of(self.person, organization=self.organization, now=self.now)

    @property
    def chart(self) -> Chart:
        return self.standing.chart

    @property
    def charges(self) -> tuple[Charge, ...]:
        """For whom the person stands in today."""
        return self.standing.charges

    @cached_property
    def visible(self) -> Reach:
        return reach_of(self.person, organization=self.organization, standing=self.standing)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organization.timezone)

    @cached_property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @cached_property
    def calendar(self) -> Calendar:
        """The fiscal calendar as known now."""
        return calendar_stamped(self.organization)

    def may(self, action: str) -> bool:
        """Whether the role may, or that of somebody for whom the person stands in: then only in that branch."""
        if may(self.person.role, action):
            return True
        return action in DELEGATED and any(may(charge.role, action) for charge in self.charges)

    def may_on(self, action: str, owner_id: UUID | None) -> bool:
        """Whether the person may do it to a deal of this owner, by their own role or for a manager."""
        if may(self.person.role, action):
            return True
        return action in DELEGATED and any(
            may(charge.role, action) for charge in self.charges if charge.owners.contains(owner_id)
        )

    def charge_of(self, owner_id: UUID | None) -> ActingFor | None:
        """The manager for whom the person acts on a deal of this owner; None where it is their own to see."""
        own = own_owners(self.person, organization=self.organization, chart=self.chart)
        if not self.charges or own.contains(owner_id):
            return None
        found = (charge for charge in self.charges if charge.owners.contains(owner_id))
        return next((ActingFor(charge.manager_id, charge.manager_name) for charge in found), None)


def tenant_of(request: HttpRequest) -> Tenant:
    """Whom a request below /o/<slug>/ or with a token is served for."""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the middleware below
    return tenant


class TenantMiddleware:
    """A refused request (status 400 and above) is rolled back whole; its audit row is written after, elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.tenant = None  # type: ignore[attr-defined]  # Django's way of handing things to views
        if page := PAGE.match(request.path_info):
            return self.serve_page(request, page[1])
        if API.match(request.path_info):
            return self.serve_api(request)
        return self.get_response(request)

    def serve_page(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        now = timezone.now()
        found = memberships(request.user.pk, today=now.date())
        mine = next((m for m in found if m.organization.slug == slug), None)
        if mine is None or not may(mine.person.role, "use_pages"):
            # On the visitor's own log: that an organization of this name exists must not even show in the time taken.
            if found:
                own = Visitor(found[0].organization.id, found[0].person.id, "ui")
                refusal_append(own, request, status=404, reason="no member of an organization by this name")
            raise Http404
        stopped = stop(request, mine.organization, now=now)
        if stopped is not None:
            return stopped
        tenant = Tenant(mine.organization, mine.person, now, [m.organization for m in found])
        return self.serve(request, tenant, channel="ui")

    def serve_api(self, request: HttpRequest) -> HttpResponseBase:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        now = timezone.now()
        if kind.lower() != "bearer" or not secret:
            return self.get_response(request)
        token_hash = hashlib.sha256(secret.strip().encode()).hexdigest()
        owner = token_owner(token_hash, now=now)
        if owner is not None:
            return self.serve_token(request, owner, now)
        response = self.get_response(request)
        if holder := holder_of_dead_token(token_hash):
            refusal_append(holder[0], request, status=response.status_code, reason=holder[1])
        return response

    def serve_token(self, request: HttpRequest, owner: TokenOwner, now: datetime) -> HttpResponseBase:
        found = token_member(owner, today=now.date())
        if found is None:
            response = self.get_response(request)
            visitor = Visitor(owner.organization_id, owner.person_id, "api")
            refusal_append(
                visitor, request, status=response.status_code, reason="the token's person has left"
            )
            return response
        tenant = Tenant(found.organization, found.person, now, [found.organization], owner.scopes)
        return self.serve(request, tenant, channel="api")

    def serve(self, request: HttpRequest, tenant: Tenant, *, channel: str) -> HttpResponseBase:
        request.tenant = tenant  # type: ignore[attr-defined]  # as above
        is_read = request.method in SAFE_METHODS
        with use(
            tenant.organization.id,
            person_id=tenant.person.id,
            channel=channel,
            repeatable_read=is_read,
            charge_of=tenant.charge_of,
        ):
            keep_currency(tenant.organization.currency)
            current_context().read_once[SPLITS_KEY] = tenant.organization.splits_deals
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            else:
                export_append(request, response, person_id=tenant.person.id)
        if response.status_code in REFUSALS:
            visitor = Visitor(tenant.organization.id, tenant.person.id, channel)
            refusal_append(visitor, request, status=response.status_code)
        return response
