"""The simulated organization: 24 months in pure Python, the same for the same seed and day."""
