"""What makes two records look like one: names without legal forms, typos, domains, amounts; and nothing else."""

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.duplicates import candidates
from pipeline.duplicates.candidates import RARE, alike_within, candidate_pairs
from pipeline.duplicates.rules import (
    AccountSketch,
    ContactSketch,
    DealSketch,
    account_likeness,
    contact_likeness,
    deal_likeness,
    domain_of,
    likeness_of_names,
    plain_words,
)
from pipeline.duplicates.sketches import sharing_groups


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kestrel Rail GmbH & Co. KG", ("kestrel", "rail")),
        ("KESTREL RAIL S.A.", ("kestrel", "rail")),
        ("Müller-Söhne G.m.b.H.", ("muller", "sohne")),
        ("The Limited", ("the", "limited")),
        ("O’Brien’s Ltd", ("obriens",)),
        ("שלום בע״מ", ("שלום", "בע", "מ")),
        ("🚆", ()),
    ],
)
def test_a_name_is_compared_without_its_legal_form(name: str, expected: tuple[str, ...]) -> None:
    assert plain_words(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Kestrel.example/about?x=1", "kestrel.example"),
        ("ana@kestrel.example", "kestrel.example"),
        ("kestrel.example:8080", "kestrel.example"),
        ("ana@gmail.com", ""),
        ("kestrel", ""),
        ("no way. really", ""),
    ],
)
def test_a_domain_is_read_off_addresses(text: str, expected: str) -> None:
    assert domain_of(text) == expected


def test_two_spellings_of_one_company_are_one_and_say_why() -> None:
    found = account_likeness(AccountSketch("Kestrel Rail AG"), AccountSketch("kestrel rail"))
    assert found is not None
    assert (found.score, found.reasons) == (80, ("same name but for its legal form or spelling",))


def test_a_shared_domain_makes_names_that_are_a_little_alike_one() -> None:
    site = frozenset({"kestrel.example"})
    one, other = AccountSketch("Kestrel Rail", site), AccountSketch("Kestrel Railways", site)
    found = account_likeness(one, other)
    assert found is not None and found.score > 80 and found.reasons[0] == "same domain: kestrel.example"


def test_another_country_speaks_against_it() -> None:
    here, there = AccountSketch("Kestrel", country="Sweden"), AccountSketch("Kestrel", country="Peru")
    found = account_likeness(here, there)
    assert found is not None and found.score == 64 and found.reasons[-1] == "countries differ"


def test_two_companies_that_share_a_word_are_two() -> None:
    assert account_likeness(AccountSketch("Kestrel Rail"), AccountSketch("Kestrel Dairy")) is None


def test_people_of_one_name_at_two_accounts_are_two_and_of_one_address_are_one() -> None:
    assert contact_likeness(ContactSketch("Ana Ruiz", "1"), ContactSketch("Ana Ruiz", "2")) is None
    same = contact_likeness(
        ContactSketch("A. Ruiz", "1", "ana@k.example"), ContactSketch("Ana Ruiz", "2", "ANA@k.example")
    )
    assert same is not None and same.score >= 90


def test_deals_are_compared_within_one_account_by_name_and_amount() -> None:
    def deal(
        name: str = "Signalling phase two", account: str = "1", amount: int | None = 100_00
    ) -> DealSketch:
        return DealSketch(name, account, amount, "EUR", date(2026, 12, 1))

    found = deal_likeness(deal(), deal(name="Signaling Phase Two", amount=95_00))
    assert found is not None and "amounts within 10 %" in found.reasons
    assert deal_likeness(deal(), deal(account="2")) is None
    assert deal_likeness(deal(), deal(name="Depot roof")) is None
    assert deal_likeness(deal(amount=1_00), deal(name="Signalling phase three", amount=9_00)) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_whole_for_itself(one: str, other: str) -> None:
    first, second = plain_words(one), plain_words(other)
    assert likeness_of_names(first, second) == likeness_of_names(second, first)
    assert likeness_of_names(first, first) == (1.0 if first else 0.0)


LETTERS = "abcdefgh"
WORDS = st.text(alphabet=LETTERS, min_size=3, max_size=8)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=2, max_size=12), st.integers(0, 7), st.data())
def test_no_pair_that_shares_a_rare_word_or_differs_by_a_letter_is_missed(
    names: list[str], at: int, data: st.DataObject
) -> None:
    """Against all with all: every pair of the same name, of a shared word, or a letter apart is a candidate."""
    victim = data.draw(st.sampled_from(names))
    joined = "".join(plain_words(victim))
    if len(joined) >= 6:
        names = [*names, joined[: at % len(joined)] + joined[at % len(joined) + 1 :]]
    found = set(candidate_pairs(names, [()] * len(names)))
    words = [plain_words(name) for name in names]
    assert len(names) <= RARE
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            first, second = "".join(words[one]), "".join(words[other])
            near = len(first) >= 5 and len(second) >= 5 and _a_letter_apart(first, second)
            if first == second or set(words[one]) & set(words[other]) or near:
                assert (one, other) in found, (names[one], names[other])


def _a_letter_apart(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) <= 1
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def test_what_everybody_shares_does_not_make_pairs_of_all() -> None:
    names = [f"Northern {chr(97 + i // 26)}{chr(97 + i % 26)}{i} works" for i in range(400)]
    assert len(list(candidate_pairs(names, [("d example.org",)] * 400))) < 5_000


def test_in_many_passes_the_same_pairs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        f"{first} {last}" for first in ("kestrel", "kestral", "heron") for last in ("rail", "rails", "works")
    ]
    others = [[f"{place % 2}.example"] for place in range(len(names))]
    at_once = set(candidate_pairs(names, others))
    monkeypatch.setattr(candidates, "NAMES_A_PASS", 2)
    assert set(candidate_pairs(names, others)) == at_once and at_once


PEOPLE = st.builds(
    ContactSketch,
    name=NAMES,
    account=st.sampled_from(["1", "2"]),
    email=st.sampled_from(["", "ana@k.example", "ANA@k.example"]),
    phone=st.sampled_from(["", "030 123456", "+49 30 123456"]),
)


@settings(max_examples=60)
@given(st.lists(PEOPLE, min_size=2, max_size=12))
def test_no_two_people_who_look_like_one_are_missed(people: list[ContactSketch]) -> None:
    """Against all with all: who shares neither account, address nor phone never looks like one."""
    found = set(alike_within(sharing_groups(people), [one.name for one in people]))
    for one, other in combinations(range(len(people)), 2):
        if contact_likeness(people[one], people[other]):
            assert (one, other) in found, (people[one], people[other])


def test_in_a_large_account_namesakes_and_typos_are_found() -> None:
    people = [
        ContactSketch(f"Person {chr(97 + place // 26) * 3}{chr(97 + place % 26) * 3}", "1")
        for place in range(60)
    ]
    people += [
        ContactSketch("Helena Strand", "1"),
        ContactSketch("Person zz", "1"),
        ContactSketch("Helena Strnd", "1"),
    ]
    found = set(alike_within(sharing_groups(people), [one.name for one in people]))
    assert (60, 62) in found and len(found) < 500
