"""The demo in the database: it writes tables of every package, so it lives in the topmost."""
