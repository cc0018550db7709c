"""A one-to-one sheet with all that it holds at most is one side of A4."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from forecasting.onetoone.models import AgreedAction, OneToOne
from otc.tenancy.context import use
from pipeline.opportunities.services import opportunity_create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_full_sheet_prints_on_one_page(sit, desk):
    house, _ = desk
    now = timezone.now()
    with use(house.organization.id, channel="ui"):
        for number in range(12):
            opportunity_create(
                name=f"A deal of a rather long name, number {number}",
                owner_id=house.ana.id,
                close_date=now.date() - timedelta(days=1),
                now=now,
            )
        for number in range(12):
            AgreedAction(
                person=house.ana,
                owner=house.max,
                text=f"Something to do {number} " * 5,
                due_on=now,
                agreed_at=now,
            ).save()
        notes = "A line of what was said in the talk.\n" * 60
        OneToOne(person=house.ana, held_on=now.date(), notes=notes, written_at=now).save()
    seat = sit("max@example.org")
    seat.open(house.url(f"team/{house.ana.id}/"))
    printed = seat.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    assert re.search(rb"/MediaBox\s*\[0 0 59[45]\S* 84[12]", printed)
    assert seat.complaints == []
