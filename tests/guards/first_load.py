"""What does a browser with an empty cache fetch to show a page, and how many bytes is that as served?"""

import gzip
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.staticfiles import finders

FONT_FACE = re.compile(r"@font-face\s*{([^}]*)}")
URL = re.compile(r"url\(['\"]?([^'\")]+)")
IMPORT = re.compile(r"""(?:import|from)\s*["'](\.[^"']+)["']""")
RANGE = re.compile(r"U\+([0-9A-Fa-f?]+)(?:-([0-9A-Fa-f]+))?")
READY = (".woff2", ".png", ".jpg")


class _Page(HTMLParser):
    """The addresses that a page names for fetching, and the letters that it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.letters: set[str] = set()
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.inside = tag
        if tag == "link" and (values.get("rel") or "") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.addresses.add(values.get("href") or "")
        if tag in ("script", "img") and values.get("src"):
            self.addresses.add(values["src"] or "")
        if tag == "use":
            self.addresses.add((values.get("href") or "").partition("#")[0])

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.letters |= set(data)


Weigh = Callable[[str], tuple[int, bytes]]


def in_folder(address: str) -> tuple[int, bytes]:
    """Compressed as whitenoise does beforehand: the bytes on the wire, and the content."""
    found = finders.find(address.removeprefix(settings.STATIC_URL))
    assert found, f"{address} is nowhere in static/"
    content = Path(found).read_bytes()
    return len(content if address.endswith(READY) else gzip.compress(content, 9)), content


def served(client: Any) -> Weigh:
    """As the house serves it."""

    def weigh(address: str) -> tuple[int, bytes]:
        response = client.get(address, headers={"Accept-Encoding": "gzip"}, HTTP_HOST="localhost")
        sent = b"".join(response)
        assert response.status_code == 200, address
        is_packed = response.headers.get("Content-Encoding") == "gzip"
        return len(sent), gzip.decompress(sent) if is_packed else sent

    return weigh


def first_load(client: Any, url: str, *, weigh: Weigh = in_folder) -> dict[str, int]:
    """Bytes on the wire by address: the page, its styles, scripts, pictures and the fonts that its letters need."""
    response = client.get(url, headers={"Accept-Encoding": "gzip"}, HTTP_HOST="localhost")
    assert response.status_code == 200 and response.headers["Content-Encoding"] == "gzip"
    page = _Page()
    page.feed(gzip.decompress(response.content).decode())
    weights, waiting = {url: len(response.content)}, [a for a in page.addresses if a]
    while waiting:
        address = waiting.pop()
        if address in weights:
            continue
        weights[address], content = weigh(address)
        if address.endswith(".css"):
            waiting += [urljoin(address, found) for found in _styles(content.decode(), page.letters)]
        if address.endswith(".js"):
            waiting += [urljoin(address, found) for found in IMPORT.findall(content.decode())]
    return weights


def _styles(css: str, letters: set[str]) -> list[str]:
    """What a stylesheet makes the browser fetch: upright fonts of the letters shown, and pictures."""
    faces = [face for face in FONT_FACE.findall(css) if "italic" not in face and _is_needed(face, letters)]
    rest = FONT_FACE.sub("", css)
    return [found for text in (*faces, rest) for found in URL.findall(text) if not found.startswith("data:")]


def _is_needed(face: str, letters: set[str]) -> bool:
    spans = [(int(low, 16), int(high or low, 16)) for low, high in RANGE.findall(face)]
    return not spans or any(low <= ord(letter) <= high for letter in letters for low, high in spans)
