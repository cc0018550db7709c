"""How well a deal fits, with reasons; and how many open deals a scorecard would put into each band."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from otc.tenancy.models import Organization
from pipeline.fit.models import Scorecard
from pipeline.fit.queries import (
    books,
    given_of,
    given_of_deals,
    offered_attributes,
    open_deals_by_given,
    scorecard_now,
)
from pipeline.fit.rules import (
    BAND_WORDS,
    Criterion,
    Fit,
    Offered,
    Result,
    asked_words,
    criterion_of,
    fit,
)


@dataclass(frozen=True)
class FitReport:
    """A deal by the scorecard that counts now. `rows` are results with what each asks for, in words."""

    scorecard: Scorecard
    fit: Fit
    band: str
    rows: tuple[tuple[Result, str], ...]

    @property
    def band_words(self) -> str:
        return BAND_WORDS[self.band]


@dataclass(frozen=True)
class FitPreview:
    """Open deals by band, and how many there are."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def bands(self) -> list[tuple[str, str, int, float]]:
        """Each band with its words, its count and its share of 0..1."""
        whole = self.total or 1
        return [(band, BAND_WORDS[band], count, count / whole) for band, count in self.counts.items()]


def criteria_of(card: Scorecard | None) -> tuple[Criterion, ...]:
    return tuple(criterion_of(document) for document in card.criteria) if card else ()


def fit_report(*, account: Any, deal: Any, organization: Organization) -> FitReport | None:
    """The deal's fit; None where nothing is asked for. One query, where the fields were read before."""
    card = scorecard_now()
    criteria = criteria_of(card)
    if card is None or not criteria:
        return None
    known = books(organization)
    given = given_of(known, account=account, deal=deal, wanted=[one.attribute for one in criteria])
    found = fit(criteria, given)
    labels = {offered.key: offered for offered in offered_attributes(known)}
    return FitReport(
        card,
        found,
        found.band(fair_percent=card.fair_percent, good_percent=card.good_percent),
        tuple(
            (result, _words(result.criterion, labels.get(result.criterion.attribute)))
            for result in found.results
        ),
    )


@dataclass(frozen=True)
class DealFit:
    """A deal's `points` of `of`, and the band that they make."""

    points: int
    of: int
    band: str

    @property
    def words(self) -> str:
        return BAND_WORDS[self.band]


def fits_of(deal_ids: Sequence[UUID], *, organization: Organization) -> dict[UUID, DealFit]:
    """How well each of these deals fits now; empty where nothing is asked for. Two queries, whatever the deals."""
    card = scorecard_now()
    criteria = criteria_of(card)
    if card is None or not criteria or not deal_ids:
        return {}
    wanted = list(dict.fromkeys(one.attribute for one in criteria))
    found = {}
    for deal_id, given in given_of_deals(books(organization), deal_ids, wanted):
        made = fit(criteria, given)
        band = made.band(fair_percent=card.fair_percent, good_percent=card.good_percent)
        found[deal_id] = DealFit(made.points, made.of, band)
    return found


def fit_preview(criteria: Sequence[Criterion], *, fair_percent: int, good_percent: int) -> FitPreview:
    """How many open deals would fall into each band. Three queries, whatever the deals."""
    counts = dict.fromkeys(BAND_WORDS, 0)
    wanted = list(dict.fromkeys(one.attribute for one in criteria))
    for given, count in open_deals_by_given(books(), wanted):
        band = fit(criteria, given).band(fair_percent=fair_percent, good_percent=good_percent)
        counts[band] += count
    return FitPreview(counts)


def _words(criterion: Criterion, offered: Offered | None) -> str:
    label = offered.label if offered else "A field that is retired"
    return f"{label} {asked_words(criterion, offered)}"
