"""Every place of the house where an id can be put, found in the resolver, the API's schema and the pages themselves."""

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls.converters import UUIDConverter

from otc.api.schema import schema_text
from otc.tenancy.context import use
from otc.tenancy.fields import TenantModel
from tests.conftest import House
from tests.guards.routes import MODEL_OF, Route, page_routes, real_values
from tests.nightly import IS_NIGHTLY

ID = "{id}"
LOOKS_LIKE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What differs between two answers without saying anything: tokens against forged forms.
SAYS_NOTHING = re.compile(rb'(name="csrf[^>]*(?:value|content)="|"X-CSRFToken": ?")[^"]*"')
# Names of ids that aren't the name of their model, beside those of the routes.
MODELS = MODEL_OF | dict.fromkeys(
    ("owner", "manager", "scope", "person", "user", "report", "delegate"), "person"
)
TENANT_MODELS = {
    model._meta.model_name: model for model in apps.get_models() if issubclass(model, TenantModel)
}


@dataclass(frozen=True)
class Position:
    """A request with `{id}` where the id goes: in the address, the form or the body; `name` is what it is called."""

    method: str
    address: str
    name: str
    data: Any = None
    is_api: bool = False

    def __str__(self) -> str:
        where = f" {json.dumps(self.data)}" if self.data else ""
        return f"{self.method} {self.address}{where}"

    @property
    def kind(self) -> str:
        """The model that the name means; a person where it means none that is known."""
        noun = self.name.removesuffix("_id").removesuffix("_ids")
        name = MODELS.get(noun, noun.replace("_", ""))
        return name if name in TENANT_MODELS else "person"

    def ask(self, client: Client, given: UUID) -> Any:
        url, data = filled(self.address, given), filled(self.data, given)
        if self.method in ("GET", "DELETE"):
            return getattr(client, self.method.lower())(url)
        if self.is_api:
            return getattr(client, self.method.lower())(url, data=data or {}, content_type="application/json")
        return client.post(url, data or {})


def filled(value: Any, given: UUID) -> Any:
    if isinstance(value, str):
        return value.replace(ID, str(given))
    if isinstance(value, Mapping):
        return {name: filled(inner, given) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, given) for inner in value]
    return value


# Pages


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


class Sights(HTMLParser):
    """The forms of a page, and the parameters of its links that hold ids."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.asked: set[str] = set()
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in parse_qsl(urlsplit(given.get("href", "")).query):
            if LOOKS_LIKE_ID.fullmatch(value):
                self.asked.add(name)
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").upper()))
        elif tag == "select":
            self._select = given.get("name", "")
        elif self.forms and tag in ("input", "option", "textarea", "button"):
            self._field(
                given.get("name") or (self._select if tag == "option" else ""), given.get("value", "")
            )

    def _field(self, name: str, value: str) -> None:
        if name and name != "csrfmiddlewaretoken":
            form = self.forms[-1]
            form.fields[name] = form.fields.get(name) or value
            if LOOKS_LIKE_ID.fullmatch(value):
                form.ids.add(name)


def address_positions(house: House) -> Iterator[Position]:
    """Parts of pages' addresses."""
    for route in page_routes():
        values = real_values(route, house=house)
        for part, kind in route.parts.items():
            if isinstance(kind, UUIDConverter):
                address = route.url({**values, part: ID})
                yield Position("GET", address, part)
                yield Position("POST", address, part)


def seen_positions(house: House, browser: Client, pages: Iterable[Route] | None = None) -> Iterator[Position]:
    """Parameters that some page links with an id, fields of forms that hold or offer ids; of all pages, or of some.

    A parameter that only other pages link is tried on one page in eighteen, each time on others than its neighbour;
    OTC_NIGHTLY=1 tries it on all.
    """
    plain: dict[str, set[str]] = {}
    asked = {"scope", "person", "account_id", "stage_id", "subject_id"}
    for route in page_routes() if pages is None else pages:
        values = real_values(route, house=house)
        url = route.url(values)
        answer = browser.get(url)
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            sights = Sights()
            sights.feed(answer.content.decode())
            asked |= sights.asked
            if not route.parts:
                plain[url] = sights.asked
            for form in sights.forms:
                yield from form_positions(form, url)
    for turn, (url, own) in enumerate(plain.items()):
        for place, name in enumerate(sorted(asked)):
            if IS_NIGHTLY or name in own or (turn + place) % 18 == 0:
                yield Position("GET", f"{url}?{name}={ID}", name)


