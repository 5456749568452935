"""Keep everybody else on this machine, and every other page in the browser, from a web page."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_REFUSAL = b"Open the address that `./pants run :aml -- ui` has printed, with its token.\n"


class TokenGate:
    """The ASGI application `app`, for who knows `token`.

    The address that is printed has it, and shows the page `welcome`; from then on the browser has
    a cookie, `name`.
    """

    def __init__(self, app: App, token: str, name: str, welcome: str) -> None:
        self._app = app
        self._token = token
        self._name = name
        self._welcome = welcome.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif self._knows(parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]):
            # Other pages may lead here, as a link in a terminal's window does, but not post: Lax.
            cookie = f"{self._name}={self._token}; Path=/; HttpOnly; SameSite=Lax"
            await _answer(send, 200, "text/html", self._welcome, set_cookie=cookie)
        elif self._knows(_cookie(scope, self._name)):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(send, 403, "text/plain", _REFUSAL)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode())


def _cookie(scope: Scope, name: str) -> str:
    text = b";".join(value for key, value in scope["headers"] if key == b"cookie").decode("latin-1")
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return next((value for key, _, value in pairs if key == name), "")


async def _answer(send: Send, status: int, kind: str, body: bytes, **headers: str) -> None:
    given = {
        "content_type": f"{kind}; charset=utf-8",
        "content_length": str(len(body)),
        "cache_control": "no-store",
        "referrer_policy": "no-referrer",
        **headers,
    }
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
