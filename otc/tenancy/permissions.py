"""Who may do what: one table from role to actions, for pages and API alike."""

from otc.tenancy.models import Role

READ = {"view_deals", "view_accounts", "view_inspection", "view_forecast", "view_winloss"}
WRITE = {"create_deal", "edit_deal", "close_deal", "mark_milestone", "log_activity", "edit_account"}
OWN = {"use_pages", "manage_own_tokens"}

ACTIONS: dict[str, frozenset[str]] = {
    Role.REP: frozenset(READ | WRITE | OWN),
    Role.MANAGER: frozenset(READ | WRITE | OWN),
    Role.EXECUTIVE: frozenset(READ | WRITE | OWN),
    Role.ADMINISTRATOR: frozenset(READ | WRITE | OWN | {"view_settings", "manage_people", "manage_tokens"}),
    Role.INTEGRATION: frozenset(READ | WRITE),
}
SEES_EVERYTHING = frozenset({Role.EXECUTIVE, Role.ADMINISTRATOR, Role.INTEGRATION})


def may(role: str, action: str) -> bool:
    """Whether the role's row of the table holds `action`; an unknown role may nothing."""
    return action in ACTIONS.get(role, frozenset())
