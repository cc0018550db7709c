"""What an account holds under no field, as imports bring it: shown as text, typed back as what it was. No Django."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.accounts.rules import Invalid

LONGEST_NAME, LONGEST_VALUE, MOST = 100, 2000, 100
TOO_LONG = f"“{{name}}” is too long: a name has {LONGEST_NAME} characters at most, what stands there {LONGEST_VALUE:,}"
WORDS = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Fact:
    """A line of the form: `key` is the name that it had when it was read, empty for a new one. What isn't a text, a
    number or a yes or no can be taken away, not typed.
    """

    key: str
    name: str
    text: str
    is_plain: bool = True


def facts_of(attributes: Mapping[str, Any]) -> list[Fact]:
    """In the order of their names.

    >>> [one.text for one in facts_of({"Seats": 20, "Region": "EMEA"})]
    ['EMEA', '20']
    """
    return [
        Fact(name, name, fact_text(value), _is_plain(value)) for name, value in sorted(attributes.items())
    ]


def fact_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return WORDS[value] if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def typed_facts(present: Mapping[str, Any], typed: Sequence[Fact]) -> dict[str, Any]:
    """`present` with what was typed. A line without a name or a text is taken away, one that isn't among them stays
    as it is: somebody may have added it meanwhile. Raises Invalid.
    """
    found = {name: value for name, value in present.items() if name not in {one.key for one in typed}}
    for one in typed:
        name, text = " ".join(one.name.split()), one.text.strip()
        if not name and text:
            raise Invalid("attributes", f"Say what “{text[:60]}” is: it needs a name")
        if not name or not text:
            continue
        if len(name) > LONGEST_NAME or len(text) > LONGEST_VALUE:
            raise Invalid(
                "attributes",
                TOO_LONG.format(name=name[:60]),
            )
        if name in found:
            raise Invalid("attributes", f"“{name}” stands there twice; keep one of them")
        found[name] = _value(present.get(one.key), text) if one.key else text
    if len(found) > MOST:
        raise Invalid("attributes", f"At most {MOST} facts fit; make fields of those that everybody needs")
    return found


def _value(before: Any, text: str) -> Any:
    """What was typed over a value: the same where it reads the same, a number where one stood."""
    if text == fact_text(before).strip():
        return before
    if isinstance(before, bool):
        return {words: value for value, words in WORDS.items()}.get(text.casefold(), text)
    return _number(text) if isinstance(before, (int, float)) else text


def _number(text: str) -> int | float | str:
    try:
        number = Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 15:
        return text
    return int(number) if number == number.to_integral_value() else float(number)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))
