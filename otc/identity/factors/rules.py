"""Second factors in words."""

from collections import Counter
from collections.abc import Iterable

WORDS = {
    "totp": ("authenticator app", "authenticator apps"),
    "webauthn": ("passkey", "passkeys"),
    "recovery_codes": ("recovery codes", "recovery codes"),
}


def factor_words(kinds: Iterable[str]) -> str:
    """Kinds as they are stored, told in the order of the account page; empty where there are none.

    >>> factor_words(["recovery_codes", "totp", "webauthn", "webauthn"])
    'authenticator app, 2 passkeys and recovery codes'
    """
    counts = Counter(kinds)
    parts = [
        WORDS[kind][0] if counts[kind] == 1 else f"{counts[kind]} {WORDS[kind][1]}"
        for kind in WORDS
        if counts[kind]
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
