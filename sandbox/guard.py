"""Who may use the control API: this machine, and pages that came from it."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.sandbox.errors import Forbidden
from holdfast.sandbox.wire import refused

GUARDED = "/control"


class Loopback:
    """Refuses the control API to other machines, and to foreign pages open in a browser here.

    The Host header is looked at so that a name somebody points at 127.0.0.1 does not help, the Origin header
    so that no other site's script can post.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(GUARDED) and not _is_ours(scope):
            answer = refused(Forbidden("the control API is for this machine only"))
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_ours(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    client = scope.get("client")
    host = headers.get("host", "")
    origin = headers.get("origin")
    is_near = client is not None and _is_loopback(client[0])
    return (
        is_near and _is_loopback(_name(f"//{host}")) and (origin is None or urlsplit(origin).netloc == host)
    )


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
