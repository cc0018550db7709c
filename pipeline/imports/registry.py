"""Every kind of file that can be imported, by name, in the order in which an export is best brought in."""

from pathlib import Path
from typing import Any

from otc.imports.kinds import Kind
from otc.imports.people import People
from otc.imports.presets import read_presets
from otc.imports.rates import Rates
from otc.tenancy.models import Person
from pipeline.accounts.models import Account, Contact
from pipeline.activities.models import Activity
from pipeline.imports.accounts import Accounts
from pipeline.imports.activities import Activities
from pipeline.imports.contacts import Contacts
from pipeline.imports.history import History
from pipeline.imports.leads import Leads
from pipeline.imports.opportunities import Opportunities
from pipeline.imports.products import Products
from pipeline.leads.models import Lead
from pipeline.opportunities.models import Opportunity, Product

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Rates(),
        People(),
        Accounts(),
        Contacts(),
        Products(),
        Leads(),
        Opportunities(),
        History(),
        Activities(),
    )
}
# The record that a row of a kind is about, where it is one.
MODELS: dict[str, Any] = {
    "people": Person,
    "accounts": Account,
    "contacts": Contact,
    "products": Product,
    "leads": Lead,
    "opportunities": Opportunity,
    "activities": Activity,
}
# What the exports of other systems look like.
PRESETS = read_presets(Path(__file__).parent / "presets")
