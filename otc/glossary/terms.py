"""What does a word or a number mean here? One sentence each; the glossary page and every "?" show the same."""

from otc.glossary.sections.flow import FLOW
from otc.glossary.sections.forecast import FORECAST
from otc.glossary.sections.learning import LEARNING
from otc.glossary.sections.pipeline import PIPELINE
from otc.glossary.sections.time import TIME
from otc.glossary.sections.words import WORDS
from otc.glossary.term import Term

SECTIONS = (WORDS, TIME, PIPELINE, FLOW, FORECAST, LEARNING)
TERMS: dict[str, Term] = {term.key: term for section in SECTIONS for term in section.terms}
