"""One meaning for a word: the page, every "?" and the source agree."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.test import Client

from otc.embedded.places import CLONE
from otc.glossary.term import Term
from otc.glossary.terms import SECTIONS, TERMS

NAMED = re.compile(r"""\bterm="(\w+)"|help_on "(\w+)\"""")


@pytest.mark.parametrize(
    "term", [term for term in TERMS.values() if term.function], ids=lambda term: term.key
)
def test_the_function_that_a_term_names_exists(term: Term) -> None:
    module, _, name = term.function.rpartition(".")
    assert callable(getattr(import_module(module), name))


def test_every_key_is_said_once_and_every_see_leads_somewhere() -> None:
    assert len(TERMS) == sum(len(section.terms) for section in SECTIONS)
    assert {key for term in TERMS.values() for key in term.see} <= TERMS.keys()


def test_templates_name_terms_that_exist_and_write_no_definition_themselves() -> None:
    texts = [path.read_text() for path in Path(CLONE / "templates").rglob("*.html")]
    named = {first or second for text in texts for first, second in NAMED.findall(text)}
    assert named and named <= TERMS.keys()
    assert not [text for text in texts if re.search(r'\bhelp="', text)]


def test_the_page_shows_every_term_and_the_question_marks_the_same(house, client: Client) -> None:
    client.force_login(house.ana.user)
    page = client.get(house.url("glossary/")).content.decode()
    assert all(f'id="{key}"' in page for key in TERMS)
    inspection = client.get(house.url("inspection/")).content.decode()
    assert TERMS["open_pipeline"].text in inspection and TERMS["open_pipeline"].text in page
    assert "glossary/#open_pipeline" in inspection


def test_no_question_mark_stands_in_a_paragraph() -> None:
    """A browser ends the paragraph before what opens there, and the rest of the sentence loses its looks."""
    inside = re.compile(r"<p\b[^>]*>(?:(?!</p>).)*?{% help_on", re.DOTALL)
    assert [path.name for path in Path("templates").rglob("*.html") if inside.search(path.read_text())] == []
