"""What every endpoint is made of: who may, what came in, and a list's answer."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from otc.question import PAST_IS_READ
from otc.tenancy.middleware import Tenant


class Endpoint(APIView):
    """`actions` says which action of the role table each method needs; see otc.api.permissions."""

    actions: ClassVar[dict[str, str]] = {}

    @property
    def tenant(self) -> Tenant:
        tenant: Tenant = self.request._request.tenant  # type: ignore[attr-defined]  # set by the middleware
        return tenant

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The past can't be edited: an address that says as of when is refused to whoever writes."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and "as_of" in request.query_params:
            raise ValidationError({"as_of": [PAST_IS_READ]})

    def parameters(
        self, kind: type[serializers.Serializer], *, beside: Callable[[str], bool] | None = None
    ) -> dict[str, Any]:
        """The query's values, checked by `kind`; 400 names each wrong one. `beside` says which names the endpoint
        reads itself.
        """
        query = self.request.query_params
        if beside is None or not any(beside(name) for name in query):
            return self._checked(kind, query)
        own = query.copy()
        for name in [name for name in query if beside(name)]:
            del own[name]
        return self._checked(kind, own)

    def content(self, kind: type[serializers.Serializer], *, partial: bool = False) -> dict[str, Any]:
        """The body's values, checked by `kind`; with `partial` only those that were sent."""
        return self._checked(kind, self.request.data, partial=partial)

    def _checked(
        self, kind: type[serializers.Serializer], data: Any, *, partial: bool = False
    ) -> dict[str, Any]:
        checked = kind(data=data, partial=partial, context={"tenant": self.tenant})
        checked.is_valid(raise_exception=True)
        values: dict[str, Any] = checked.validated_data
        return values


class Nothing(Endpoint):
    """Every address of the API that leads nowhere: 401 without a token, else the one not-found answer."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.perform_authentication(request)
        self.check_permissions(request)
        raise NotFound
