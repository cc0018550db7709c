"""The mails of notices and digests: what each bears, and sending one so that none leaves twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.policy import default
from smtplib import SMTPException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.template.loader import render_to_string
from django.urls import reverse

from otc.notices.stops import DIGEST, WEEKLY, stop_token
from otc.tenancy.models import Organization

# RFC 5322; longer ones are refused on the way.
LONGEST_LINE = 998


class WideMail(EmailMultiAlternatives):
    """A mail whose header lines are as long as they may be: a link that is folded or encoded is no link."""

    def message(self, *, policy: Any = default) -> Any:
        return super().message(policy=policy.clone(max_line_length=LONGEST_LINE))


class MailServerAway(RuntimeError):
    """The mail server didn't answer, so nothing has left: try again later."""


@dataclass(frozen=True)
class Letter:
    """One mail, as text and as HTML; `stop_href` ends mails of its sort without a sign-in."""

    to: str
    subject: str
    text: str
    html: str
    stop_href: str
    message_id: str


def letter(
    template: str,
    *,
    to: str,
    subject: str,
    organization: Organization,
    person_id: UUID,
    sort: str,
    key: str,
    context: Mapping[str, Any],
) -> Letter:
    """Fill `template`.txt and .html. `sort` is what its link stops; one `key` makes one Message-ID."""
    stop = settings.ADDRESS + reverse("mail_stop", args=[stop_token(organization.id, person_id, sort)])
    choices = settings.ADDRESS + reverse("notice_choices", args=[organization.slug])
    words = {
        "address": settings.ADDRESS,
        "home": f"{settings.ADDRESS}/o/{organization.slug}/",
        "organization": organization,
        "stop_href": stop,
        "choices_href": choices,
        "is_digest": sort == DIGEST,
        "is_weekly": sort == WEEKLY,
        **context,
    }
    domain = settings.ADDRESS.partition("://")[2].partition(":")[0] or "localhost"
    return Letter(
        to=to,
        subject=" ".join(subject.split())[:200],
        text=render_to_string(f"{template}.txt", words),
        html=render_to_string(f"{template}.html", words),
        stop_href=stop,
        message_id=f"<{sort}.{key}@{domain}>",
    )


def letter_send(one: Letter) -> None:
    """Hand it to the mail server.

    Raises MailServerAway where that didn't even answer; whatever goes wrong later is raised as it comes, and the
    mail may have left.
    """
    server = mailers.default
    try:
        server.open()
    except (OSError, SMTPException) as problem:
        raise MailServerAway(str(problem)) from problem
    headers = {
        "Message-ID": one.message_id,
        "List-Unsubscribe": f"<{one.stop_href}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    mail = WideMail(one.subject, one.text, None, [one.to], headers=headers)
    mail.attach_alternative(one.html, "text/html")
    try:
        server.send_messages([mail])
    finally:
        server.close()
