"""What stands on every page, written once: the shell cost as much as fifty rows while each of its lines was a tag."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django import template
from django.template import Engine
from django.templatetags.static import static
from django.utils.safestring import SafeString

from otc.ui.context import NavItem
from otc.ui.controls import Choice
from otc.ui.templatetags.otc_ui import icon, key

register = template.Library()

# In the order of the cascade.
SHEETS = (
    "vendor/inter.css",
    "css/tokens.css",
    "css/base.css",
    "css/shell.css",
    "css/controls.css",
    "css/menu.css",
    "css/palette.css",
    "css/panel.css",
    "css/table.css",
    "css/form.css",
    "css/chart.css",
    "css/board.css",
    "css/deal.css",
    "css/entrance.css",
    "css/account.css",
    "css/narrow.css",
    "css/narrow-table.css",
    "css/grid.css",
    "css/print.css",
)
MODULES = (
    "csrf",
    "theme-switch",
    "keys",
    "rows",
    "cell-edit",
    "toast",
    "menu",
    "filter",
    "limits",
    "palette",
    "tabs",
    "undo-place",
)
USER_MENU = "ui/user_menu.html"


@register.simple_tag
@lru_cache(maxsize=1)
def stylesheets() -> SafeString:
    """The links to SHEETS."""
    return SafeString("\n  ".join(f'<link rel="stylesheet" href="{static(path)}">' for path in SHEETS))


@register.simple_tag
@lru_cache(maxsize=1)
def modules() -> SafeString:
    """The scripts that every page of an organization loads."""
    return SafeString(
        "\n  ".join(f'<script type="module" src="{static(f"js/{name}.js")}"></script>' for name in MODULES)
    )


@register.simple_tag
def menu_choices(choices: Sequence[Choice]) -> SafeString:
    """The links of a menu, the current one marked, people below a manager indented."""
    return SafeString("\n".join(_choice(choice) for choice in choices))


def _choice(choice: Choice) -> str:
    depth = f' class="depth-{choice.depth}"' if choice.depth else ""
    current = ' aria-current="true"' if choice.is_current else ""
    hint = f'<span class="menu-hint">{escape(choice.hint)}</span>' if choice.hint else ""
    return f'<a href="{escape(choice.href)}"{depth}{current}>{escape(choice.label)}{hint}</a>'


@register.simple_tag
def nav_list(items: Sequence[NavItem]) -> SafeString:
    """The places of a group in the sidebar, each with the key that goes there."""
    return SafeString(
        "".join(
            f"<li>{_place(item, item.place.label, f' data-go="{item.place.go_key}"')}</li>" for item in items
        )
    )


@register.simple_tag
def nav_links(items: Sequence[NavItem]) -> SafeString:
    """The same places in the menu of the narrow tab bar."""
    return SafeString("".join(_place(item, item.place.label) for item in items))


@register.simple_tag
def tab_links(items: Sequence[NavItem]) -> SafeString:
    """The few places that stand in the narrow tab bar itself."""
    return SafeString("".join(_place(item, item.place.tab_label, size=20) for item in items))


@register.simple_tag
def nav_keys(items: Sequence[NavItem]) -> SafeString:
    """The keys of the places, for the dialog that lists all keys."""
    return SafeString(
        "".join(
            f"<div><dt>Go to {escape(item.place.label)}</dt>"
            f"<dd>{key('G')}{key(item.place.go_key.upper())}</dd></div>"
            for item in items
        )
    )


def _place(item: NavItem, label: str, more: str = "", *, size: int = 16) -> str:
    """A link with its icon; `more` is a further attribute, written here."""
    current = ' aria-current="page"' if item.is_current else ""
    return f'<a href="{escape(item.href)}"{more}{current}>{icon(item.place.icon, size)}{escape(label)}</a>'


@register.simple_tag(takes_context=True)
def user_menu(context: template.Context) -> SafeString:
    """The menu of whoever is signed in: it stands in the sidebar and in the narrow tab bar, and is drawn once."""
    drawn = context.render_context
    if USER_MENU not in drawn:
        drawn[USER_MENU] = Engine.get_default().get_template(USER_MENU).render(context)
    found: SafeString = drawn[USER_MENU]
    return found
