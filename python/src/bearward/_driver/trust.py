"""Which certificate authorities are trusted: those of the system and of `certifi`, and those that a setting adds.

The command line follows the same settings: `crates/bearward-cli/src/http/trust.rs`.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Optional, Union

import certifi

CA_FILE = "BEARWARD_CA_FILE"
"""Adds authorities. It is read when the first connection is made."""

# Where systems keep them, for a Python that was built for another system and looks elsewhere.
_SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class UntrustableFileError(Exception):
    """A file with certificate authorities can't be used. The text says which, and why."""


def tls_context(ca_file: Optional[Union[str, os.PathLike[str]]]) -> ssl.SSLContext:
    """A context for clients. `ca_file`: more authorities, besides those of the environment.

    Raises:
        UntrustableFileError: a file that a setting names can't be used.
    """
    context = _base()
    for name, file in (("ca_file", ca_file), (CA_FILE, os.environ.get(CA_FILE))):
        if file:
            add_file(context, name, file)
    return context


def add_file(context: ssl.SSLContext, name: str, file: Union[str, os.PathLike[str]]) -> None:
    """Trust the authorities in `file`, which the setting `name` names.

    Raises:
        UntrustableFileError: it has none.
    """
    try:
        # A pipe or a device would be waited for.
        if not Path(file).is_file():
            raise UntrustableFileError(f"{name} ({os.fspath(file)}) can't be used: there is no such file")
        context.load_verify_locations(cafile=file)
    except (OSError, ValueError) as error:
        # An `SSLError` is an `OSError`, too.
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else type(error).__name__
        raise UntrustableFileError(f"{name} ({os.fspath(file)}) can't be used: {why}") from None


def _base() -> ssl.SSLContext:
    """The system's and certifi's authorities; or those of `SSL_CERT_FILE` or `SSL_CERT_DIR` instead, as in OpenSSL."""
    only = os.environ.get("SSL_CERT_FILE")
    if only:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        add_file(context, "SSL_CERT_FILE", only)
        # With all its defaults, now that the file is known to be one.
        return ssl.create_default_context(cafile=only)
    folder = os.environ.get("SSL_CERT_DIR")
    if folder:
        return ssl.create_default_context(capath=folder)
    context = ssl.create_default_context()
    places = ssl.get_default_verify_paths()
    if not (places.cafile or places.capath):
        for file in filter(os.path.isfile, _SYSTEM_FILES):
            context.load_verify_locations(cafile=file)
            break
    context.load_verify_locations(cafile=certifi.where())
    return context
