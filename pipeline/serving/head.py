"""HEAD, for every address that has GET: the same answer without its body."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOW = (b"allow", b"GET")


class Head:
    """ASGI: answers HEAD as GET, its headers with the length of the body that it leaves out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The framework's list for a method that is refused.
                headers = [(*ALLOW[:1], b"GET, HEAD") if each == ALLOW else each for each in message.get("headers", ())]
                message = {**message, "headers": headers}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, sent)
