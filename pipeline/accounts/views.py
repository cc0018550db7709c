"""One account with its people and deals."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.fields.queries import field_book
from otc.fields.shown import shown_fields
from otc.fields.writing import reading_of
from otc.question import ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.accounts.deletion import account_delete
from pipeline.accounts.facts import facts_of
from pipeline.accounts.forms import AccountForm, ContactForm
from pipeline.accounts.group import group_report
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.purchases import purchases_of
from pipeline.accounts.report import AccountReport, account_report
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import account_create, contact_create
from pipeline.accounts.undo import account_edit_undoably, contact_edit_undoably
from pipeline.duplicates.fresh import account_compare, contact_compare
from pipeline.duplicates.report import duplicates_of
from pipeline.fields.forms import input_of
from pipeline.plans.report import plan_report

CONTACT_HEAD = ("id", "name", "title", "email", "phone")


@page("edit_account")
def account_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/accounts/new/`."""
    form = AccountForm(
        request.POST if request.method == "POST" else None,
        initial={"name": request.GET.get("name", "")},
        **field_options(request, "account"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            account = account_create(**form.record_fields())
        except Invalid as invalid:
            blame(form, invalid)
        else:
            account_compare(account.id, now=tenant_of(request).now)
            messages.success(request, f"{account.name} added")
            return redirect("account", slug=slug, account_id=account.id)
    context = {"page_title": "New account", "form": form, "home": reverse("accounts", args=[slug])}
    return render(
        request, "pipeline/accounts/account_form.html", context, status=422 if form.is_bound else 200
    )


@page("view_accounts")
@answers_bad_questions
def account(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """`/accounts/<id>/`; its people as CSV with `format=csv`. One that was merged leads to what it became."""
    if (stands_for := account_stands_for(account_id)) is not None:
        return redirect("account", slug=slug, account_id=stands_for)
    report = looked_up(request, account_id)
    if request.GET.get("format") == "csv":
        rows = [(str(one.id), one.name, one.title, one.email, one.phone) for one in report.contacts]
        return csv_response("contacts.csv", CONTACT_HEAD, rows)
    return render(
        request, "pipeline/accounts/account.html", context_of(request, report, form=contact_form(request))
    )


def account_stands_for(account_id: UUID) -> UUID | None:
    """The account that one which was merged has become; None for one that stands."""
    found = Account.everything.filter(id=account_id, merged_into__isnull=False)
    stands_for: UUID | None = found.values_list("merged_into_id", flat=True).first()
    return stands_for


def field_options(request: HttpRequest, noun: str) -> dict[str, Any]:
    """What a form needs for its custom fields."""
    tenant = tenant_of(request)
    return {
        "book": field_book(noun, tenant.organization),
        "reading": reading_of(today=tenant.today, calendar=lambda: tenant.calendar),
    }


def contact_form(request: HttpRequest, *args: Any, **options: Any) -> ContactForm:
    return ContactForm(*args, **field_options(request, "contact"), **options)


def blame(form: AccountForm | ContactForm, invalid: Invalid) -> None:
    """Put a refusal where it belongs, on its input or above them."""
    name = input_of(invalid.field)
    form.add_error(name if name in form.fields else None, invalid.reason)


def looked_up(request: HttpRequest, account_id: UUID) -> AccountReport:
    question = ask(tenant_of(request), {})
    _, since = since_instant(question, "", last_visit=None)
    report = account_report(question, account_id, since=since)
    if report is None:
        raise Http404
    return report


def context_of(request: HttpRequest, report: AccountReport, *, form: ContactForm) -> dict[str, object]:
    organization, today = tenant_of(request).organization, tenant_of(request).today
    slug = organization.slug
    listed = reverse("deals", args=[slug])
    book = field_book("account", organization).naming([report.account.attributes])
    people = field_book("contact", organization).naming([one.attributes for one in report.contacts])
    shown = [(one, shown_fields(people, one.attributes, today=today)) for one in report.contacts]
    return {
        "own_fields": shown_fields(book, report.account.attributes, today=today),
        "untyped": facts_of(book.others(report.account.attributes)),
        "contacts": [(one, [field for field in fields if field.text]) for one, fields in shown],
        "page_title": report.account.name,
        "report": report,
        "account": report.account,
        "contact_form": form,
        "can_edit": False,
        "can_edit_account": tenant_of(request).may("edit_account"),
        "group": group_report(report.account.id, report.question),
        "purchases": purchases_of(report.account),
        "plan": plan_report(report.account.id),
        **doubles_of(request, report),
        "no_rate_href": href_with(
            listed, {}, account_id=str(report.account.id), state="any", scope="everyone", tab="no_rate"
        ),
        "deals_href": href_with(listed, {}, account_id=str(report.account.id), state="any", scope="everyone"),
    }


def doubles_of(request: HttpRequest, report: AccountReport) -> dict[str, object]:
    """What the account and its people may be the same as, for whoever may merge them."""
    tenant = tenant_of(request)
    if not tenant.may("merge_duplicates"):
        return {}
    people = [one.id for one in report.contacts]
    return {
        "doubles": duplicates_of("account", report.account.id, visible=tenant.visible),
        "people_doubles": duplicates_of("contact", *people, visible=tenant.visible),
    }


@page("edit_account")
def account_change(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """`/accounts/<id>/edit/`."""
    found = Account.objects.filter(id=account_id).first()
    if found is None:
        raise Http404
    initial = {
        "name": found.name,
        "industry": found.industry,
        "country": found.country,
        "parent": found.parent.name if found.parent else "",
        "external_id": found.external_id or "",
    }
    form = AccountForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        attributes=found.attributes,
        **field_options(request, "account"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            step_id = account_edit_undoably(account_id, changes=form.record_fields())
        except Invalid as invalid:
            blame(form, invalid)
        else:
            messages.success(
                request, f"{form.cleaned_data['name']} saved", extra_tags=undo_address(slug, step_id)
            )
            return redirect("account", slug=slug, account_id=account_id)
    home = reverse("account", args=[slug, account_id])
    context = {"page_title": f"Edit {found.name}", "form": form, "home": home, "account": found}
    context["is_account"] = True
    return render(
        request, "pipeline/accounts/account_form.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@page("edit_account")
def account_forget(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """Delete an account that nothing hangs on; else say what does and what to do."""
    found = Account.objects.filter(id=account_id).first()
    if found is None:
        raise Http404
    try:
        step_id = account_delete(account_id)
    except Invalid as invalid:
        messages.error(request, invalid.reason)
        return redirect("account", slug=slug, account_id=account_id)
    messages.success(request, f"{found.name} deleted", extra_tags=undo_address(slug, step_id))
    return redirect("accounts", slug=slug)


@page("edit_account")
def contact_new(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """POST a contact; the account's page again with what was typed where it is refused."""
    report = looked_up(request, account_id)
    if request.method != "POST":
        return redirect("account", slug=slug, account_id=account_id)
    form = contact_form(request, request.POST)
    if form.is_valid():
        try:
            contact = contact_create(account_id, **form.record_fields())
        except Invalid as invalid:
            blame(form, invalid)
        else:
            contact_compare(contact.id, now=tenant_of(request).now)
            messages.success(request, f"{contact.name} added")
            return redirect("account", slug=slug, account_id=account_id)
    return render(
        request, "pipeline/accounts/account.html", context_of(request, report, form=form), status=422
    )


@page("edit_account")
def contact_change(request: HttpRequest, slug: str, account_id: UUID, contact_id: UUID) -> HttpResponse:
    """`/accounts/<id>/contacts/<id>/`: change a person at the account."""
    found = Contact.objects.select_related("account").filter(id=contact_id, account_id=account_id).first()
    if found is None:
        raise Http404
    initial = {name: getattr(found, name) for name in ("name", "title", "email", "phone")}
    posted = request.POST if request.method == "POST" else None
    form = contact_form(request, posted, initial=initial, attributes=found.attributes)
    if request.method == "POST" and form.is_valid():
        try:
            step_id = contact_edit_undoably(contact_id, changes=form.record_fields())
        except Invalid as invalid:
            blame(form, invalid)
        else:
            messages.success(
                request, f"{form.cleaned_data['name']} saved", extra_tags=undo_address(slug, step_id)
            )
            return redirect("account", slug=slug, account_id=account_id)
    home = reverse("account", args=[slug, account_id])
    context = {"page_title": f"Edit {found.name}", "form": form, "home": home, "account": found.account}
    return render(
        request, "pipeline/accounts/account_form.html", context, status=422 if form.is_bound else 200
    )
