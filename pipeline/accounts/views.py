"""Accounts: the list with its search, and one account with its people and deals."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from otc.question import ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.accounts.forms import AccountForm, ContactForm
from pipeline.accounts.models import Account
from pipeline.accounts.report import AccountReport, account_report, accounts_report
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import account_create, account_edit, contact_create

CONTACT_HEAD = ("id", "name", "title", "email", "phone")


@page("view_accounts")
@answers_bad_questions
def accounts(request: HttpRequest, slug: str) -> HttpResponse:
    """`/accounts/?q=`."""
    question = ask(tenant_of(request), {})
    words, after = request.GET.get("q", "")[:200].replace("\x00", ""), request.GET.get("after")
    sort = request.GET.get("sort") or "name"
    report = accounts_report(question, words=words, sort=sort, after=after)
    context = {
        "page_title": "Accounts",
        "report": report,
        "words": words,
        "sort": sort,
        "next_href": href_with(request.path, request.GET, after=report.next_cursor)
        if report.next_cursor
        else "",
        "first_href": href_with(request.path, request.GET, after=None) if after else "",
        "can_edit": tenant_of(request).may("edit_account"),
    }
    return render(request, "pipeline/accounts/accounts.html", context)


@page("edit_account")
def account_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/accounts/new/`."""
    form = AccountForm(
        request.POST if request.method == "POST" else None, initial={"name": request.GET.get("name", "")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            account = account_create(**form.cleaned_data)
        except Invalid as invalid:
            form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        else:
            messages.success(request, f"{account.name} added")
            return redirect("account", slug=slug, account_id=account.id)
    context = {"page_title": "New account", "form": form, "home": reverse("accounts", args=[slug])}
    return render(
        request, "pipeline/accounts/account_form.html", context, status=422 if form.is_bound else 200
    )


@page("view_accounts")
@answers_bad_questions
def account(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """`/accounts/<id>/`; its people as CSV with `format=csv`."""
    report = looked_up(request, account_id)
    if request.GET.get("format") == "csv":
        rows = [(str(one.id), one.name, one.title, one.email, one.phone) for one in report.contacts]
        return csv_response("contacts.csv", CONTACT_HEAD, rows)
    return render(request, "pipeline/accounts/account.html", context_of(request, report, form=ContactForm()))


def looked_up(request: HttpRequest, account_id: UUID) -> AccountReport:
    question = ask(tenant_of(request), {})
    _, since = since_instant(question, "", last_visit=None)
    report = account_report(question, account_id, since=since)
    if report is None:
        raise Http404
    return report


def context_of(request: HttpRequest, report: AccountReport, *, form: ContactForm) -> dict[str, object]:
    slug = tenant_of(request).organization.slug
    listed = reverse("deals", args=[slug])
    return {
        "page_title": report.account.name,
        "report": report,
        "account": report.account,
        "contact_form": form,
        "can_edit": False,
        "can_edit_account": tenant_of(request).may("edit_account"),
        "deals_href": href_with(listed, {}, account_id=str(report.account.id), state="any", scope="everyone"),
    }


@page("edit_account")
def account_change(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """`/accounts/<id>/edit/`."""
    found = Account.objects.filter(id=account_id).first()
    if found is None:
        raise Http404
    initial = {"name": found.name, "industry": found.industry, "country": found.country}
    form = AccountForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            account_edit(account_id, changes=form.cleaned_data)
        except Invalid as invalid:
            form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        else:
            messages.success(request, f"{form.cleaned_data['name']} saved")
            return redirect("account", slug=slug, account_id=account_id)
    home = reverse("account", args=[slug, account_id])
    context = {"page_title": f"Edit {found.name}", "form": form, "home": home, "account": found}
    return render(
        request, "pipeline/accounts/account_form.html", context, status=422 if form.is_bound else 200
    )


@page("edit_account")
def contact_new(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """POST a contact; the account's page again with what was typed where it is refused."""
    report = looked_up(request, account_id)
    if request.method != "POST":
        return redirect("account", slug=slug, account_id=account_id)
    form = ContactForm(request.POST)
    if form.is_valid():
        try:
            contact = contact_create(account_id, **form.cleaned_data)
        except Invalid as invalid:
            form.add_error(invalid.field if invalid.field in form.fields else None, invalid.reason)
        else:
            messages.success(request, f"{contact.name} added")
            return redirect("account", slug=slug, account_id=account_id)
    return render(
        request, "pipeline/accounts/account.html", context_of(request, report, form=form), status=422
    )
