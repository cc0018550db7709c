"""One signed post to an address of somebody else's, which may be hostile: where it may go, and what came back.

Signed as Standard Webhooks has it: webhook-id, webhook-timestamp, and webhook-signature with the base64 of the
HMAC-SHA256 of “id.timestamp.body” behind “v1,”.
"""

import base64
import hashlib
import hmac
import http.client
import ipaddress
import secrets
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

PREFIX = "whsec_"
TIMEOUT_SECONDS = 10
MOST_BYTES = 2000
# Who answers drop by drop is cut off, long before the job's lease ends.
MOST_SECONDS = 25


class AddressRefused(ValueError):
    """An address that nothing is posted to, and why."""


@dataclass(frozen=True)
class Post:
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """`status` is None where nobody answered; `is_final`: trying again would change nothing."""

    status: int | None
    text: str
    is_final: bool = False

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def new_secret() -> str:
    """256 random bits, as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(body: bytes, *, secret: str, message_id: str, at: datetime) -> dict[str, str]:
    """The three headers by which whoever gets `body` knows who sent it, and when."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def checked_address(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address that may be posted to. Raises AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("That is not an address like https://example.com/hook") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise AddressRefused("Write an address like https://example.com/hook")
    if parts.username or parts.password:
        raise AddressRefused("Leave name and password out of the address: posts are signed instead")
    if parts.scheme == "http" and not settings.WEBHOOKS_MAY_BE_PRIVATE:
        raise AddressRefused("The address begins with https://, so that nobody reads along")
    if any(character <= " " or character == "\x7f" for character in url):
        raise AddressRefused("The address has spaces in it")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path


def public_address_of(host: str, port: int) -> str:
    """An IP address of the host, where all that it has are of the public network. Raises AddressRefused, OSError.

    The post goes to just this address: a name that is looked up again could lead elsewhere by then.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.WEBHOOKS_MAY_BE_PRIVATE:
        for address in addresses:
            if not is_public(address):
                raise AddressRefused(f"{host} leads to {address}, which is not on the public network")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network, also where IPv6 wraps another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        # 64:ff9b::/96 leads to the IPv4 address in its last four bytes.
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def post(one: Post) -> Answer:
    """Post it, once, following nothing. Never raises for what the other side does."""
    try:
        scheme, host, port, path = checked_address(one.url)
        address = public_address_of(host, port)
    except AddressRefused as refusal:
        return Answer(None, str(refusal), is_final=True)
    except (OSError, UnicodeError) as problem:
        return Answer(None, f"{urlsplit(one.url).hostname} was not found: {problem}")
    try:
        connection = _connection(scheme, host, port, address=address)
        cut_off = threading.Timer(MOST_SECONDS, _shut, [connection.sock])
        cut_off.daemon = True
        cut_off.start()
        try:
            connection.request("POST", path, body=one.body, headers=dict(one.headers))
            response = connection.getresponse()
            text = response.read(MOST_BYTES).decode("utf-8", "replace").replace("\0", "")
            return Answer(response.status, text)
        finally:
            cut_off.cancel()
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return Answer(None, f"{type(problem).__name__}: {problem}")


def _shut(connected: socket.socket) -> None:
    """From another thread, so that the one that reads comes back."""
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _connection(scheme: str, host: str, port: int, *, address: str) -> http.client.HTTPConnection:
    """A connection to `address` that asks for `host`, and over https has it prove that it is."""
    plain = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    connected = socket.create_connection((address, port), timeout=TIMEOUT_SECONDS)
    try:
        if scheme == "https":
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=host)
    except BaseException:
        connected.close()
        raise
    plain.sock = connected
    # http.client names the port in Host unless it is its own default.
    plain.default_port = port if (scheme, port) in (("https", 443), ("http", 80)) else plain.default_port
    return plain
