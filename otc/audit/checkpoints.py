"""Checkpoints: one signed line that says where the chain stood, to be kept where the database's keepers can't reach.

A line is a JSON object; docs/audit.md shows how to check it without this program.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from otc.audit.models import AuditCheckpoint
from otc.audit.rules import canonical

FORMAT = "otc-audit-checkpoint-1"


class CheckpointRefused(ValueError):
    """A line that is no checkpoint of this organization, or whose signature is wrong; says which and why."""


@cache
def _key(seed: str, secret: str) -> Ed25519PrivateKey:
    raw = (
        bytes.fromhex(seed) if seed else hmac.digest(secret.encode(), b"otc audit checkpoint", hashlib.sha256)
    )
    return Ed25519PrivateKey.from_private_bytes(raw)


def signing_key() -> Ed25519PrivateKey:
    """The key of OTC_AUDIT_KEY (64 hex digits), else one derived from the house's secret."""
    return _key(settings.AUDIT_KEY, settings.SECRET_KEY)


def public_key() -> str:
    """Its public half in hex: whoever has it can check every line."""
    return signing_key().public_key().public_bytes_raw().hex()


def signed_line(organization_id: UUID, *, sequence: int, hash_: str, made_at: datetime) -> dict[str, Any]:
    """A checkpoint with its signature over the canonical form of all else."""
    line = _content(organization_id, sequence=sequence, hash_=hash_, made_at=made_at, public_key=public_key())
    return {**line, "signature": signing_key().sign(canonical(line)).hex()}


def as_line(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """The line that was signed when the checkpoint was made."""
    content = _content(
        checkpoint.organization_id,
        sequence=checkpoint.sequence,
        hash_=checkpoint.hash,
        made_at=checkpoint.made_at,
        public_key=checkpoint.public_key,
    )
    return {**content, "signature": checkpoint.signature}


def _content(
    organization_id: UUID, *, sequence: int, hash_: str, made_at: datetime, public_key: str
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "organization_id": str(organization_id),
        "sequence": sequence,
        "hash": hash_,
        "made_at": made_at.astimezone(UTC).isoformat(),
        "public_key": public_key,
    }


def check_signature(line: Mapping[str, Any], *, trusted: str = "") -> None:
    """Raises CheckpointRefused where the signature isn't by the line's key, or that key not the `trusted` one."""
    if trusted and line.get("public_key") != trusted:
        raise CheckpointRefused(f"checkpoint #{line.get('sequence')} is signed by another key")
    content = {name: value for name, value in line.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(line["public_key"]))
        key.verify(bytes.fromhex(line["signature"]), canonical(content))
    except (InvalidSignature, KeyError, ValueError, TypeError):
        raise CheckpointRefused(f"the signature of checkpoint #{line.get('sequence')} is wrong") from None


def known_hashes(lines: Iterable[str], *, organization_id: UUID, trusted: str = "") -> dict[int, str]:
    """Hashes by sequence number of one organization's lines; lines of other organizations are left out."""
    known: dict[int, str] = {}
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            is_checkpoint = isinstance(line, dict) and line.get("format") == FORMAT
        except ValueError:
            is_checkpoint = False
        if not is_checkpoint:
            raise CheckpointRefused(f"line {number} is no checkpoint")
        check_signature(line, trusted=trusted)
        if line["organization_id"] == str(organization_id):
            known[int(line["sequence"])] = str(line["hash"])
    return known
