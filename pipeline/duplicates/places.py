"""Where does an account stand in its group once it took in another? Never below itself."""

from uuid import UUID

from pipeline.accounts.hierarchy import is_below
from pipeline.accounts.models import Account


def place_of(kept_id: UUID, gone_id: UUID, *, wanted: UUID | None, gone_parent: UUID | None) -> UUID | None:
    """The parent of the account that stays: the one wanted, unless that would close a circle.

    One that stands below what goes takes its place; one above it keeps its own parent.
    """
    if is_below(kept_id, gone_id):
        return gone_parent
    if wanted in (kept_id, gone_id) or (wanted is not None and is_below(wanted, kept_id)):
        own: UUID | None = Account.everything.values_list("parent_id", flat=True).get(id=kept_id)
        return own
    # What hangs below the one that goes will hang below the one that stays.
    return None if wanted is not None and is_below(wanted, gone_id) else wanted
