"""The glossaries that are stored for an endpoint, as far as a rollout has to know them."""

import logging

from pydantic import BaseModel, ConfigDict, ValidationError

from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import parse_route_key

log = logging.getLogger(__name__)


class _Languages(BaseModel):
    """The languages of a glossary; its terms are not needed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_language: str
    target_language: str


def has_glossary(storage: Storage, endpoint: str, route: str) -> bool:
    """Tell whether an endpoint has a glossary for the languages of a route.

    One that is damaged does not count: replicas cannot read it either.

    Args:
        storage: the storage root.
        endpoint: name of the endpoint.
        route: key of the route.

    Raises:
        StorageError: the folder or a file cannot be read.
    """
    name = parse_route_key(route)
    wanted = _Languages(source_language=name.source_language, target_language=name.target_language)
    folder = layout.glossaries(endpoint)
    for file in storage.list(folder):
        found = storage.read_versioned(f"{folder}/{file}") if file.endswith(".json") else None
        if found is None:
            continue
        try:
            if _Languages.model_validate_json(found.content) == wanted:
                return True
        except ValidationError:
            log.warning("%s is damaged: add it again", storage.locate(f"{folder}/{file}"))
    return False
