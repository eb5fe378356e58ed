"""A client for the HTTP API of an endpoint; it needs the extra `client`."""

from nmt.client.answers import DetectedLanguage, Document, Language, Translation
from nmt.client.client import Client
from nmt.client.errors import EndpointError

__all__ = [
    "Client",
    "DetectedLanguage",
    "Document",
    "EndpointError",
    "Language",
    "Translation",
]
