"""The palette's answers: a fragment while one types, a page of its own without script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.find.report import LONGEST_TEXT, find_report


@page("view_deals")
def find(request: HttpRequest, slug: str) -> HttpResponse:
    """`/find/?q=`: pages, doings, deals, accounts, people and terms."""
    text = request.GET.get("q", "").replace("\x00", "")[:LONGEST_TEXT]
    context = {"page_title": "Find", "text": text, "groups": find_report(tenant_of(request), text)}
    template = "pipeline/find/find.html"
    return render(request, f"{template}#found" if getattr(request, "htmx", False) else template, context)
