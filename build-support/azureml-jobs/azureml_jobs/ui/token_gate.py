"""Keep everybody else on this machine, and every other page in the browser, from a web page."""

from __future__ import annotations

import hmac

from starlette.requests import HTTPConnection  # pants: no-infer-dep
from starlette.responses import HTMLResponse, PlainTextResponse  # pants: no-infer-dep
from starlette.types import ASGIApp, Receive, Scope, Send  # pants: no-infer-dep
from starlette.websockets import WebSocketClose  # pants: no-infer-dep

_REFUSAL = "Open the address that `./pants run :aml -- ui` has printed, with its token.\n"
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class TokenGate:
    """The ASGI application `app`, for who knows `token`.

    The address that is printed has it, and shows the page `welcome`; from then on the browser has
    a cookie, `name`.
    """

    def __init__(self, app: ASGIApp, token: str, name: str, welcome: str) -> None:
        self._app = app
        self._token = token
        self._name = name
        self._welcome = welcome

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp:
        """Return the application that answers a request."""
        if scope["type"] == "lifespan":
            return self._app
        asked = HTTPConnection(scope)
        if self._knows(asked.query_params.get("token", "")):
            welcome = HTMLResponse(self._welcome, headers=_HEADERS)
            # Other pages may lead here, as a link in a terminal's window does, but not post: Lax.
            welcome.set_cookie(self._name, self._token, httponly=True, samesite="lax")
            return welcome
        if self._knows(asked.cookies.get(self._name, "")):
            return self._app
        if scope["type"] == "http":
            return PlainTextResponse(_REFUSAL, 403, _HEADERS)
        return WebSocketClose(1008)

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode())
