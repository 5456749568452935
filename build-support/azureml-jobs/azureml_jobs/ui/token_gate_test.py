from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from azureml_jobs.ui.token_gate import TokenGate
from starlette.types import Receive, Scope, Send  # pants: no-infer-dep

TOKEN = "s3cret"


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "page"})


def ask(kind: str = "http", query: str = "", cookie: str = "") -> list[MutableMapping[str, Any]]:
    """Return what the gate sends for a request."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    scope = {"type": kind, "query_string": query.encode(), "headers": headers}
    asyncio.run(TokenGate(page, TOKEN, "ui-1", "welcome")(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("query", "cookie"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("token=", "", id="an empty token"),
        pytest.param("token=s3cre", "", id="a part of the token"),
        pytest.param("token=%F0%9F%92%A9", "", id="no letter of a token"),
        pytest.param("", "ui-1=", id="an empty cookie"),
        pytest.param("", "ui-2=s3cret", id="the cookie of another port"),
        pytest.param("", "\xff;=;a;ui-1=\xe9", id="odd cookies"),
    ],
)
def test_nobody_without_the_token_sees_the_page(query: str, cookie: str) -> None:
    start, body = ask(query=query, cookie=cookie)
    assert start["status"] == 403
    assert b":aml -- ui" in body["body"]
    (closed,) = ask("websocket", query, cookie)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_the_address_gives_a_cookie_that_opens_the_page() -> None:
    start, body = ask(query="a=b&token=s3cret")
    assert (start["status"], body["body"]) == (200, b"welcome")
    cookie = dict(start["headers"])[b"set-cookie"].decode()
    pair, *attributes = cookie.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=lax"]
    for kind in ("http", "websocket"):
        assert ask(kind, cookie=f"other=1; {pair}") == [{"type": "page"}]


def test_a_new_address_replaces_the_cookie_of_an_earlier_page() -> None:
    start, _ = ask(query="token=s3cret", cookie="ui-1=old")
    assert start["status"] == 200
