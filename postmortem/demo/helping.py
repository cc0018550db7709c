"""How a helping process begins. Nothing here may import Django: it isn't set up yet when this is read."""

from __future__ import annotations

import pickle


def start(pickled: bytes) -> None:
    """Set Django up, then take over the company and its ground."""
    import django

    django.setup()
    from postmortem.demo.histories import help_with

    help_with(*pickle.loads(pickled))
