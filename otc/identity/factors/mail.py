"""The mail that tells somebody that their second factors are gone."""

from django.core.mail import send_mail
from django.template.loader import render_to_string

from otc.identity.factors.queries import ToldReset

SUBJECT = "Your second factors were removed"


def reset_mail(told: ToldReset) -> None:
    """Send it; raises what the mail server's client raises. It bears no link: who signs in knows the way."""
    moment = f"{told.at.astimezone(told.zone):%A, %-d %B %Y, %H:%M} ({told.zone.key})"
    text = render_to_string("otc/identity/mail/factors_reset.txt", {"told": told, "moment": moment})
    send_mail(SUBJECT, text, None, [told.email])
