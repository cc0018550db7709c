"""What makes a forecast type: conditions on what deals are. All hold together; of the values of one, any."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from otc.fields.rules import PREFIX
from pipeline.opportunities.rules import Refused

# Columns of a deal by which a type may ask, as the list of deals names them.
TEXTS = ("kind", "source")
REFERENCES = ("process_id", "stage_id", "product_id")
MOST_VALUES, LONGEST = 200, 200
ASKED = ", ".join((*TEXTS, *REFERENCES, f"{PREFIX}<key>"))

type Conditions = dict[str, list[str]]


def read_conditions(given: Mapping[str, Any], *, fields: frozenset[str]) -> Conditions:
    """The conditions in one shape: sorted values by name, empty ones left out. `fields` are the keys of custom fields
    that may be asked for. Raises Refused.

    >>> read_conditions({"kind": ["Renewal", "Renewal"], "source": []}, fields=frozenset())
    {'kind': ['Renewal']}
    """
    found: Conditions = {}
    for name, values in sorted(given.items()):
        if name not in (*TEXTS, *REFERENCES) and name.removeprefix(PREFIX) not in fields:
            raise Refused("conditions", f"“{name}” can’t be asked for; known are: {ASKED}")
        if not isinstance(values, (list, tuple)) or len(values) > MOST_VALUES:
            raise Refused("conditions", f"{name} takes a list of at most {MOST_VALUES} values")
        texts = sorted({str(value).strip()[:LONGEST] for value in values} - {""})
        if name in REFERENCES and not all(_is_id(text) for text in texts):
            raise Refused("conditions", f"{name} takes ids")
        if texts:
            found[name] = texts
    if not found:
        raise Refused("conditions", "Say which deals are of this type, else it would be all of them")
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
