"""Secrets of endpoints: kept so that they can verify, encrypted (AES-256-GCM) with a key derived from SECRET_KEY."""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class UnreadableSecret(Exception):
    """The secret was kept under another SECRET_KEY."""


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(hmac.digest(secret_key.encode(), b"complaint-loop:endpoints", "sha256"))


def seal(secret_key: str, words: bytes, belongs_to: str) -> bytes:
    """Encrypts; what is sealed for one endpoint cannot be read as another's."""
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(secret_key).encrypt(nonce, words, belongs_to.encode())


def unseal(secret_key: str, sealed: bytes, belongs_to: str) -> bytes:
    """Decrypts; raises UnreadableSecret."""
    try:
        return _cipher(secret_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], belongs_to.encode())
    except InvalidTag:
        raise UnreadableSecret from None
