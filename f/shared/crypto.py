"""Seal secrets for the database: AES-256-GCM, bound to the place where they are kept."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag  # pin: cryptography==50.0.2
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from f.shared.errors import Misconfigured

NONCE_BYTES = 12


def seal(key: str, plaintext: str, place: str) -> str:
    """`key`: base64 of 32 bytes. `place`: table, column and row, so that a sealed value that is
    copied to another row does not open there."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_bytes(key)).encrypt(nonce, plaintext.encode(), place.encode())
    return base64.b64encode(nonce + sealed).decode()


def open_sealed(key: str, sealed: str, place: str) -> str:
    """Raises Misconfigured when the key or the place is not the one it was sealed with."""
    try:
        content = base64.b64decode(sealed, validate=True)
        nonce, ciphertext = content[:NONCE_BYTES], content[NONCE_BYTES:]
        return AESGCM(_bytes(key)).decrypt(nonce, ciphertext, place.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Misconfigured(f"{place} can't be opened with this sealing key") from error


def _bytes(key: str) -> bytes:
    try:
        content = base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise Misconfigured("the sealing key is not base64") from error
    if len(content) != 32:
        raise Misconfigured("the sealing key is not 32 bytes long")
    return content
