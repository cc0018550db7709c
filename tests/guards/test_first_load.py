"""A page's first load fits a slow line: at most 150 KB, compressed as served."""

import pytest

from otc.tenancy.context import use
from tests.conftest import House
from tests.furnishing import furnish
from tests.guards.first_load import first_load

pytestmark = pytest.mark.django_db

LARGEST = 150 * 1024


def test_the_first_load_of_the_deals_page_fits_a_slow_line(house: House, signed_in, make_deal) -> None:
    furnish(house, owner=house.ana, count=4)
    with use(house.organization.id, channel="ui"):
        for number in range(46):
            make_deal(
                f"A deal of number {number}", owner=house.ana, amount_minor=1_00 + number, next_step="Call"
            )
    weights = first_load(signed_in(house.ana), house.url("deals/"))
    assert any(address.endswith(".woff2") for address in weights)
    assert any(address.endswith("htmx.min.js") for address in weights)
    heaviest = sorted(weights.items(), key=lambda found: -found[1])[:6]
    assert sum(weights.values()) <= LARGEST, heaviest


def test_a_font_of_other_letters_is_counted_when_they_are_shown(house: House, signed_in, make_deal) -> None:
    with use(house.organization.id, channel="ui"):
        make_deal("Plain", owner=house.ana)
        plain = first_load(signed_in(house.ana), house.url("deals/"))
        make_deal("Łódź", owner=house.ana)
        other = first_load(signed_in(house.ana), house.url("deals/"))
    assert {address for address in set(other) - set(plain) if "latin-ext" in address}


def test_what_is_not_yours_stays_the_same_bytes(house: House, elsewhere: House, signed_in) -> None:
    client = signed_in(house.ana)
    found = [
        client.get(url, headers={"Accept-Encoding": "gzip"})
        for url in (elsewhere.url("deals/"), "/o/nowhere/deals/")
    ]
    assert [answer.status_code for answer in found] == [404, 404]
    assert found[0].content == found[1].content and "Content-Encoding" not in found[0].headers
