"""What no template may do, found in its text."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"


def test_no_template_shows_a_variable_that_django_itself_sets_there():
    """Inside of a block `block` is the block: a view's value of that name would be lost without a word."""
    shown = re.compile(r"\{\{\s*block\s*[|}]")
    assert not [str(one) for one in TEMPLATES.rglob("*.html") if shown.search(one.read_text())]
