"""Pages and JSON go out compressed; everything that lies in static/ is compressed beforehand by whitenoise."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED_TYPES = ("text/html", "application/json", "text/csv")


class CompressionMiddleware(GZipMiddleware):
    """Django's, with its random padding against guessing secrets by length, for what was answered in full.

    Refusals stay as they are: those of an organization that isn't yours and of one that doesn't exist are the same
    bytes. Streams stay too: what they send is to arrive when it is sent.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.status_code != 200 or response.streaming or kind not in COMPRESSED_TYPES:
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
