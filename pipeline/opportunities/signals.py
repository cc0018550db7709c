"""How the pipeline speaks up to the packages above: by signals, sent inside the transaction of what they tell."""

from django.dispatch import Signal

# Sent with opportunity_id (uuid) and outcome (won, lost, no_decision).
opportunity_closed = Signal()

# Sent with opportunity_id (uuid) once a deal's health and risk follow its last edits.
deal_scored = Signal()
