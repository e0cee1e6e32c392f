"""Signatures: ed25519 (RFC 8032) by the package `cryptography`, and the file in which an entrant's key lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import MissingExtraError, SubmissionError

__all__ = ["default_key", "is_signed", "load_key", "new_key", "public_key", "sign"]

_BYTES = 32


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingExtraError("cryptography", "board") from error
    return ed25519


def default_key() -> Path:
    """Where the key lies unless another file is named: `$XDG_CONFIG_HOME/ludarium/key`, in hexadecimal digits."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "ludarium" / "key"


def load_key(path: str | os.PathLike[str] | None = None, *, make: bool = True) -> Any:
    """The private key in a file; where there is none, one is made that only this user can read."""
    ed25519 = _ed25519()
    file = Path(path) if path is not None else default_key()
    try:
        if make and not file.exists():
            return _make(file)
        secret = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, UnicodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "expected 64 hexadecimal digits"
        raise SubmissionError(f"{file}: cannot read the key: {reason}") from error
    if len(secret) != _BYTES:
        raise SubmissionError(f"{file}: a key of {len(secret)} bytes; expected {_BYTES}")
    return ed25519.Ed25519PrivateKey.from_private_bytes(secret)


def new_key() -> Any:
    """A new private key, which is nowhere but in memory."""
    return _ed25519().Ed25519PrivateKey.generate()


def _make(file: Path) -> Any:
    key = new_key()
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(key.private_bytes_raw().hex() + "\n")
    return key


def public_key(key: Any) -> str:
    """The public half of a private key, 64 hexadecimal digits."""
    return str(key.public_key().public_bytes_raw().hex())


def sign(key: Any, data: bytes) -> bytes:
    """The signature of some bytes: 64 bytes."""
    return bytes(key.sign(data))


def is_signed(public: str, signature: bytes, data: bytes) -> bool:
    """Whether the signature is that of these bytes under a public key (64 hexadecimal digits)."""
    from cryptography.exceptions import InvalidSignature

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
