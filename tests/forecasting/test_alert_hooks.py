"""Posts to hooks: signed, to the public network only, tried again with waits, booked, against a real server here."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from forecasting.alerts import posting
from forecasting.alerts.delivery import delivery_ask
from forecasting.alerts.models import AlertDelivery, AlertHook
from forecasting.alerts.posting import AddressRefused, Post, checked_address, is_public, post, signature
from forecasting.alerts.rules import BACKOFF
from forecasting.alerts.services import MadeHook, hook_add, hook_remove
from otc.jobs.models import Job
from otc.jobs.services import run
from otc.tenancy.context import use
from pipeline.opportunities.rules import Refused
from tests.conftest import House


class Listener(HTTPServer):
    """Answers `codes` one after the other, the last one from then on, and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes = [200]
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?team=west"


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        code = self.server.codes.pop(0) if len(self.server.codes) > 1 else self.server.codes[0]
        self.send_response(code)
        if code == 302:
            self.send_header("Location", self.server.url + "&again")
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    server = Listener()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def hooked(house: House, url: str) -> tuple[MadeHook, AlertDelivery]:
    now = timezone.now()
    with use(house.organization.id):
        made = hook_add(name="Chat", url=url, owner=house.eve, now=now)
        return made, delivery_ask(
            made.hook, content={"type": "alert.fired", "data": {"näme": 1}}, fired_id=None, now=now
        )


def work(house: House, delivery: AlertDelivery) -> AlertDelivery:
    """Run its job as if its time had come."""
    with use(house.organization.id):
        jobs = Job.objects.filter(kind="alert_delivery", subject=delivery.id)
        jobs.update(due_at=F("created_at"))
        job_id = jobs.get().id
    run(house.organization.id, job_id)
    with use(house.organization.id):
        return AlertDelivery.objects.get(id=delivery.id)


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As Standard Webhooks says that a receiver checks."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{digest}"


def test_a_post_arrives_signed_and_its_answer_is_booked(house, listener):
    made, delivery = hooked(house, listener.url)
    done = work(house, delivery)
    ((headers, body),) = listener.got
    assert json.loads(body) == {"type": "alert.fired", "data": {"näme": 1}}
    assert verified(made.secret, headers, body) and headers["webhook-id"] == str(delivery.id)
    assert not verified(posting.new_secret(), headers, body)
    assert (done.state, done.status, done.answer, done.attempts) == ("sent", 200, "thanks", 1)
    work(house, delivery)
    assert len(listener.got) == 1


def test_a_failed_post_is_tried_again_after_growing_waits_under_the_same_id(house, listener):
    listener.codes = [500, 429, 302, 200]
    _, delivery = hooked(house, listener.url)
    for number, status in enumerate((500, 429, 302)):
        tried = work(house, delivery)
        assert (tried.state, tried.status, tried.attempts) == ("waiting", status, number + 1)
        assert tried.next_at - tried.tried_at == BACKOFF[number]
    assert work(house, delivery).state == "sent"
    assert {headers["webhook-id"] for headers, _ in listener.got} == {str(delivery.id)}
    assert len(listener.got) == 4


def test_it_waits_until_its_time_has_come(house, listener):
    listener.codes = [500, 200]
    _, delivery = hooked(house, listener.url)
    work(house, delivery)
    with use(house.organization.id):
        job = Job.objects.get(kind="alert_delivery", subject=delivery.id)
    assert job.due_at > timezone.now() and not run(house.organization.id, job.id)
    assert len(listener.got) == 1


def test_after_the_last_attempt_it_is_given_up(house, listener):
    listener.codes = [503]
    _, delivery = hooked(house, listener.url)
    with use(house.organization.id):
        AlertDelivery.objects.filter(id=delivery.id).update(attempts=len(BACKOFF))
    done = work(house, delivery)
    assert (done.state, done.status, done.next_at) == ("failed", 503, None)


def test_nobody_at_the_address_is_no_end(house, listener):
    _, delivery = hooked(house, "http://127.0.0.1:1/")
    tried = work(house, delivery)
    assert (tried.state, tried.status) == ("waiting", None)
    assert "refused" in tried.answer.lower()


def test_a_worker_that_dies_after_the_post_posts_again_under_the_same_id(house, listener, monkeypatch):
    _, delivery = hooked(house, listener.url)
    with monkeypatch.context() as patched:

        def die(*args: Any, **more: Any) -> None:
            raise RuntimeError("died")

        patched.setattr("forecasting.alerts.delivery.delivery_book", die)
        work(house, delivery)
    assert work(house, delivery).state == "sent"
    assert [headers["webhook-id"] for headers, _ in listener.got] == [str(delivery.id)] * 2


def test_private_addresses_get_nothing_unless_the_operator_says_so(house, listener, settings):
    _, delivery = hooked(house, listener.url)
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    done = work(house, delivery)
    assert (done.state, done.status, listener.got) == ("failed", None, [])
    with use(house.organization.id), pytest.raises(Refused, match="https"):
        hook_add(name="Chat", url=listener.url, owner=house.eve, now=timezone.now())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.7", "[::1]", "169.254.169.254", "0.0.0.0"]
)
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(host, settings):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    answer = post(Post(f"https://{host}:9/", b"{}", {}))
    assert answer.is_final and "public network" in answer.text


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:0a00:0001::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_what_is_public(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    ["ftp://a.org/", "https://", "https://me:pw@a.org/", "https://a.org:99999/", "https://a.org/a b", "x"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(AddressRefused):
        checked_address(url)


def test_the_signature_is_that_of_the_standard():
    """The example of the Standard Webhooks specification."""
    from datetime import UTC, datetime

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    found = signature(
        b'{"test": 2432232314}',
        secret=secret,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_removed_hook_gets_nothing_and_its_secret_is_gone(house, listener):
    made, delivery = hooked(house, listener.url)
    with use(house.organization.id):
        assert made.secret not in AlertHook.objects.get().sealed_secret
        hook_remove(made.hook, now=timezone.now())
        assert AlertHook.objects.get().sealed_secret == ""
    assert work(house, delivery).state == "failed"
    assert listener.got == []