def form_positions(form: Form, url: str) -> Iterator[Position]:
    if form.method == "POST":
        for name in sorted(form.ids):
            yield Position("POST", form.action or url, name, {**form.fields, name: ID})


# The API


def api_positions(house: House) -> Iterator[Position]:
    """Every parameter and every property of a body, by the schema, that is an id or may be taken for one."""
    schema = json.loads(schema_text())
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            parts = [each["name"] for each in parameters if each["in"] == "path"]
            own = {part: str(own_id(house, part)) for part in parts}
            body = body_of(operation, schema, house)
            for part in parts:
                yield Position(method.upper(), path.format(**{**own, part: ID}), part, minimal(body), True)
            if method == "get":
                for each in parameters:
                    if each["in"] == "query" and is_id(each["schema"], each["name"]):
                        yield Position(
                            "GET", f"{path.format(**own)}?{each['name']}={ID}", each["name"], None, True
                        )
            for name, given in body.items():
                if given.is_id:
                    data = {**minimal(body), name: [ID] if given.is_list else ID}
                    yield Position(method.upper(), path.format(**own), name, data, True)


@dataclass(frozen=True)
class Property:
    """A property of a body: an example that passes, whether it must be there, whether it is an id or a list of ids."""

    example: Any
    is_required: bool
    is_id: bool
    is_list: bool = False


def body_of(operation: Mapping[str, Any], schema: Mapping[str, Any], house: House) -> dict[str, Property]:
    content = operation.get("requestBody", {}).get("content", {})
    shape = resolved(content.get("application/json", {}).get("schema", {}), schema)
    required = shape.get("required", [])
    found = {}
    for name, described in shape.get("properties", {}).items():
        inner = resolved(described, schema)
        is_list = inner.get("type") == "array"
        item = resolved(inner.get("items", {}), schema) if is_list else inner
        example = example_of(item, name, house)
        found[name] = Property(
            [example] if is_list else example, name in required, is_id(item, name), is_list
        )
    return found


def minimal(body: Mapping[str, Property]) -> dict[str, Any]:
    return {name: given.example for name, given in body.items() if given.is_required}


def resolved(shape: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The shape behind references and choices; of several the first."""
    if "$ref" in shape:
        return resolved(schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]], schema)
    for several in ("allOf", "oneOf", "anyOf"):
        if several in shape:
            return {**shape, **resolved(shape[several][0], schema)}
    return dict(shape)


def is_id(shape: Mapping[str, Any], name: str) -> bool:
    is_text = shape.get("type") == "string" and "enum" not in shape and "format" not in shape
    return shape.get("format") == "uuid" or (is_text and name in ("scope", "person"))


def example_of(shape: Mapping[str, Any], name: str, house: House) -> Any:
    if shape.get("format") == "uuid":
        return str(own_id(house, name))
    if shape.get("enum"):
        return shape["enum"][0]
    by_format = {"date": "2026-11-20", "date-time": "2026-11-20T10:00:00Z"}
    by_type = {"integer": 1, "number": 1, "boolean": False, "object": {}, "array": []}
    return by_format.get(shape.get("format", ""), by_type.get(shape.get("type", ""), "Example"))


def own_id(house: House, name: str) -> UUID:
    kind = Position("GET", "", name).kind
    with use(house.organization.id):
        return some_id(kind)


# Ids, sums and answers


def some_id(kind: str) -> UUID:
    rows: Any = TENANT_MODELS[kind].objects.order_by("id")
    if kind == "opportunity":
        rows = rows.filter(outcome__isnull=True)
    found: UUID = rows.values_list("id", flat=True)[0]
    return found


def ids_of(house: House) -> dict[str, UUID]:
    """One id of every kind of the house's things."""
    with use(house.organization.id):
        return {kind: some_id(kind) for kind in TENANT_MODELS}


TABLES = frozenset(model._meta.db_table for model in TENANT_MODELS.values()) | {"otc_organization"}


def rows_written() -> dict[str, int]:
    """How often this transaction wrote a row of each table, whosever it is and whatever was taken back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables "
            "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return dict(cursor.fetchall())


def sums_of(house: House, tables: Collection[str] = TABLES) -> dict[str, str]:
    """A checksum of the tables' rows of the house."""
    if not tables:
        return {}
    each = " UNION ALL ".join(
        f"SELECT '{table}', coalesce(md5(string_agg(t::text, '' ORDER BY t.id)), '') FROM \"{table}\" t"
        for table in sorted(tables)
    )
    with use(house.organization.id), connection.cursor() as cursor:
        cursor.execute(each)
        return dict(cursor.fetchall())


def content_of(response: Any) -> bytes:
    body: bytes = b"".join(response) if response.streaming else response.content
    return SAYS_NOTHING.sub(b"", body)


@dataclass(frozen=True)
class Answer:
    """What is compared: status, place it leads to, body; the id that was sent taken out."""

    status: int
    location: str
    body: bytes


def difference(one: Answer, other: Answer) -> str:
    """Where two answers part."""
    if (one.status, one.location) != (other.status, other.location):
        return f"{one.status} {one.location} and {other.status} {other.location}"
    pairs = zip(one.body, other.body, strict=False)
    start = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one.body), len(other.body)))
    return (
        f"{one.body[max(start - 60, 0) : start + 60]!r} and {other.body[max(start - 60, 0) : start + 60]!r}"
    )


UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
INSTANT_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def without_the_new(text: str, *, since: float) -> str:
    """The text without ids and instants made by the request itself: each request has its own. `since` is in seconds."""

    def id_or_new(found: re.Match[str]) -> str:
        made = int(found[0].replace("-", "")[:12], 16) / 1000
        return "new" if made >= since - 0.002 else found[0]

    def instant_or_now(found: re.Match[str]) -> str:
        return "now" if datetime.fromisoformat(found[0]).timestamp() >= since else found[0]

    return INSTANT_TEXT.sub(instant_or_now, UUID_TEXT.sub(id_or_new, text))


class Prober:
    """Asks as somebody of one house for things of the other; whatever a request does is taken back."""

    def __init__(self, theirs: House, canaries: set[str]) -> None:
        self.theirs, self.ids = theirs, ids_of(theirs)
        self.canaries = {word.encode() for word in canaries} | {
            str(known).encode() for known in self.ids.values()
        }
        self.before = sums_of(theirs)
        self.missed: set[Answer] = set()

    def faults(self, position: Position, client: Client, kind: str) -> list[str]:
        """What the answers to a foreign id and to one that never was give away, or change."""
        missing = uuid4()
        foreign, sums = self._ask(position, client, self.ids[kind], writes=position.method != "GET")
        found = []
        # What never was belongs to nobody: asking for it changes no house. It needn't be asked for where a method
        # isn't taken, or where the answer is the one that missing things got before: that tells nothing.
        nothing = foreign
        if IS_NIGHTLY or not (foreign.status == 405 or foreign in self.missed):
            nothing, _ = self._ask(position, client, missing, writes=False)
            if nothing.status == 404:
                self.missed.add(nothing)
        if leaked := [word.decode() for word in self.canaries if word in foreign.body]:
            found.append(f"shows {leaked}")
        if foreign != nothing:
            found.append(f"tells a foreign {kind} from a missing one: {difference(foreign, nothing)}")
        if foreign.status >= 500:
            found.append(f"answers {foreign.status}")
        if changed := [table for table, now in sums.items() if self.before[table] != now]:
            found.append(f"changes {changed}")
        return [f"{position}: {fault}" for fault in found]

    def _ask(
        self, position: Position, client: Client, given: UUID, *, writes: bool
    ) -> tuple[Answer, dict[str, str]]:
        # A message that one page left is shown on the next: no answer may depend on the one before.
        client.cookies.pop("messages", None)
        started = time.time()
        with transaction.atomic():
            before = rows_written() if writes else {}
            response = position.ask(client, given)
            body = content_of(response).replace(str(given).encode(), b"-").replace(given.hex.encode(), b"-")
            body = without_the_new(body.decode(errors="surrogateescape"), since=started).encode(
                errors="surrogateescape"
            )
            location = response.headers.get("Location", "").replace(str(given), "-")
            location = without_the_new(location, since=started)
            written = rows_written() if writes else {}
            sums = sums_of(self.theirs, {name for name in TABLES if written.get(name) != before.get(name)})
            transaction.set_rollback(True)
        return Answer(response.status_code, location, body), sums
