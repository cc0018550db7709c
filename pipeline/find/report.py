"""What do a few letters lead to? Pages to go to, things to do, deals, accounts, leads and people, a handful of each."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Value, When
from django.urls import reverse

from otc.glossary.terms import TERMS
from otc.identity.tabs import TABS
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.tenancy.names import clean_name
from otc.tenancy.services import fold
from otc.ui.context import PLACES, page_exists
from pipeline.accounts.models import Account, Contact
from pipeline.leads.models import LeadState
from pipeline.leads.report import visible_leads
from pipeline.opportunities.queries import visible_opportunities
from pipeline.search.queries import (
    accounts_bearing,
    are_common,
    contacts_bearing,
    deals_bearing,
    deals_looked_up,
    leads_bearing,
    people_bearing,
)

A_HANDFUL = 5
# Of words that many deals bear, the first ones are looked through for a handful.
LOOKED_THROUGH = 200
LONGEST_TEXT = 80

# What can be done from anywhere: path below the organization, words, action of the role table.
DOINGS = (
    ("deals/new/", "New deal", "create_deal"),
    ("accounts/new/", "New account", "edit_account"),
    ("leads/new/", "New lead", "edit_lead"),
    ("duplicates/", "Duplicates", "merge_duplicates"),
    ("leads/sources/", "Win rates by source", "view_leads"),
    ("deals/board/", "Board", "view_deals"),
    ("glossary/", "Glossary", "view_deals"),
    ("trash/", "Trash", "view_deals"),
)


@dataclass(frozen=True)
class Hit:
    """One line of the palette: where it leads and what stands beside its name."""

    label: str
    href: str
    note: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Group:
    title: str
    hits: tuple[Hit, ...]


def find_report(tenant: Tenant, text: str) -> tuple[Group, ...]:
    """Groups with at least one hit for `text`; without text the pages and what can be done.

    A few queries, whatever is there. Deals are those that the viewer may see; accounts and people belong to everybody.
    """
    words = clean_name(text)[:LONGEST_TEXT]
    home = f"/o/{tenant.organization.slug}/"
    groups = [
        Group("Go to", _places(tenant, words, home=home)),
        Group("Do", _doings(tenant, words, home=home)),
    ]
    if words:
        groups += [
            Group("Deals", _deals(tenant, words, home=home)),
            Group("Accounts and contacts", _accounts(words, home=home)),
            Group("Leads", _leads(tenant, words, home=home)),
            Group("People", _people(words, home=home)),
            Group("Glossary", _terms(words, home=home)),
        ]
    return tuple(group for group in groups if group.hits)


def _matches(label: str, words: str) -> bool:
    """Whether some word of the label begins with what was typed."""
    typed, said = fold(words), fold(label)
    return not typed or said.startswith(typed) or f" {typed}" in said


def _places(tenant: Tenant, words: str, *, home: str) -> tuple[Hit, ...]:
    places = [
        Hit(place.label, home + place.path, f"G {place.go_key.upper()}", place.icon)
        for place in PLACES
        if (not place.action or tenant.may(place.action)) and page_exists(place.path)
    ]
    settings = [
        Hit(label, reverse(name, args=[tenant.organization.slug]), "Settings", "settings")
        for name, label, action in TABS
        if words and tenant.may(action)
    ]
    return tuple(hit for hit in [*places, *settings] if _matches(hit.label, words))


def _doings(tenant: Tenant, words: str, *, home: str) -> tuple[Hit, ...]:
    return tuple(
        Hit(label, home + path)
        for path, label, action in DOINGS
        if tenant.may(action) and page_exists(path) and _matches(label, words)
    )


def _deals(tenant: Tenant, words: str, *, home: str) -> tuple[Hit, ...]:
    """Open deals first, the largest first: what one is most likely after."""
    visible = visible_opportunities(tenant.visible)
    order = (F("outcome").asc(nulls_first=True), F("amount_minor").desc(nulls_last=True), "id")
    rows: Any = None
    if are_common(words):
        first = list(visible.order_by(*order).values_list("id", flat=True)[:LOOKED_THROUGH])
        rows = list(
            visible.filter(deals_bearing(words, among=first))
            .select_related("account", "stage")
            .order_by(*order)[:A_HANDFUL]
        )
    # Those that come first are enough, if they hold a handful.
    if rows is None or (len(rows) < A_HANDFUL and len(first) == LOOKED_THROUGH):
        found = visible.filter(deals_looked_up(words).condition).select_related("account", "stage")
        rows = found.order_by(*order)[:A_HANDFUL]
    return tuple(
        Hit(
            deal.name,
            f"{home}deals/{deal.id}/",
            " · ".join(filter(None, (deal.account.name if deal.account else "", _standing(deal)))),
            "deals",
        )
        for deal in rows
    )


def _standing(deal: Any) -> str:
    if deal.outcome:
        return str(deal.get_outcome_display())
    return deal.stage.name if deal.stage else ""


def _accounts(words: str, *, home: str) -> tuple[Hit, ...]:
    rows = Account.objects.filter(accounts_bearing(words)).order_by("name_folded", "id")[:A_HANDFUL]
    accounts = [
        Hit(account.name, f"{home}accounts/{account.id}/", account.industry, "accounts") for account in rows
    ]
    contacts = (
        Contact.objects.filter(contacts_bearing(words, most=LOOKED_THROUGH))
        .select_related("account")
        .order_by("name_folded", "id")[:A_HANDFUL]
    )
    people = [
        Hit(contact.name, f"{home}accounts/{contact.account_id}/", contact.account.name, "accounts")
        for contact in contacts
    ]
    return tuple(accounts + people)


def _leads(tenant: Tenant, words: str, *, home: str) -> tuple[Hit, ...]:
    """Open leads first, the latest first, as far as one may see their owners."""
    if not tenant.may("view_leads"):
        return ()
    rows = visible_leads(tenant.visible).filter(leads_bearing(words))
    is_decided = Case(When(state=LeadState.OPEN, then=Value(0)), default=Value(1))
    return tuple(
        Hit(
            lead.name,
            f"{home}leads/{lead.id}/",
            " · ".join(
                filter(None, (lead.company, "" if lead.state == "open" else lead.get_state_display()))
            ),
            "leads",
        )
        for lead in rows.order_by(is_decided, "-created_at", "id")[:A_HANDFUL]
    )


def _people(words: str, *, home: str) -> tuple[Hit, ...]:
    found = Person.objects.filter(people_bearing(words)).exclude(role="integration")
    rows = found.order_by("name_folded", "id")[:A_HANDFUL]
    return tuple(
        Hit(
            person.name,
            f"{home}forecast/?scope={person.id}",
            person.title or person.get_role_display(),
            "team",
        )
        for person in rows
    )


def _terms(words: str, *, home: str) -> tuple[Hit, ...]:
    return tuple(
        Hit(term.label, f"{home}glossary/#{term.key}", term.text)
        for term in TERMS.values()
        if _matches(term.label, words)
    )[:A_HANDFUL]
