"""The mail that carries an invitation's link."""

import logging
from smtplib import SMTPException

from django.core.mail import send_mail
from django.template.loader import render_to_string

from otc.tenancy.models import Organization, Person

log = logging.getLogger(__name__)


def invitation_mail(
    email: str, *, link: str, person: Person, inviter: Person, organization: Organization
) -> bool:
    """Send it now, as its link is kept nowhere; False where the mail server didn't take it."""
    subject = " ".join(f"{inviter.name} invites you to {organization.name}".split())
    context = {"link": link, "person": person, "inviter": inviter, "organization": organization}
    text = render_to_string("otc/identity/mail/invitation.txt", context)
    try:
        send_mail(subject, text, None, [email])
    except (OSError, SMTPException):
        log.exception("an invitation was not mailed")
        return False
    return True
