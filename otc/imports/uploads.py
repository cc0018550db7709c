"""How does a file get into the house? Streamed to a private folder, counted as it comes, never held in memory.

Two pages take files, for imports and for the logo: what is sent anywhere else, or by nobody who signed in, is dropped
unread.
"""

import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from otc.embedded.places import private_folder
from otc.imports.content import largest_file_bytes, too_large
from otc.imports.names_shown import shown_name
from otc.logo import rules as logo

TAKES_FILES = re.compile(r"^/o/[^/]+/settings/(?:imports/upload|(?P<logo>logo))/$")
# Several files may come at once; more than this altogether is refused before a byte is read.
MOST_AT_ONCE = 5
STORED_NAME = re.compile(r"[0-9a-f]{32}")


def incoming_folder() -> Path:
    """Where files lie while they come; those that never ended are deleted with the strays."""
    return Path(settings.IMPORT_FOLDER) / "incoming"


class IncomingFile(TemporaryUploadedFile):
    """A file on its way in, in the private folder, deleted with the request unless it is stored."""

    def __init__(self, name: str | None, content_type: str | None, charset: str | None, extra: Any) -> None:
        private_folder(settings.IMPORT_FOLDER)
        folder = private_folder(incoming_folder())
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder)  # noqa: SIM115  the request closes it
        super(TemporaryUploadedFile, self).__init__(file, name, content_type, 0, charset, extra)


class ImportUploadHandler(TemporaryFileUploadHandler):
    """Writes each file to the private folder. `refusal` says why it stopped, in words, empty when it didn't."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.refusal = ""
        self.is_meant = False
        self.received = 0
        self.is_logo = False

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        """Look at the request before its body is read."""
        request = self.request
        taken = TAKES_FILES.match(request.path_info) if request is not None else None
        self.is_meant = taken is not None and request is not None and request.user.is_authenticated
        self.is_logo = taken is not None and taken["logo"] is not None
        if content_length > MOST_AT_ONCE * self.largest_bytes:
            self.refusal = self.too_large("What you chose")

    @property
    def largest_bytes(self) -> int:
        return logo.LARGEST_BYTES if self.is_logo else largest_file_bytes()

    def too_large(self, name: str) -> str:
        return logo.too_large(name) if self.is_logo else too_large(name)

    def new_file(self, *args: Any, **options: Any) -> None:
        if not self.is_meant or self.refusal:
            raise StopUpload(connection_reset=True)
        self.received = 0
        super(TemporaryFileUploadHandler, self).new_file(*args, **options)
        self.file = IncomingFile(self.file_name, self.content_type, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > self.largest_bytes:
            self.refusal = self.too_large(shown_name(str(self.file_name or "")))
            raise StopUpload(connection_reset=True)
        super().receive_data_chunk(raw_data, start)


class UploadMiddleware:
    """Takes a file in before the organization's transaction begins: a slow line must not hold one open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (
            request.method == "POST"
            and TAKES_FILES.match(request.path_info)
            and request.user.is_authenticated
        ):
            request.POST  # noqa: B018  reading it takes the body in
        return self.get_response(request)


def upload_refusal(request: HttpRequest) -> str:
    """Why the upload was stopped, in words; empty when all of it came in."""
    return next(
        (told for handler in request.upload_handlers if (told := getattr(handler, "refusal", ""))), ""
    )


def store_upload(organization_id: UUID, upload: UploadedFile) -> str:
    """Move an upload to its place; returns the name it is stored under."""
    name = uuid4().hex
    target = stored_path(organization_id, name)
    private_folder(settings.IMPORT_FOLDER)
    private_folder(target.parent)
    if isinstance(upload, TemporaryUploadedFile):
        os.replace(upload.temporary_file_path(), target)
    else:
        with target.open("xb") as file:
            for chunk in upload.chunks():
                file.write(chunk)
    target.chmod(0o600)
    return name


def stored_path(organization_id: UUID, stored_as: str) -> Path:
    """Where a stored file lies. Raises ValueError for a name that the house didn't give."""
    if not STORED_NAME.fullmatch(stored_as):
        raise ValueError(stored_as)
    return Path(settings.IMPORT_FOLDER) / str(organization_id) / stored_as


def delete_stored(organization_id: UUID, stored_as: str) -> None:
    """Delete a stored file, if it is still there."""
    if stored_as:
        stored_path(organization_id, stored_as).unlink(missing_ok=True)


def delete_strays(organization_id: UUID, *, known: set[str], older_than_seconds: float) -> int:
    """Delete files of an organization that no run knows, and uploads that never ended; returns how many."""
    deadline = time.time() - older_than_seconds
    folders = (Path(settings.IMPORT_FOLDER) / str(organization_id), incoming_folder())
    gone = 0
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in known and path.is_file() and path.stat().st_mtime < deadline:
                path.unlink(missing_ok=True)
                gone += 1
    return gone
