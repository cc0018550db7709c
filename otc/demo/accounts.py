"""Who buys: invented accounts by territory, some of them sites of others, each with people to talk to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from otc.demo import market, names
from otc.demo.draw import stream
from otc.demo.people import Slot, mail_name

ACCOUNTS_SALT = 3
SMALLEST, LARGEST = 60, 40_000  # employees
SITE_LOOKS_BACK = 40


@dataclass(frozen=True, slots=True)
class DemoContact:
    """`role` is the buying role that the person usually has."""

    external_id: str
    name: str
    email: str
    title: str
    role: str


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """`slot` is the position of the territory that works it; `parent` another account's external id."""

    external_id: str
    name: str
    parent: str | None
    industry: str
    country: str
    city: str
    employees: int
    slot: int
    contacts: tuple[DemoContact, ...]

    @property
    def attributes(self) -> dict[str, object]:
        return {"city": self.city, "employees": self.employees}


def account_count(deals: int) -> int:
    """About one account for three deals, within bounds that keep memory flat: 400 -> 125."""
    return min(max(round(deals / market.DEALS_PER_ACCOUNT), market.MIN_ACCOUNTS), market.MAX_ACCOUNTS)


def build_accounts(slots: tuple[Slot, ...], *, deals: int, seed: int) -> tuple[DemoAccount, ...]:
    """All accounts, dealt to the slots in turn, so that every territory has its share."""
    rng = Random(stream(seed, salt=ACCOUNTS_SALT))
    taken: set[str] = set()
    accounts: list[DemoAccount] = []
    for number in range(account_count(deals)):
        slot = slots[number % len(slots)]
        round_number = number // len(slots)
        earlier = number - len(slots) * (1 + int(rng.random() * min(round_number, SITE_LOOKS_BACK)))
        parent = accounts[earlier] if round_number and rng.random() < market.SITE_SHARE else None
        if parent is not None and parent.parent is None:
            name, industry, above = site_name(parent.name, rng=rng), parent.industry, parent.external_id
        else:
            (name, industry), above = account_name(slot, round_number=round_number, rng=rng), None
        name = unique(name, taken=taken)
        external_id = f"A-{number + 1:05}"
        contacts = build_contacts(external_id, account=name, rng=rng)
        city = slot.territory.cities[int(rng.random() * len(slot.territory.cities))]
        employees = round(min(max(rng.lognormvariate(6.6, 1.1), SMALLEST), LARGEST), -1)
        accounts.append(
            DemoAccount(
                external_id,
                name,
                above,
                industry,
                slot.territory.country,
                city,
                int(employees),
                slot.number,
                contacts,
            )
        )
    return tuple(accounts)


def account_name(slot: Slot, *, round_number: int, rng: Random) -> tuple[str, str]:
    """(name, industry): the curated ones of the territory first."""
    curated = names.ACCOUNTS.get(slot.label, ())
    if round_number < len(curated):
        return curated[round_number]
    language = slot.territory.language
    stem, ending = rng.choice(names.STEMS[language]), rng.choice(names.ENDINGS[language])
    trade, industry = rng.choice(names.TRADES)
    between_words = " " if language == "american" else ""
    return f"{stem}{between_words}{ending} {trade}", industry


def site_name(parent: str, *, rng: Random) -> str:
    return f"{parent} {rng.choice(names.SITES)}"


def unique(name: str, *, taken: set[str]) -> str:
    """The name, with the first free number behind it when it is taken."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name} {number}", number + 1
    taken.add(found)
    return found


def build_contacts(external_id: str, *, account: str, rng: Random) -> tuple[DemoContact, ...]:
    """Three to six people with different buying roles; the champion first."""
    domain = "".join(c for c in mail_name(account) if c.isalnum())
    contacts: list[DemoContact] = []
    for place, (role, title) in enumerate(names.CONTACT_ROLES[: 3 + int(rng.random() * 4)]):
        name = f"{rng.choice(names.GIVEN)} {rng.choice(names.FAMILY)}"
        mail = f"{mail_name(name)}@{domain}.example"
        contacts.append(DemoContact(f"{external_id}-{place + 1}", name, mail, title, role))
    return tuple(contacts)
