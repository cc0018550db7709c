"""Forecast types in the settings: the difference comes first, a filter is dated, and what was done is undone."""

import pytest

from forecasting.types.models import ForecastType, ForecastTypeFilter
from otc.audit.models import AuditEntry
from otc.tenancy.context import use
from tests.forecasting.test_forecast_types import HERE, deals, make


@pytest.fixture
def admin(house, signed_in):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        deals(house.ana, HERE.last)
    return signed_in(house.ops)


def filters(house) -> list:
    with use(house.organization.id):
        return list(ForecastTypeFilter.objects.order_by("known_from").values_list("conditions", flat=True))


def test_a_new_type_is_looked_at_first_and_then_there(house, admin):
    path = house.url("settings/forecasts/")
    sent = {"name": "Renewals", "kind": "Renewal, Upsell", "source": ""}
    looked = admin.post(path, sent)
    here, later = looked.context["differences"]
    assert (here["one"].deals_before, here["one"].deals_after) == (0, 2)
    assert here["one"].after["commit"] == 11 and not later["one"].changes
    assert filters(house) == [] and "Nothing has changed yet" in looked.content.decode()
    saved = admin.post(path, sent | {"act": "save"}, follow=True)
    assert filters(house) == [{"kind": ["Renewal", "Upsell"]}]
    assert "Kind is Renewal or Upsell" in saved.content.decode()
    assert admin.get(house.url("forecast/"), {"type": "renewals"}).status_code == 200


def test_another_filter_holds_from_now_on_and_is_undone(house, admin):
    with use(house.organization.id):
        make(house)
    path = house.url("settings/forecasts/?type=renewals")
    assert 'value="Renewal"' in admin.get(path).content.decode()
    sent = {"name": "All business", "kind": "New business"}
    here = admin.post(path, sent).context["differences"][0]["one"]
    assert (here.before["commit"], here.after["commit"]) == (11, 100)
    saved = admin.post(path, sent | {"act": "save"}, follow=True)
    assert filters(house) == [{"kind": ["Renewal"]}, {"kind": ["New business"]}]
    undo = next(str(one.extra_tags) for one in saved.context["messages"])
    admin.post(undo)
    assert filters(house)[-1] == {"kind": ["Renewal"]} and len(filters(house)) == 3
    with use(house.organization.id):
        assert ForecastType.objects.get().name == "Renewals"
        assert AuditEntry.objects.filter(action="forecast_type.changed").count() == 2


def test_a_retired_type_comes_back_by_undo_and_by_hand(house, admin):
    with use(house.organization.id):
        type_ = make(house)
    path = house.url(f"settings/forecasts/{type_.id}/offer/")
    saved = admin.post(path, {"act": "retire"}, follow=True)
    assert "Offer again" in saved.content.decode()
    admin.post(next(str(one.extra_tags) for one in saved.context["messages"]))
    with use(house.organization.id):
        assert ForecastType.objects.get().retired_at is None
    admin.post(path, {"act": "retire"})
    admin.post(path, {"act": "restore"})
    with use(house.organization.id):
        assert ForecastType.objects.get().retired_at is None


def test_bad_input_is_said_and_what_was_typed_stays(house, admin, signed_in):
    path = house.url("settings/forecasts/")
    nothing = admin.post(path, {"name": "Everything", "kind": " , "})
    assert nothing.status_code == 422 and "Say which deals" in nothing.content.decode()
    assert 'value="Everything"' in nothing.content.decode()
    with use(house.organization.id):
        make(house)
    twice = admin.post(path, {"name": "Renewals", "kind": "x", "act": "save"})
    assert twice.status_code == 422 and "already" in twice.content.decode()
    for person in (house.eve, house.ana):
        assert signed_in(person).get(path).status_code == 403
