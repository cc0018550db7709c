"""The glossary: every term with its meaning and the function that computes it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from otc.glossary.terms import SECTIONS, TERMS
from otc.ui.pages import page


@page("view_deals")
def glossary(request: HttpRequest, slug: str) -> HttpResponse:
    """`/glossary/`; each term has an anchor by its key."""
    context = {
        "page_title": "Glossary",
        "sections": SECTIONS,
        "labels": {key: term.label for key, term in TERMS.items()},
        "count": len(TERMS),
    }
    return render(request, "otc/glossary/glossary.html", context)
