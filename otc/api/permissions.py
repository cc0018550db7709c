"""May this token do that? The role's row of the action table, and the token's own scopes."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from otc.api.auth import MISSING


def needed_scope(method: str) -> str:
    """`read` for what changes nothing, else `write`."""
    return "read" if method in SAFE_METHODS else "write"


class RoleAndScope(BasePermission):
    """A view names an action per method (`actions`); a method with a handler and no action is a mistake of ours."""

    def has_permission(self, request: Request, view: Any) -> bool:
        tenant = getattr(request._request, "tenant", None)
        if tenant is None or request.auth is None:
            raise NotAuthenticated(MISSING)
        method = str("GET" if request.method == "HEAD" else request.method)
        if not hasattr(view, method.lower()):
            return True  # answered as 405
        action = view.actions.get(method)
        if action is None:
            raise ImproperlyConfigured(f"{type(view).__name__} names no action for {method}")
        if needed_scope(method) not in tenant.scopes:
            raise PermissionDenied(f"This token lacks the scope “{needed_scope(method)}”.")
        if not tenant.may(action):
            raise PermissionDenied(f"The role {tenant.person.role} may not {action.replace('_', ' ')}.")
        return True
