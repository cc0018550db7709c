"""A house of its own that is knocked about: every process killed by -9, the broker flushed, the database crashed."""
