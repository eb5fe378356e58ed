"""What RAY_ADDRESS names, and whether a Ray that takes this command answers there.

Imports Ray only to ask it.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from nmt.network.tcp import connection_error, split_address

VARIABLE = "RAY_ADDRESS"

_ANSWER_SECONDS = 5.0
_FORMS = f"set {VARIABLE} to HOST:6379, where the cluster's head listens, or unset it"
_SCHEMES = {
    "http": "the address of a dashboard, which is for `ray job submit`",
    "https": "the address of a dashboard, which is for `ray job submit`",
    "ray": "the address of a server for Ray's client, which no command can use",
}


@dataclass(frozen=True, slots=True)
class AddressFault:
    """Why no command can use the Ray at an address."""

    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


def ray_address(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the cluster that the environment names; None if each command starts a private Ray."""
    address = environ.get(VARIABLE, "").strip()
    return None if address in ("", "local") else address


def ray_connection_error(address: str) -> AddressFault | None:
    """Ask whether a Ray that commands can use answers at an address; None when one does.

    Ray itself would try for two minutes where something else answers, and end the process.
    """
    said = f"{VARIABLE}={address}"
    if address == "auto":
        return None  # Ray looks it up on this machine, and says at once where it finds none
    scheme, mark, _ = address.partition("://")
    if mark:
        meaning = _SCHEMES.get(scheme, "not an address of Ray")
        return AddressFault(f"{said} is {meaning}", _FORMS)
    host, port = split_address(address)
    if not host or port is None:
        return AddressFault(f"{said} is not an address", _FORMS)
    fault = connection_error(host, port)
    if fault:
        remedy = f"start the cluster, or unset {VARIABLE} for a private Ray"
        return AddressFault(f"{said}: nothing answers there ({fault})", remedy)
    return _fault_of_head(said, address)


def _fault_of_head(said: str, address: str) -> AddressFault | None:
    import grpc
    import ray
    from ray._private.grpc_utils import init_grpc_channel
    from ray._private.ray_constants import GLOBAL_GRPC_OPTIONS
    from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc
    from ray.exceptions import RayError

    question = gcs_service_pb2.CheckAliveRequest()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with closing(init_grpc_channel(address, GLOBAL_GRPC_OPTIONS)) as channel:
            head = gcs_service_pb2_grpc.NodeInfoGcsServiceStub(channel)
            version = head.CheckAlive(question, timeout=_ANSWER_SECONDS).ray_version
    except RayError:  # RAY_AUTH_MODE wants a token to be sent, and there is none
        return _fault_of_token(said)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:  # pyright: ignore[reportAttributeAccessIssue]
            return _fault_of_token(said)
        return AddressFault(f"{said}: what answers there is not the head of a cluster", _FORMS)
    if version != ray.__version__:
        text = f"{said}: the cluster runs Ray {version}, and this command Ray {ray.__version__}"
        return AddressFault(text, "install the cluster's version")
    return None


def _fault_of_token(said: str) -> AddressFault:
    where = "RAY_AUTH_TOKEN unless ~/.ray/auth_token holds it"
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "token":
        return AddressFault(f"{said} wants another token than this command has", f"set {where}")
    return AddressFault(f"{said} asks for a token", f"set RAY_AUTH_MODE=token, and {where}")
