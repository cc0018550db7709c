"""The real site with one more door, through which the storm asks for work: gunicorn's `tests.storm.web`."""

import json
import os
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.http import HttpRequest, HttpResponse  # noqa: E402  they need a set-up Django
from django.urls import path  # noqa: E402  as above
from django.views.decorators.csrf import csrf_exempt  # noqa: E402  as above

from otc import urls  # noqa: E402  as above
from otc.tenancy.context import use  # noqa: E402  as above
from tests.storm.counting import ask  # noqa: E402  as above


@csrf_exempt
def asked(request: HttpRequest) -> HttpResponse:
    content = json.loads(request.body)
    organization_id = UUID(content["organization"])
    with use(organization_id, channel="ui"):
        number = ask(organization_id, [UUID(deal) for deal in content["deals"]], how=content["how"])
    return HttpResponse(str(number))


urls.urlpatterns.append(path("storm", asked))
