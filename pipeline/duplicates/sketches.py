"""What of the organization's records is compared, read whole and narrow: one query per table, whatever the rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pipeline.accounts.models import Account, Contact
from pipeline.duplicates.candidates import candidate_pairs, within
from pipeline.duplicates.models import RecordKind
from pipeline.duplicates.rules import (
    AccountSketch,
    ContactSketch,
    DealSketch,
    Likeness,
    account_likeness,
    contact_likeness,
    deal_likeness,
    digits_of,
    domain_of,
)
from pipeline.opportunities.models import Opportunity

# What files and fields call a company's address in the web.
SITES = frozenset({"website", "web", "site", "url", "domain", "homepage", "web_site", "webseite"})
# A domain of more accounts is an agency's or a holding's and tells nobody apart.
MOST_OF_A_DOMAIN = 20


@dataclass(frozen=True)
class Alike:
    first_id: UUID
    second_id: UUID
    likeness: Likeness


def alike_accounts() -> list[Alike]:
    """Every pair of accounts that looks like one. Two queries."""
    domains: dict[UUID, set[str]] = defaultdict(set)
    for account_id, email in Contact.objects.exclude(email="").values_list("account_id", "email").iterator():
        domains[account_id].add(domain_of(email))
    rows = list(Account.objects.order_by("id").values_list("id", "name", "country", "attributes").iterator())
    for account_id, _, _, attributes in rows:
        domains[account_id] |= sites_of(attributes)
    held: dict[str, int] = defaultdict(int)
    for found in domains.values():
        for domain in found:
            held[domain] += 1
    telling = {domain for domain, count in held.items() if domain and count <= MOST_OF_A_DOMAIN}
    sketches = [
        AccountSketch(name, frozenset(domains[key] & telling), country) for key, name, country, _ in rows
    ]
    pairs = candidate_pairs([one.name for one in sketches], [one.domains for one in sketches])
    return _weighed([row[0] for row in rows], sketches, pairs, account_likeness)


def sites_of(attributes: Mapping[str, Any]) -> set[str]:
    """The domains that an account's attributes name."""
    return {
        domain_of(value)
        for name, value in attributes.items()
        if name.casefold().replace(" ", "_") in SITES and isinstance(value, str)
    }


def alike_contacts() -> list[Alike]:
    """Every pair of people that looks like one. One query."""
    columns = ("id", "name", "account_id", "email", "phone")
    rows = list(Contact.objects.order_by("id").values_list(*columns).iterator())
    sketches = [ContactSketch(name, str(account), email, phone) for _, name, account, email, phone in rows]
    keys = [[key for key in (one.email.casefold(), digits_of(one.phone)) if key] for one in sketches]
    pairs = candidate_pairs([one.name for one in sketches], keys)
    by_account: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(sketches):
        by_account[one.account].append(place)
    pairs.update(within(by_account))
    return _weighed([row[0] for row in rows], sketches, pairs, contact_likeness)


def alike_deals() -> list[Alike]:
    """Every pair of open deals of one account that looks like one. One query."""
    columns = ("id", "name", "account_id", "amount_minor", "currency", "close_date", "owner_id")
    found = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True, account__isnull=False)
    rows = list(found.order_by("account_id", "name_folded", "id").values_list(*columns).iterator())
    sketches = [
        DealSketch(name, str(account), amount, currency, closes, str(owner or ""))
        for _, name, account, amount, currency, closes, owner in rows
    ]
    by_account: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(sketches):
        by_account[one.account].append(place)
    return _weighed([row[0] for row in rows], sketches, set(within(by_account)), deal_likeness)


def _weighed(
    ids: Sequence[UUID], sketches: Sequence[Any], pairs: set[tuple[int, int]], likeness: Any
) -> list[Alike]:
    found = []
    for one, other in pairs:
        alike = likeness(sketches[one], sketches[other])
        if alike is not None:
            first_id, second_id = sorted((ids[one], ids[other]))
            found.append(Alike(first_id, second_id, alike))
    return sorted(found, key=lambda alike: (alike.first_id, alike.second_id))


ALIKE: Mapping[str, Any] = {
    RecordKind.ACCOUNT: alike_accounts,
    RecordKind.CONTACT: alike_contacts,
    RecordKind.OPPORTUNITY: alike_deals,
}
