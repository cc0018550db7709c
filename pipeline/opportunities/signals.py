"""How the pipeline speaks up to the packages above: one signal, sent inside the closing transaction."""

from django.dispatch import Signal

# Sent with opportunity_id (uuid) and outcome (won, lost, no_decision).
opportunity_closed = Signal()
