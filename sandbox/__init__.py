"""A local Bot API server with a web chat: the demo without a token, and the wire of every end-to-end test."""

from holdfast.sandbox.app import create_app
from holdfast.sandbox.server import SandboxServer

__all__ = ["SandboxServer", "create_app"]
