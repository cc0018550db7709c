"""What other rooms let a list of deals be narrowed by: they say so here, since this package doesn't know them."""

from collections.abc import Callable, Mapping
from typing import Any

from otc.question import Question

# Narrows rows of Opportunity or OpportunityVersion.
type Narrowing = Callable[[Any], Any]
type Reader = Callable[[str, Question], Narrowing | None]

type Label = Callable[[str], str]

READERS: dict[str, Reader] = {}
LABELS: dict[str, Label] = {}


def narrow_by(parameter: str, reader: Reader, *, label: Label | None = None) -> None:
    """Register a parameter of the lists' addresses, once, when its room's application is ready. `label` says what was
    asked, for the chip that takes it away.
    """
    READERS[parameter] = reader
    if label is not None:
        LABELS[parameter] = label


def narrowings_shown(parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    """The parameters that have a chip, each with what it says."""
    asked = [(name, label(parameters[name])) for name, label in LABELS.items() if parameters.get(name)]
    return [(name, said) for name, said in asked if said]


def read_narrowings(parameters: Mapping[str, str], question: Question) -> tuple[Narrowing, ...]:
    """What the address asks of other rooms. Raises BadQuestion."""
    asked = [reader(parameters[name], question) for name, reader in READERS.items() if parameters.get(name)]
    return tuple(one for one in asked if one is not None)
