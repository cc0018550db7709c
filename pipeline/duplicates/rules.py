"""Are two records one? Names without legal forms, trigrams, domains and addresses: values in, a score out. No Django.

Each thing that two records share is evidence of some weight in percent; weights combine as chances that don't depend
on each other: 80 and 50 make 90. What is too little is no pair.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


LEAST_SCORE = 60
# Names less alike than this say nothing.
ALIKE = 0.6
DEAL_ALIKE = 0.5
NEAR_AMOUNT = 0.1
NEAR_DAYS = 31
LEGAL_FORMS = _words(
    "ab ag aps as asa bv co company corp corporation doo eg ek ev gbr gmbh inc incorporated kft kg kgaa kk",
    "limited llc llp lp ltd ltda mbh nv oao ohg oo ooo oy oyj plc pte pty pvt sa sab sae sarl sas scs se sl sp",
    "spa spzoo srl sro sdn bhd ug zao zoo the",
)
# Mail from these says nothing about where somebody works.
FREE_MAIL = _words(
    "gmail.com googlemail.com yahoo.com yahoo.de yahoo.co.uk hotmail.com outlook.com outlook.de live.com",
    "msn.com aol.com icloud.com me.com mac.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de",
    "mail.ru yandex.ru qq.com 163.com 126.com proton.me protonmail.com orange.fr free.fr laposte.net libero.it",
    "wp.pl seznam.cz",
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How sure it is that two records are one, 0..100, and why, the weightiest first."""

    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountSketch:
    """What of an account is compared. `domains` are its site's and its people's, free mail left out."""

    name: str
    domains: frozenset[str] = frozenset()
    country: str = ""


@dataclass(frozen=True, slots=True)
class ContactSketch:
    name: str
    account: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class DealSketch:
    """Deals are compared within an account only. The amount is in minor units."""

    name: str
    account: str
    amount_minor: int | None
    currency: str
    close_date: date | None = None
    owner: str = ""


@lru_cache(maxsize=200_000)
def plain_words(name: str) -> tuple[str, ...]:
    """A name's words without accents, marks and legal forms; all of them where nothing else is left.

    >>> plain_words("Müller & Söhne G.m.b.H.")
    ('muller', 'and', 'sohne')
    """
    unfolded = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    letters = "".join(
        letter if letter.isalnum() else "" if unicodedata.combining(letter) or letter in "’'`" else " "
        for letter in unfolded
    )
    words = tuple(_initials_joined(letters.split()))
    kept = [word for word in words if word not in LEGAL_FORMS]
    # “GmbH & Co. KG” leaves its “and” behind.
    return tuple(kept[:-1] if len(kept) > 1 and kept[-1] == "and" else kept) or words


def _initials_joined(words: Iterable[str]) -> list[str]:
    """Single letters in a row are one word: “s a” is “sa”."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_single = len(word) == 1 and word.isalpha()
        if is_single and is_open:
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_single
    return joined


@lru_cache(maxsize=20_000)
def trigrams(words: tuple[str, ...]) -> frozenset[str]:
    """What pg_trgm cuts words into: three letters each, with two blanks before a word and one behind it."""
    return frozenset(f"  {word} "[at : at + 3] for word in words for at in range(len(word) + 1))


def likeness_of_names(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Shared trigrams over all of both, 0..1: 1 for the same words in any order."""
    if not one or not other:
        return 0.0
    first, second = trigrams(one), trigrams(other)
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def domain_of(text: str) -> str:
    """The domain of an e-mail address or a web address; empty for free mail and for what is neither.

    >>> domain_of("https://www.kestrel.example/about")
    'kestrel.example'
    """
    found = text.strip().casefold()
    found = found.rpartition("@")[2] if "@" in found else found.partition("://")[2] or found
    found = found.partition("/")[0].partition(":")[0].removeprefix("www.")
    is_domain = "." in found.strip(".") and not any(letter.isspace() for letter in found)
    return found if is_domain and found not in FREE_MAIL else ""


