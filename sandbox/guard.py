"""Who may come in: the control API is for this machine, and nothing is for other sites' pages."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.sandbox.errors import Forbidden
from holdfast.sandbox.wire import refused

GUARDED = "/control"


class Loopback:
    """Refuses the control API to other machines, and everything to foreign pages open in a browser here.

    The Host header is looked at so that a name somebody points at 127.0.0.1 does not help, the Origin header
    so that no other site's script can post. Bots send no Origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = _objection(scope) if scope["type"] == "http" else None
        if why:
            await refused(Forbidden(why))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _objection(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return "another site's page may not use the sandbox"
    client = scope.get("client")
    is_near = client is not None and _is_loopback(client[0]) and _is_loopback(_name(f"//{host}"))
    if scope["path"].startswith(GUARDED) and not is_near:
        return "the control API is for this machine only"
    return None


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
