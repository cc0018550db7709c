"""Which records are worth comparing? Those that share a key: never all with all. No Django.

A hundred thousand names would make five thousand million pairs. Two names that are alike share a rare word, or all
their letters but one; two records that are one share a domain, an address or a number.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from pipeline.duplicates.rules import plain_words

# A word that more names bear doesn't tell them apart; of a larger block only neighbours are compared.
RARE = 30
LARGEST_BLOCK = 40
SHORTEST_WORD = 3
SHORTEST_TYPO = 5
# So many names' keys are held at a time; more names are gone through in more passes.
NAMES_A_PASS = 10_000


def candidate_pairs(
    names: Sequence[str], others: Sequence[Iterable[str]], *, beat: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, int]]:
    """Pairs of places (i < j) of records with `names`, and other keys beside each (domains, addresses).

    A pair that shares several keys may come several times: to remember them all would take more than to compare them
    again. `beat` is called between the parts of the work, which takes seconds at a hundred thousand names.
    """
    words = [plain_words(name) for name in names]
    counts = Counter(word for own in words for word in set(own) if len(word) >= SHORTEST_WORD)
    rare = {word for word, count in counts.items() if 1 < count <= RARE}
    passes = -(-len(names) // NAMES_A_PASS)
    for shard in range(passes):
        for keys in (_shared_keys(words, others, rare=rare), _one_letter_less(words)):
            beat()
            for block in _blocks(keys, shard=shard, passes=passes):
                yield from _pairs_in(block)


def _blocks(keys: Iterable[tuple[int, int]], *, shard: int, passes: int) -> Iterator[list[int]]:
    """The places that share a key, of the keys (number, place) that this pass is for."""
    shared: dict[int, list[int]] = defaultdict(list)
    for key, place in keys:
        if key % passes == shard:
            shared[key].append(place)
    return (block for block in shared.values() if len(block) > 1)


def _shared_keys(
    words: Sequence[tuple[str, ...]], others: Sequence[Iterable[str]], *, rare: set[str]
) -> Iterator[tuple[int, int]]:
    """Each record's whole name, its rare words and its other keys, as numbers."""
    for place, own in enumerate(words):
        if own:
            yield hash(("name", "".join(own))), place
        for word in rare.intersection(own):
            yield hash(("word", word)), place
        for key in set(others[place]):
            yield hash(("other", key)), place


def _pairs_in(block: Sequence[int]) -> Iterator[tuple[int, int]]:
    return combinations(block, 2) if len(block) <= LARGEST_BLOCK else pairwise(block)


def _one_letter_less(words: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Of each name every way to leave one letter out, as numbers: names that become the same when at most one is left
    out of each differ by a typo, a letter too many or two swapped.
    """
    for place, own in enumerate(words):
        name = "".join(own)
        if len(name) < SHORTEST_TYPO:
            continue
        for key in {hash(name), *(hash(name[:at] + name[at + 1 :]) for at in range(len(name)))}:
            yield key, place


def within(groups: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of places inside each group, of large ones only neighbours in the order given."""
    for block in groups:
        yield from _pairs_in(block)


def alike_within(groups: Iterable[Sequence[int]], names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The same, and of large groups also those whose names share a key."""
    for block in groups:
        yield from _pairs_in(block)
        if len(block) > LARGEST_BLOCK:
            own = [names[place] for place in block]
            for one, other in candidate_pairs(own, [()] * len(own)):
                yield block[one], block[other]
