"""Every line says which request, organization, person and job it belongs to, and no line holds a path's secret."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from otc.jobs.registry import _kinds, job
from otc.jobs.services import enqueue, run
from otc.logs.lines import logging_settings
from otc.tenancy.context import use

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What a JSON log holds so far, made by the very settings of production."""
    stream = io.StringIO()
    described = logging_settings(style="json", level="INFO")
    described["handlers"]["console"]["stream"] = stream
    maker = logging.config.DictConfigurator(described)
    formatter = maker.configure_formatter(described["formatters"]["json"])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(maker.configure_filter(described["filters"]["surroundings"]))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_request_leaves_one_line_with_its_organization(house, client: Client, lines: Lines) -> None:
    client.force_login(house.ana.user)
    answer = client.get(house.url("deals/"), headers={"X-Request-Id": "trace-me-0001"})
    [line] = [line for line in lines() if line["logger"] == "otc.request"]
    assert (line["status"], line["method"], line["request_id"]) == (200, "GET", "trace-me-0001")
    assert line["organization_id"] == str(house.organization.id)
    assert line["person_id"] == str(house.ana.id)
    assert line["milliseconds"] > 0
    assert answer["X-Request-Id"] == "trace-me-0001"


@pytest.mark.parametrize(
    "offered", ["", "short", "a b c d e f g h", "x" * 65, "evil\tvalue-1234", 'a"b-12345678']
)
def test_a_request_id_that_could_forge_a_line_is_replaced(db: None, client: Client, offered: str) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": offered})["X-Request-Id"]
    assert given != offered and len(given) == 32


def test_a_path_is_not_logged_but_its_route(house, client: Client, lines: Lines) -> None:
    client.force_login(house.ana.user)
    client.get(house.url("accounts/?q=secret-words"))
    client.get("/nowhere/secret-words")
    assert "secret-words" not in json.dumps(lines())


def test_a_probe_leaves_no_line(db: None, client: Client, lines: Lines) -> None:
    client.get("/healthz")
    client.get("/readyz")
    assert [line for line in lines() if line["logger"] == "otc.request"] == []


def test_a_job_names_itself_in_its_lines(house, lines: Lines) -> None:
    @job("murmur")
    def murmur(subject: object) -> None:
        logging.getLogger("otc.jobs").warning("at work")

    try:
        with use(house.organization.id):
            job_id = enqueue("murmur")
        assert run(house.organization.id, job_id)
    finally:
        _kinds.pop("murmur")
    [line] = [line for line in lines() if line["message"] == "at work"]
    assert line["job_id"] == str(job_id)
    assert line["organization_id"] == str(house.organization.id)


def test_an_exception_is_one_line(lines: Lines) -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logging.getLogger("otc").exception("it broke\nhere")
    [line] = lines()
    assert line["level"] == "ERROR" and "ValueError" in line["exc_info"]


def test_another_style_than_json_and_line_is_refused() -> None:
    with pytest.raises(ValueError, match="json or line"):
        logging_settings(style="xml", level="INFO")
