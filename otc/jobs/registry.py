"""Which function does a job of a kind? Rooms register theirs in their tasks.py."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from otc.jobs.lease import Lease

Effect = Callable[[UUID | None], None]
LongEffect = Callable[[Lease], None]


class UnknownKind(LookupError):
    """A job of a kind that no room has registered."""


@dataclass(frozen=True)
class Kind:
    """`effect` runs and commits with the job's own row; `long_effect` holds a lease and commits in steps.

    A daily kind is asked for once on every day of each organization, by the clock, and is due at `hour` there.
    """

    name: str
    effect: Effect | None = None
    long_effect: LongEffect | None = None
    is_daily: bool = False
    hour: int = 0


_kinds: dict[str, Kind] = {}


def job(name: str) -> Callable[[Effect], Effect]:
    """Register work under five seconds: `effect(subject)` runs in the transaction that marks the job done."""

    def register(effect: Effect) -> Effect:
        _kinds[name] = Kind(name, effect=effect)
        return effect

    return register


def long_job(name: str, *, is_daily: bool = False, hour: int = 0) -> Callable[[LongEffect], LongEffect]:
    """Register long work: `effect(lease)` does short transactions through `lease.step()`."""

    def register(effect: LongEffect) -> LongEffect:
        _kinds[name] = Kind(name, long_effect=effect, is_daily=is_daily, hour=hour)
        return effect

    return register


def kind_named(name: str) -> Kind:
    """The registered kind; raises UnknownKind."""
    if name not in _kinds:
        raise UnknownKind(name)
    return _kinds[name]


def registered_kinds() -> dict[str, Kind]:
    """Every kind by its name."""
    return dict(_kinds)


def is_long(name: str) -> bool:
    """Whether jobs of this kind hold a lease; an unknown kind doesn't."""
    return name in _kinds and _kinds[name].long_effect is not None
