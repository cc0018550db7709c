"""What of the organization's records is compared: read whole and narrow, one query per table, then compared without
the database.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pipeline.accounts.models import Account, Contact
from pipeline.duplicates.candidates import alike_within, candidate_pairs, within
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
# Pairs between two beats: a second or two.
BEAT = 20_000


@dataclass(frozen=True)
class Alike:
    first_id: UUID
    second_id: UUID
    likeness: Likeness


@dataclass(frozen=True)
class Comparison:
    """Records as they were read; `pairs` takes what to call between its parts, and may name a pair several times."""

    ids: Sequence[UUID]
    sketches: Sequence[Any]
    pairs: Callable[[Callable[[], None]], Iterable[tuple[int, int]]]
    likeness: Callable[[Any, Any], Likeness | None]

    def alike(self, beat: Callable[[], None]) -> list[Alike]:
        """Every pair that looks like one, in the order of ids. No query."""
        found: dict[tuple[int, int], Alike] = {}
        for number, (one, other) in enumerate(self.pairs(beat)):
            if number % BEAT == 0:
                beat()
            alike = self.likeness(self.sketches[one], self.sketches[other])
            if alike is not None:
                first_id, second_id = sorted((self.ids[one], self.ids[other]))
                found[one, other] = Alike(first_id, second_id, alike)
        return sorted(found.values(), key=lambda alike: (alike.first_id, alike.second_id))


def accounts_compared() -> Comparison:
    """Accounts by name, domains and country. Two queries."""
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
    names, keys = [one.name for one in sketches], [one.domains for one in sketches]
    return Comparison(
        [row[0] for row in rows],
        sketches,
        lambda beat: candidate_pairs(names, keys, beat=beat),
        account_likeness,
    )


def sites_of(attributes: Mapping[str, Any]) -> set[str]:
    """The domains that an account's attributes name."""
    return {
        domain_of(value)
        for name, value in attributes.items()
        if name.casefold().replace(" ", "_") in SITES and isinstance(value, str)
    }


def contacts_compared() -> Comparison:
    """People by address, phone and account, which those who are one share at least one of. One query."""
    columns = ("id", "name", "account_id", "email", "phone")
    rows = list(Contact.objects.order_by("id").values_list(*columns).iterator())
    sketches = [ContactSketch(name, str(account), email, phone) for _, name, account, email, phone in rows]
    names = [one.name for one in sketches]
    return Comparison(
        [row[0] for row in rows],
        sketches,
        lambda beat: alike_within(sharing_groups(sketches), names),
        contact_likeness,
    )


def sharing_groups(people: Sequence[ContactSketch]) -> Collection[list[int]]:
    """The places of those who share an account, an address or a phone. By name alone nobody is one with another."""
    sharing: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(people):
        shared = {"account": one.account, "email": one.email.casefold(), "phone": digits_of(one.phone)}
        for what, key in shared.items():
            if key:
                sharing[what, key].append(place)
    return sharing.values()


def deals_compared() -> Comparison:
    """Open deals within their accounts. One query."""
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
    return Comparison(
        [row[0] for row in rows], sketches, lambda beat: within(by_account.values()), deal_likeness
    )


COMPARED: Mapping[str, Callable[[], Comparison]] = {
    RecordKind.ACCOUNT: accounts_compared,
    RecordKind.CONTACT: contacts_compared,
    RecordKind.OPPORTUNITY: deals_compared,
}
