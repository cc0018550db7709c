"""Who may do what: one table of actions and the roles that have them, for pages and API alike.

A page names one action (`@page("view_deals")`), an endpoint one per method; both are refused without it. The
Roles page in the settings draws this table, and a guard tries every address against it.
"""

from dataclasses import dataclass

from otc.tenancy.models import Role

DEALS, REPORTS, SETTINGS, OWN = "Deals and accounts", "Reports", "Settings", "One's own"

EVERYBODY = frozenset(Role)
WRITERS = EVERYBODY - {Role.OPERATIONS}
# Whoever signs in; an integration only has tokens.
VISITORS = EVERYBODY - {Role.INTEGRATION}
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
SETTINGS_READERS = ADMINISTRATORS | {Role.OPERATIONS}
# Whoever leads people or decides for them.
LEADERS = frozenset({Role.MANAGER, Role.EXECUTIVE, Role.ADMINISTRATOR, Role.INTEGRATION})
# Who may stand in for a manager: whoever signs in and may edit. Revenue operations edits nothing, not even so.
STANDS_IN = WRITERS & VISITORS


@dataclass(frozen=True)
class Action:
    """A row of the table. `meaning` completes “may …” in words that the Roles page shows."""

    key: str
    group: str
    meaning: str
    roles: frozenset[Role]


TABLE = (
    Action("view_deals", DEALS, "See deals, their history and their board, and download them", EVERYBODY),
    Action("view_accounts", DEALS, "See accounts and their people", EVERYBODY),
    Action("create_deal", DEALS, "Add deals", WRITERS),
    Action("edit_deal", DEALS, "Change, delete and restore deals", WRITERS),
    Action("close_deal", DEALS, "Close deals as won, lost or no decision, and reopen them", WRITERS),
    Action("mark_milestone", DEALS, "Mark milestones as met or waived", WRITERS),
    Action("share_close_plan", DEALS, "Share a deal’s close plan with the buyer by links", WRITERS),
    Action("log_activity", DEALS, "Log calls, meetings and mails", WRITERS),
    Action("comment_deal", DEALS, "Comment on deals and mention colleagues there", WRITERS),
    Action("edit_team", DEALS, "Add people to a deal’s team and take them off", WRITERS),
    Action("edit_splits", DEALS, "Split a deal between people", LEADERS),
    Action("edit_account", DEALS, "Add and change accounts and their people", WRITERS),
    Action("view_leads", DEALS, "See leads, and what became of them by source", EVERYBODY),
    Action("edit_lead", DEALS, "Add leads, make deals of them, or send them back", WRITERS),
    Action("merge_duplicates", DEALS, "Merge duplicates, say what is none, and take either back", WRITERS),
    Action("view_inspection", REPORTS, "See inspection and flow, and download them", EVERYBODY),
    Action("view_health", REPORTS, "See health and integrity of deals, and download them", EVERYBODY),
    Action("view_forecast", REPORTS, "See the forecast, and download it", EVERYBODY),
    Action("submit_call", REPORTS, "Submit a call: the number that one expects of a period", WRITERS),
    Action("adjust_forecast", REPORTS, "Adjust the forecast: one’s own, and that of direct reports", WRITERS),
    Action(
        "manage_quotas",
        REPORTS,
        "Set quotas and ramps of everybody, one by one or as a file",
        frozenset({Role.EXECUTIVE, Role.ADMINISTRATOR, Role.INTEGRATION}),
    ),
    Action(
        "lock_period",
        REPORTS,
        "Lock a period’s calls and adjustments, and unlock it with a reason",
        frozenset({Role.EXECUTIVE, Role.ADMINISTRATOR}),
    ),
    Action(
        "manage_alerts",
        SETTINGS,
        "Keep the organization’s alerts and its webhooks",
        LEADERS | {Role.OPERATIONS},
    ),
    Action(
        "view_team", REPORTS, "See the team, and the one-to-one sheets of those who report to one", EVERYBODY
    ),
    Action("view_winloss", REPORTS, "See win/loss, and download it", EVERYBODY),
    Action("view_settings", SETTINGS, "See the settings, people and roles", SETTINGS_READERS),
    Action(
        "view_imports",
        SETTINGS,
        "See what was imported, by whom, and the rows that were refused",
        SETTINGS_READERS,
    ),
    Action("import_data", SETTINGS, "Bring files in", ADMINISTRATORS),
    Action("manage_people", SETTINGS, "Add people, change their role, manager and sign-in", ADMINISTRATORS),
    Action("manage_visibility", SETTINGS, "Choose who sees which deals", ADMINISTRATORS),
    Action("manage_delegates", SETTINGS, "Name a delegate for anybody, and take that back", ADMINISTRATORS),
    Action("manage_policy", SETTINGS, "Say what every sign-in must fulfil", ADMINISTRATORS),
    Action(
        "manage_fields", SETTINGS, "Define the custom fields of deals, accounts and people", ADMINISTRATORS
    ),
    Action("manage_process", SETTINGS, "Change the sales processes and their rules", ADMINISTRATORS),
    Action(
        "manage_fit", SETTINGS, "Say what makes a deal fit, and take versions of it again", ADMINISTRATORS
    ),
    Action(
        "manage_forecast_types",
        SETTINGS,
        "Say which forecasts there are beside that of all deals",
        ADMINISTRATORS,
    ),
    Action("manage_calendar", SETTINGS, "Change the fiscal calendar", ADMINISTRATORS),
    Action(
        "manage_rhythm",
        SETTINGS,
        "Say when calls are due, periods locked and forecasts mailed",
        ADMINISTRATORS,
    ),
    Action(
        "manage_pay",
        SETTINGS,
        "Say what is paid for what is won, and see what it comes to for everybody",
        ADMINISTRATORS,
    ),
    Action("manage_rates", SETTINGS, "Add, correct and withdraw exchange rates", ADMINISTRATORS),
    Action("manage_logo", SETTINGS, "Set the logo that buyers see", ADMINISTRATORS),
    Action(
        "manage_health", SETTINGS, "Say what failed checks of health cost, and which are made", ADMINISTRATORS
    ),
    Action("manage_notices", SETTINGS, "Say from where on a deal is big", ADMINISTRATORS),
    Action("manage_tokens", SETTINGS, "See and revoke everybody's API tokens", ADMINISTRATORS),
    Action("view_audit", SETTINGS, "See the audit and download it", SETTINGS_READERS),
    Action("use_pages", OWN, "Sign in and use the pages", VISITORS),
    Action("keep_alerts", OWN, "Keep alerts of one’s own, and see what fired", EVERYBODY),
    Action(
        "edit_one_to_one",
        OWN,
        "Write notes and agreed actions of one’s own one-to-ones, and those of people below one",
        WRITERS,
    ),
    Action("name_delegate", OWN, "Name a delegate for one’s own absence", STANDS_IN),
    Action("manage_own_tokens", OWN, "Make and revoke one's own API tokens", VISITORS),
)

# What a delegate may do for the manager's branch because the manager may: everything about deals and numbers.
DELEGATED = frozenset(action.key for action in TABLE if action.group in (DEALS, REPORTS))
ACTIONS: dict[str, frozenset[str]] = {
    role: frozenset(action.key for action in TABLE if role in action.roles) for role in Role
}
SEES_EVERYTHING = frozenset({Role.EXECUTIVE, Role.ADMINISTRATOR, Role.INTEGRATION, Role.OPERATIONS})


def may(role: str, action: str) -> bool:
    """Whether the table gives `role` the action; an unknown role may nothing."""
    return action in ACTIONS.get(role, frozenset())