def digits_of(phone: str) -> str:
    """The last nine digits, which are the same with and without a country's prefix; empty for fewer than six."""
    found = "".join(letter for letter in phone if letter.isascii() and letter.isdigit())[-9:]
    return found if len(found) >= 6 else ""


def account_likeness(one: AccountSketch, other: AccountSketch) -> Likeness | None:
    """None where it is too little. Another country takes a fifth away."""
    evidence = _name_evidence(one.name, other.name, same=80, alike=(40, 75))
    if shared := sorted(one.domains & other.domains):
        evidence.append((70, f"same domain: {shared[0]}"))
    if not evidence:
        return None
    is_elsewhere = bool(one.country and other.country) and one.country.casefold() != other.country.casefold()
    if one.country and other.country and not is_elsewhere:
        evidence.append((10, f"same country: {one.country}"))
    return _weighed(evidence, less=20 if is_elsewhere else 0, but="countries differ" if is_elsewhere else "")


def contact_likeness(one: ContactSketch, other: ContactSketch) -> Likeness | None:
    evidence = _name_evidence(one.name, other.name, same=50, alike=(20, 40))
    if one.email and one.email.casefold() == other.email.casefold():
        evidence.append((90, f"same e-mail: {one.email.casefold()}"))
    if (phone := digits_of(one.phone)) and phone == digits_of(other.phone):
        evidence.append((50, f"same phone: {one.phone}"))
    if evidence and one.account and one.account == other.account:
        evidence.append((40, "same account"))
    return _weighed(evidence)


def deal_likeness(one: DealSketch, other: DealSketch) -> Likeness | None:
    """Only of one account, and only with names alike."""
    if not one.account or one.account != other.account:
        return None
    evidence = _name_evidence(one.name, other.name, same=50, alike=(20, 40), least=DEAL_ALIKE)
    if not evidence:
        return None
    evidence.append((20, "same account"))
    if one.amount_minor is not None and other.amount_minor is not None and one.currency == other.currency:
        larger = max(abs(one.amount_minor), abs(other.amount_minor))
        if one.amount_minor == other.amount_minor:
            evidence.append((50, "same amount"))
        elif abs(one.amount_minor - other.amount_minor) <= larger * NEAR_AMOUNT:
            evidence.append((30, "amounts within 10 %"))
    if one.close_date and other.close_date and abs((one.close_date - other.close_date).days) <= NEAR_DAYS:
        evidence.append((15, f"close dates within {NEAR_DAYS} days"))
    if one.owner and one.owner == other.owner:
        evidence.append((10, "same owner"))
    return _weighed(evidence)


def _name_evidence(
    one: str, other: str, *, same: int, alike: tuple[int, int], least: float = ALIKE
) -> list[tuple[int, str]]:
    """The weight of two names, from `alike` at the least likeness up to `alike` at the same words."""
    first, second = plain_words(one), plain_words(other)
    if first and "".join(first) == "".join(second):
        is_verbatim = one.strip().casefold() == other.strip().casefold()
        return [(same, "same name" if is_verbatim else "same name but for its legal form or spelling")]
    likeness = likeness_of_names(first, second)
    if likeness < least:
        return []
    low, high = alike
    weight = low + (high - low) * (likeness - least) / (1 - least)
    return [(round(weight), f"names {likeness:.0%} alike".replace("%", " %"))]


def _weighed(evidence: list[tuple[int, str]], *, less: int = 0, but: str = "") -> Likeness | None:
    left = 1.0
    for weight, _ in evidence:
        left *= 1 - weight / 100
    score = round(100 * (1 - left) * (1 - less / 100))
    if score < LEAST_SCORE:
        return None
    ordered = [reason for _, reason in sorted(evidence, key=lambda found: -found[0])]
    return Likeness(min(score, 99), tuple([*ordered, but] if but else ordered))
