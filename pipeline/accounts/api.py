"""Accounts and contacts over the API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import AttributesField, Strict
from otc.fields.queries import field_book
from otc.question import ask
from otc.tenancy.models import Organization
from otc.tenancy.services import fold
from pipeline.accounts.asked import DEALS, AccountFilter, plain
from pipeline.accounts.deletion import account_delete
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import (
    account_create,
    account_edit,
    contact_create,
    contact_delete,
    contact_edit,
)
from pipeline.duplicates.fresh import account_compare, contact_compare
from pipeline.fields.api import FieldValues, with_fields

ACCOUNT_COLUMNS = (
    "id",
    "external_id",
    "name",
    "parent_id",
    "industry",
    "country",
    "attributes",
    "created_at",
)
CONTACT_COLUMNS = (
    *("id", "external_id", "account_id", "name", "title", "email", "phone", "attributes", "created_at"),
)
NOUN_OF: dict[Any, str] = {Account: "account", Contact: "contact"}
SORTS = {"id": Sort("id", UUID), "name": Sort("name_folded", str)}

translate(Invalid, lambda refusal: refused(refusal.field, refusal.reason))


class AccountItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    parent_id = serializers.UUIDField(allow_null=True)
    industry = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    attributes = AttributesField(help_text="What an import brought under no field.")
    fields = FieldValues()  # type: ignore[assignment]  # Serializer.fields stays: its metaclass takes this away
    created_at = serializers.DateTimeField()


class NamedQuery(PageQuery):
    external_id = serializers.CharField(required=False, max_length=200)
    q = serializers.CharField(required=False, max_length=200, help_text="Words in the name.")
    sort = sort_field(SORTS, default="id")


class AccountQuery(NamedQuery):
    """The page's filters; all of them hold together, and of deals those count that you may see."""

    industry = serializers.CharField(required=False, max_length=200, help_text="As it is written.")
    country = serializers.CharField(required=False, max_length=100, help_text="As it is written.")
    deals = serializers.ChoiceField(
        tuple(DEALS),
        required=False,
        help_text="; ".join(f"{key}: {words}" for key, (words, _, _) in DEALS.items()),
    )
    owner_id = serializers.UUIDField(required=False, help_text="With a deal of this person.")


class AccountInput(Strict):
    name = serializers.CharField(max_length=300)
    external_id = serializers.CharField(required=False, max_length=200)
    parent_id = serializers.UUIDField(required=False, allow_null=True)
    industry = serializers.CharField(required=False, allow_blank=True, max_length=200)
    country = serializers.CharField(required=False, allow_blank=True, max_length=100)
    attributes = AttributesField(required=False)
    fields = FieldValues(required=False)  # type: ignore[assignment]  # as above


class AccountEdit(AccountInput):
    """Only what is sent changes."""

    name = serializers.CharField(max_length=300, required=False)


class ContactItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    account_id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    attributes = AttributesField()
    fields = FieldValues()  # type: ignore[assignment]  # as above
    created_at = serializers.DateTimeField()


class ContactQuery(NamedQuery):
    account_id = serializers.UUIDField(required=False)


