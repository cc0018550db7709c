"""What a deal's timeline tells of its products: added, changed, taken off."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from otc.ui.format import money_exact, signed
from pipeline.history.changes import Change
from pipeline.lines.models import DealLine
from pipeline.lines.report import quantity_text, terms_of
from pipeline.lines.rules import MONTH, ONCE, YEAR, discount_share, line_sums
from pipeline.opportunities.timeline import CHANGE, Entry

A_PERIOD = {ONCE: "", MONTH: " a month", YEAR: " a year"}


def line_words(line: DealLine) -> str:
    """“25 × 36.00 EUR a month for 36 months, 10 % off”."""
    terms = terms_of(line)
    price = money_exact(line.price_minor, currency=line.currency)
    term = f" for {line.term_months} months" if line.term_months else ""
    share = discount_share(terms)
    places = 0 if share is None or (share * 100).denominator == 1 else 1
    off = f", {signed(share * 100, decimals=places)}\u00a0% off" if share else ""
    return f"{quantity_text(line.quantity_milli)} × {price}{A_PERIOD[line.charge]}{term}{off}"


def line_entries(lines: Sequence[DealLine], *, until: datetime) -> Iterator[Entry]:
    """An entry for each beginning and each end up to `until`; a change is one of both."""
    known = {line.id: line for line in lines}
    replaced = {(line.replaces_id, line.valid_from) for line in lines}
    for line in lines:
        if line.valid_from > until:
            continue
        before = known.get(line.replaces_id) if line.replaces_id else None
        yield _begun(line, before=before)
        if line.valid_to <= until and (line.id, line.valid_to) not in replaced:
            who = line.ended_by.name if line.ended_by else ""
            title = f"{line.product.name} taken off: {_total(line)}"
            yield Entry(at=line.valid_to, kind=CHANGE, icon="minus", title=title, who=who, note=who)


def _begun(line: DealLine, *, before: DealLine | None) -> Entry:
    who = line.set_by.name if line.set_by else ""
    if before is None or before.valid_to != line.valid_from:
        back = " again" if before is not None else ""
        title = f"{line.product.name} added{back}: {line_words(line)}"
        return Entry(at=line.valid_from, kind=CHANGE, icon="plus", title=title, who=who, note=who)
    change = Change(label=line.product.name, before=line_words(before), after=line_words(line), icon="edit")
    return Entry(at=line.valid_from, kind=CHANGE, icon="edit", changes=(change,), who=who, note=who)


def _total(line: DealLine) -> str:
    return money_exact(line_sums(terms_of(line)).total_minor, currency=line.currency)
