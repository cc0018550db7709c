"""What is a buying team still missing? No Django: values in, values out."""

from collections.abc import Collection, Iterable

# The parts that a complete team covers, in the order in which they are looked for; a blocker is nobody's wish.
WANTED = ("champion", "economic_buyer", "decision_maker", "influencer", "user")
# Fewer people than this hang the deal on one thread.
ENOUGH_PEOPLE = 2


def missing_parts(roles: Iterable[str]) -> tuple[str, ...]:
    """The wanted parts that nobody plays: a champion and a user leave three.

    >>> missing_parts(["champion", "user"])
    ('economic_buyer', 'decision_maker', 'influencer')
    """
    covered = set(roles)
    return tuple(part for part in WANTED if part not in covered)


def is_single_threaded(people: Collection[object]) -> bool:
    """Whether everything hangs on one person, or on none. `people` have a part or were in contact."""
    return len(set(people)) < ENOUGH_PEOPLE
