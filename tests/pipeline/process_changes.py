"""The default process, changed as a page does it, for the tests of its changes."""

from django.utils import timezone

from otc.undo.services import undo_take
from pipeline.process.changing import process_change
from pipeline.process.models import Process, Stage
from pipeline.process.versions import base_number, document_of


def now():
    return timezone.now()


def the_process():
    return Process.objects.get(is_default=True)


def stage(name):
    return Stage.objects.get(name=name, process__is_default=True)


def change(edit, *, base=None, moves=None):
    """Change the default process by what `edit` does to its document."""
    process = the_process()
    document = document_of(process)
    after = edit(document) or document
    number = base_number(process) if base is None else base
    return process_change(process.id, document=after, base=number, moves=moves or {}, now=now())


def without(name):
    return lambda document: {**document, "stages": [one for one in document["stages"] if one["name"] != name]}


def renamed(old, new):
    def edit(document):
        next(one for one in document["stages"] if one["name"] == old)["name"] = new

    return edit


def put_back(house, step):
    return undo_take(step, person_id=house.ops.id, may=lambda action: True, now=now())


def names():
    return [one["name"] for one in document_of(the_process())["stages"]]
