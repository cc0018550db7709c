"""What other rooms let a list of deals be narrowed by: they say so here, since this package doesn't know them."""

from collections.abc import Callable, Mapping
from typing import Any

from otc.question import Question

# Narrows rows of Opportunity or OpportunityVersion.
type Narrowing = Callable[[Any], Any]
type Reader = Callable[[str, Question], Narrowing | None]

READERS: dict[str, Reader] = {}


def narrow_by(parameter: str, reader: Reader) -> None:
    """Register a parameter of the lists' addresses, once, when its room's application is ready."""
    READERS[parameter] = reader


def read_narrowings(parameters: Mapping[str, str], question: Question) -> tuple[Narrowing, ...]:
    """What the address asks of other rooms. Raises BadQuestion."""
    asked = [reader(parameters[name], question) for name, reader in READERS.items() if parameters.get(name)]
    return tuple(one for one in asked if one is not None)
