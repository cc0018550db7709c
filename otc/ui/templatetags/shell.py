"""What stands on every page, written once: the shell cost as much as fifty rows while each of its lines was a tag."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django import template
from django.template import Engine
from django.templatetags.static import static
from django.utils.safestring import SafeString

from otc.ui.controls import Choice

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


@register.simple_tag(takes_context=True)
def user_menu(context: template.Context) -> SafeString:
    """The menu of whoever is signed in: it stands in the sidebar and in the narrow tab bar, and is drawn once."""
    drawn = context.render_context
    if USER_MENU not in drawn:
        drawn[USER_MENU] = Engine.get_default().get_template(USER_MENU).render(context)
    found: SafeString = drawn[USER_MENU]
    return found
