"""Mail until a server is configured: each one a file, and in the terminal what somebody is waiting for."""

import sys
from collections.abc import Sequence
from typing import Any

from django.core.mail.backends import filebased

# What a daily or immediate notice bears: nobody waits for it, and a terminal full of them hides everything else.
UNASKED = "List-Unsubscribe"


class EmailBackend(filebased.EmailBackend):
    """Files, and resets and invitations in the terminal as well, with their links."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        sent: int = super().send_messages(email_messages)
        for message in email_messages:
            if UNASKED not in message.extra_headers:
                sys.stdout.write(f"Mail to {', '.join(message.to)}: {message.subject}\n{message.body}\n\n")
        sys.stdout.flush()
        return sent
