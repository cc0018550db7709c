"""The reports' endpoints beyond the numbers they share with pages: parameters, groups, and the shape they promise."""

import json
from typing import Any

import pytest

from otc.api.schema import schema_text
from tests.guards.report_house import build_report_house
from tests.guards.surface import Looker, looker


@pytest.fixture
def eyes(db: None) -> Looker:
    return looker(build_report_house(deals=40), "eve", {"period": "year"})


def shape(operation_path: str) -> dict[str, Any]:
    """The schema of an endpoint's answer, with every reference followed."""
    schema = json.loads(schema_text())
    answer = schema["paths"][f"/api/v1/{operation_path}"]["get"]["responses"]["200"]
    return followed(answer["content"]["application/json"]["schema"], schema["components"]["schemas"])


def followed(node: Any, components: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [followed(entry, components) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return followed(components[node["$ref"].rsplit("/", 1)[1]], components)
    merged: dict[str, Any] = {}
    for part in (*followed(node.get("allOf", []), components), node):
        merged |= part
    return {name: followed(value, components) for name, value in merged.items() if name != "allOf"}


def unlike_shape(value: Any, promised: dict[str, Any], where: str = "") -> list[str]:
    """Names that are there and not promised, or promised as required and not there."""
    if isinstance(value, list):
        return [p for entry in value for p in unlike_shape(entry, promised.get("items", {}), f"{where}[]")]
    if not isinstance(value, dict) or "properties" not in promised:
        return []
    found = [f"{where}.{name} isn't promised" for name in value if name not in promised["properties"]]
    found += [f"{where}.{name} is missing" for name in promised.get("required", []) if name not in value]
    for name, inner in value.items():
        found += unlike_shape(inner, promised["properties"].get(name, {}), f"{where}.{name}")
    return found


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("waterfall", {"group_by": "stage"}),
        ("waterfall", {"bucket": "opening", "mode": "path"}),
        ("flow", {"by": "category", "start": "group:commit", "end": "group:commit"}),
        ("forecast/rollup", {}),
        ("inspection", {"group": "owner"}),
        ("trends", {}),
        ("funnel", {"segment": "source"}),
        ("winloss", {"group_by": "manager"}),
    ],
)
def test_an_answer_has_the_documented_shape(eyes: Looker, path: str, more: dict[str, str]) -> None:
    answer, promised = eyes.api(path, **more), shape(path)
    assert unlike_shape(answer, promised) == []
    assert unlike_shape(answer | {"surprise": 1}, promised) == [".surprise isn't promised"]
    assert unlike_shape({}, promised) != []


@pytest.mark.parametrize("group_by", ["stage", "category", "product", "person", "team"])
def test_the_groups_of_a_waterfall_add_up_to_the_whole(eyes: Looker, group_by: str) -> None:
    found = eyes.api("waterfall", group_by=group_by)
    groups = found["groups"]
    assert len(groups) > 1
    for end in ("opening", "closing"):
        assert sum(group[end]["amount_minor"] for group in groups) == found[end]["amount_minor"]
    whole = {bucket["name"]: bucket["amount_minor"] for bucket in found["buckets"]}
    for name, amount_minor in whole.items():
        sums = [b["amount_minor"] for group in groups for b in group["buckets"] if b["name"] == name]
        assert sum(sums) == amount_minor or name in ("moved_in", "moved_out")
    moved = [
        b["amount_minor"] for g in groups for b in g["buckets"] if b["name"] in ("moved_in", "moved_out")
    ]
    assert sum(moved) == 0
    assert all(group["name"] for group in groups if group["key"] is not None)


def test_a_waterfall_balances_and_opens_a_step_in_pages(eyes: Looker) -> None:
    found = eyes.api("waterfall")
    change = sum(bucket["amount_minor"] for bucket in found["buckets"])
    assert found["opening"]["amount_minor"] + change == found["closing"]["amount_minor"]
    assert found["change_minor"] == change
    opened = eyes.api("waterfall", bucket="opening")["opened"]
    assert opened["count"] == found["opening"]["count"] == len(opened["deals"])
    assert sum(deal["before_minor"] for deal in opened["deals"]) == found["opening"]["amount_minor"]
    assert opened["next_page"] is None
    assert eyes.api("waterfall", bucket="opening", page="1")["opened"]["deals"] == []


def test_from_and_to_are_other_words_for_since_and_as_of(eyes: Looker) -> None:
    days = {"since": "2026-07-01", "as_of": "2026-10-01"}
    one = eyes.api("waterfall", **days)
    other = eyes.api("waterfall", **{"from": days["since"], "to": days["as_of"]})
    # The organization's day: Berlin's midnight.
    instants = eyes.api("waterfall", **{"from": "2026-06-30T22:00:00Z", "to": one["as_of"]})
    assert one == other == instants
    assert one["since"] == "2026-06-30T22:00:00Z"


def test_winloss_is_of_all_time_unless_a_period_is_given(eyes: Looker) -> None:
    eyes.parameters.pop("period")
    whole = eyes.api("winloss")
    assert whole["period"] is None
    year = eyes.api("winloss", period="1999")
    assert (year["period"]["key"], year["total"]["won"], year["total"]["win_rate"]) == ("1999", 0, None)
    assert whole["total"]["won"] > 0
