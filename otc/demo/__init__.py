"""The simulated organization: 24 months of a believable company, in pure Python, the same for the same seed and day."""
