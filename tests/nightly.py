"""Is this a run that may take its time? `make nightly` says so; the guards then try everything they can."""

import os

IS_NIGHTLY = os.environ.get("OTC_NIGHTLY") == "1"
