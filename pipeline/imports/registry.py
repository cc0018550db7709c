"""Every kind of file that can be imported, by name, in the order in which an export is best brought in."""

from otc.imports.kinds import Kind
from otc.imports.people import People
from pipeline.imports.accounts import Accounts
from pipeline.imports.activities import Activities
from pipeline.imports.history import History
from pipeline.imports.opportunities import Opportunities
from pipeline.imports.products import Products

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (People(), Accounts(), Products(), Opportunities(), History(), Activities())
}
