"""Which addresses may stand on a deal? No Django."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from pipeline.opportunities.rules import Refused

LONGEST_NAME, LONGEST_URL, MOST_LINKS = 200, 2000, 50
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\\<>\"]")


def checked_url(typed: str, *, schemes: Collection[str] = ("https",)) -> str:
    """The address as it is kept. Raises Refused for other schemes, without a host and with a sign-in.

    >>> checked_url(" https://docs.example.org/offer ")
    'https://docs.example.org/offer'
    """
    url = typed.strip()
    if not url:
        raise Refused("url", "Give the address, like https://docs.example.org/offer")
    if len(url) > LONGEST_URL:
        raise Refused("url", f"An address has at most {LONGEST_URL:,} characters")
    try:
        parts = urlsplit(url)
        has_host, _ = bool(parts.hostname), parts.port
    except ValueError as problem:
        raise Refused("url", "That is no address a browser could open; copy it from there again") from problem
    rest = url[len(parts.scheme) :]
    if parts.scheme not in schemes or not rest.startswith("://"):
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        raise Refused("url", f"Only addresses that begin with {begins} can stand here")
    if not has_host or _UNSEEN.search(url):
        raise Refused("url", "That is no address a browser could open; copy it from there again")
    if "@" in parts.netloc:
        raise Refused("url", "Leave the sign-in out of the address; everybody who sees the deal sees it")
    return f"{parts.scheme}{rest}"


def checked_name(typed: str, *, url: str) -> str:
    """What the link is called; its host where nothing is given."""
    name = " ".join(typed.split()) or (urlsplit(url).hostname or "")
    if len(name) > LONGEST_NAME:
        raise Refused("name", f"A name has at most {LONGEST_NAME} characters")
    return name


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
