"""Where a deal comes from and goes to in a flow: how an address writes it, and what people read."""

from collections.abc import Mapping

from forecasting.flow.report import BUCKET, GROUP, Place
from forecasting.waterfall import groups, picture
from forecasting.waterfall.rules import STEPS
from otc.question import BadQuestion


def place_of(text: str, *, parameter: str, by: str) -> Place:
    """`group:<key>` (`group:none` for no group) or `bucket:<name>`. Raises BadQuestion."""
    kind, _, key = text.partition(":")
    if kind == BUCKET and key in STEPS:
        return BUCKET, key
    if kind == GROUP:
        try:
            return GROUP, groups.parse_key(key, by=by)
        except ValueError:
            pass
    raise BadQuestion(parameter, f"“{text}” is no row or column of this flow")


def word_of(place: Place) -> str:
    """A place as an address writes it."""
    kind, key = place
    return f"{kind}:{groups.NO_GROUP if key is None else key}"


def name_of(place: Place, names: Mapping[str | None, str]) -> str:
    """A place as people read it; `names` are the groups'."""
    kind, key = place
    return picture.STEP_LABELS[str(key)] if kind == BUCKET else names.get(key, "")
