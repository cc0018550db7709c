"""A new file: whose export it is, and what it was mapped to the last time."""

from django.core.files.uploadedfile import UploadedFile

from otc.imports.models import ImportRun, SavedMapping
from otc.imports.presets import presets_for
from otc.imports.runs import run_map, run_upload
from pipeline.imports.guessing import fields_found, guessed_mapping
from pipeline.imports.registry import KINDS, PRESETS

OWN = "OTC"


def upload_file(upload: UploadedFile) -> ImportRun:
    """Keep a file, with the mapping it begins with: the one last used for such a header, a preset's, or one by the
    columns' names. Raises ImportFileError.
    """
    run, header = run_upload(upload)
    saved = SavedMapping.objects.filter(signature=run.signature).first()
    if saved is not None and saved.kind in KINDS:
        return run_map(
            run.id,
            kind=saved.kind,
            mapping=fields_found(saved.mapping, header, kind=saved.kind),
            creates_missing=saved.creates_missing,
            system=saved.system,
        )
    fitting = presets_for(PRESETS, header=header)
    if fitting:
        preset = fitting[0]
        mapping = fields_found(preset.mapping(header), header, kind=preset.kind)
        return run_map(run.id, kind=preset.kind, mapping=mapping, creates_missing=False, system=preset.label)
    kind, mapping = guessed_mapping(header)
    if not kind:
        return run
    mapping = fields_found(mapping, header, kind=kind)
    return run_map(run.id, kind=kind, mapping=mapping, creates_missing=False)
