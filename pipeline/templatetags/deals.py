"""Small marks that only pages of deals draw."""

import datetime as dt

from django import template
from django.utils.safestring import SafeString

from otc.ui import format as fmt
from otc.ui.charts import bars

register = template.Library()


@register.simple_tag
def share_bar(share: float | None) -> SafeString:
    """A share of 0..1 on a small track; its number stands beside it."""
    return bars.small_bar(share or 0.0)


@register.filter
def shortly(moment: dt.datetime, today: dt.date) -> str:
    """“Wed 18:22” within eight days, else “12 Nov”, with the year when it is not this one."""
    day = moment.date()
    if abs((today - day).days) <= fmt.NEAR_DAYS:
        return f"{fmt.weekday(day)} {moment:%H:%M}"
    return fmt.day(day, today=today)
