"""Which records are worth comparing? Those that share a key: never all with all. No Django.

A hundred thousand names would make five thousand million pairs. Two names that are alike share a rare word, or all
their letters but one; two records that are one share a domain, an address or a number.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from pipeline.duplicates.rules import plain_words

# A word that more names bear doesn't tell them apart; of a larger block only neighbours are compared.
RARE = 30
LARGEST_BLOCK = 40
SHORTEST_WORD = 3
SHORTEST_TYPO = 5
PASSES = 4


def candidate_pairs(
    names: Sequence[str], others: Sequence[Iterable[str]], *, beat: Callable[[], None] = lambda: None
) -> set[tuple[int, int]]:
    """Pairs of places (i < j) of records with `names`, and other keys beside each (domains, addresses).

    `beat` is called between the parts of the work, which takes seconds at a hundred thousand names.
    """
    words = [plain_words(name) for name in names]
    found: set[tuple[int, int]] = set()
    for block in _blocks(words, others):
        found.update(_pairs_in(block))
    for shard in range(PASSES):
        beat()
        found.update(_one_letter_apart(words, shard=shard))
    return found


def _blocks(words: Sequence[tuple[str, ...]], others: Sequence[Iterable[str]]) -> Iterator[list[int]]:
    """Places that share the whole name, a rare word or another key."""
    counts = Counter(word for own in words for word in set(own) if len(word) >= SHORTEST_WORD)
    shared: dict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(words):
        if own:
            shared["n " + "".join(own)].append(place)
        for word in set(own):
            if 1 < counts[word] <= RARE:
                shared["w " + word].append(place)
        for key in set(others[place]):
            shared["o " + key].append(place)
    return (block for block in shared.values() if len(block) > 1)


def _pairs_in(block: Sequence[int]) -> Iterator[tuple[int, int]]:
    if len(block) <= LARGEST_BLOCK:
        yield from combinations(block, 2)
    else:
        yield from pairwise(block)


def _one_letter_apart(words: Sequence[tuple[str, ...]], *, shard: int) -> Iterator[tuple[int, int]]:
    """Names that become the same when at most one letter is left out of each: a typo, a letter too many or two
    swapped. Of each name every way to leave one out is kept as a number; in passes, so that memory stays small.
    """
    kept: dict[int, list[int]] = {}
    for place, own in enumerate(words):
        name = "".join(own)
        if len(name) < SHORTEST_TYPO:
            continue
        for key in {hash(name), *(hash(name[:at] + name[at + 1 :]) for at in range(len(name)))}:
            if key % PASSES == shard:
                kept.setdefault(key, []).append(place)
    for block in kept.values():
        if len(block) > 1:
            yield from _pairs_in(block)


def within(groups: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of places inside each group, of large ones only neighbours in the order given."""
    for block in groups.values():
        yield from _pairs_in(block)