class ContactEdit(Strict):
    """Only what is sent changes."""

    name = serializers.CharField(max_length=200, required=False)
    external_id = serializers.CharField(required=False, max_length=200)
    title = serializers.CharField(required=False, allow_blank=True, max_length=200)
    email = serializers.CharField(required=False, allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    attributes = AttributesField(required=False)
    fields = FieldValues(required=False)  # type: ignore[assignment]  # as above


class ContactInput(ContactEdit):
    name = serializers.CharField(max_length=200)
    account_id = serializers.UUIDField()


def found_rows(model: Any, columns: tuple[str, ...], parameters: dict[str, Any]) -> Any:
    """Rows of accounts or contacts that the filters ask for, with the column that sorts by name."""
    rows = model.objects.values(*columns, "name_folded")
    if external_id := parameters.get("external_id"):
        rows = rows.filter(external_id=external_id)
    if account_id := parameters.get("account_id"):
        rows = rows.filter(account_id=account_id)
    if words := parameters.get("q"):
        rows = rows.filter(name_folded__contains=fold(words))
    return rows


def account_filter(parameters: dict[str, Any]) -> AccountFilter:
    """Beside the words, which here stand anywhere in the name."""
    return AccountFilter(
        industry=plain(parameters, "industry"),
        country=plain(parameters, "country"),
        deals=parameters.get("deals", ""),
        owner_id=parameters.get("owner_id"),
    )


def one_item(
    model: Any, columns: tuple[str, ...], row_id: UUID, organization: Organization
) -> dict[str, Any]:
    """One account or contact with its custom fields; 404 where there is none."""
    return with_fields(one_row(model, columns, row_id), field_book(NOUN_OF[model], organization))


def one_row(model: Any, columns: tuple[str, ...], row_id: UUID) -> dict[str, Any]:
    """One account or contact; 404 where there is none."""
    row: dict[str, Any] | None = model.objects.filter(id=row_id).values(*columns).first()
    if row is None:
        raise Http404
    return row


class NamedList(Endpoint):
    """A page of accounts or contacts."""

    def page(
        self, model: Any, columns: tuple[str, ...], query: type[serializers.Serializer]
    ) -> dict[str, Any]:
        parameters = self.parameters(query)
        rows = found_rows(model, columns, parameters)
        if model is Account:
            rows = account_filter(parameters).apply(rows, ask(self.tenant, {}))
        page = keyset_page(rows, parameters=parameters, sorts=SORTS)
        book = field_book(NOUN_OF[model], self.tenant.organization)
        for row in page.rows:
            del row["name_folded"]
            with_fields(row, book)
        return paged(self.request, page)


class Accounts(NamedList):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts", "POST": "edit_account"}

    @extend_schema(
        operation_id="accounts_list",
        tags=["accounts"],
        parameters=[AccountQuery],
        responses=page_schema(AccountItem),
    )
    def get(self, request: Request) -> Response:
        """Accounts of the organization."""
        return Response(self.page(Account, ACCOUNT_COLUMNS, AccountQuery))

    @extend_schema(
        operation_id="accounts_create",
        tags=["accounts"],
        request=AccountInput,
        responses={201: AccountItem},
    )
    def post(self, request: Request) -> Response:
        """A new account."""
        fields = self.content(AccountInput)
        account = account_create(**fields)
        account_compare(account.id, now=self.tenant.now)
        location = request.build_absolute_uri(f"{request.path}/{account.id}")
        body = one_item(Account, ACCOUNT_COLUMNS, account.id, self.tenant.organization)
        return Response(body, status=201, headers={"Location": location})


class AccountDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {
        "GET": "view_accounts",
        "PATCH": "edit_account",
        "DELETE": "edit_account",
    }

    @extend_schema(operation_id="accounts_get", tags=["accounts"], responses=AccountItem)
    def get(self, request: Request, account_id: UUID) -> Response:
        """One account."""
        self.parameters(Strict)
        return Response(one_item(Account, ACCOUNT_COLUMNS, account_id, self.tenant.organization))

    @extend_schema(
        operation_id="accounts_edit", tags=["accounts"], request=AccountEdit, responses=AccountItem
    )
    def patch(self, request: Request, account_id: UUID) -> Response:
        """Change the fields that are sent."""
        one_row(Account, ("id",), account_id)
        changes = self.content(AccountEdit, partial=True)
        account_edit(account_id, changes=changes)
        return Response(one_item(Account, ACCOUNT_COLUMNS, account_id, self.tenant.organization))

    @extend_schema(operation_id="accounts_delete", tags=["accounts"], responses={204: None})
    def delete(self, request: Request, account_id: UUID) -> Response:
        """Delete an account that nothing hangs on; with deals, people or accounts below it is refused."""
        one_row(Account, ("id",), account_id)
        account_delete(account_id)
        return Response(status=204)


class Contacts(NamedList):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts", "POST": "edit_account"}

    @extend_schema(
        operation_id="contacts_list",
        tags=["accounts"],
        parameters=[ContactQuery],
        responses=page_schema(ContactItem),
    )
    def get(self, request: Request) -> Response:
        """People at the organization's accounts."""
        return Response(self.page(Contact, CONTACT_COLUMNS, ContactQuery))

    @extend_schema(
        operation_id="contacts_create",
        tags=["accounts"],
        request=ContactInput,
        responses={201: ContactItem},
    )
    def post(self, request: Request) -> Response:
        """A new contact at an account."""
        fields = self.content(ContactInput)
        contact = contact_create(fields.pop("account_id"), **fields)
        contact_compare(contact.id, now=self.tenant.now)
        location = request.build_absolute_uri(f"{request.path}/{contact.id}")
        body = one_item(Contact, CONTACT_COLUMNS, contact.id, self.tenant.organization)
        return Response(body, status=201, headers={"Location": location})


class ContactDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {
        "GET": "view_accounts",
        "PATCH": "edit_account",
        "DELETE": "edit_account",
    }

    @extend_schema(operation_id="contacts_get", tags=["accounts"], responses=ContactItem)
    def get(self, request: Request, contact_id: UUID) -> Response:
        """One contact."""
        self.parameters(Strict)
        return Response(one_item(Contact, CONTACT_COLUMNS, contact_id, self.tenant.organization))

    @extend_schema(
        operation_id="contacts_edit", tags=["accounts"], request=ContactEdit, responses=ContactItem
    )
    def patch(self, request: Request, contact_id: UUID) -> Response:
        """Change the fields that are sent."""
        one_row(Contact, ("id",), contact_id)
        changes = self.content(ContactEdit, partial=True)
        contact_edit(contact_id, changes=changes)
        return Response(one_item(Contact, CONTACT_COLUMNS, contact_id, self.tenant.organization))

    @extend_schema(operation_id="contacts_delete", tags=["accounts"], responses={204: None})
    def delete(self, request: Request, contact_id: UUID) -> Response:
        """Take a contact out; activities with them stay."""
        one_row(Contact, ("id",), contact_id)
        contact_delete(contact_id)
        return Response(status=204)
