"""What an answer has to be before it counts: a network on the way answers with 200, too."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from azureml_jobs.base.errors import OutsideError

if TYPE_CHECKING:
    from azureml_jobs.azure.transport import Response


class WrongAnswer(Exception):
    """Whatever answered, it was not the service, or its answer was damaged."""


class Fields(dict[str, Any]):
    """An object of an answer; a key that it does not have is a failure of the service."""

    def __init__(self, where: str, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise OutsideError(self._where, f"the service's answer has no `{key}`")


def any_answer(response: Response) -> None:
    """Raise `WrongAnswer` for a page, which no service of Azure answers with."""
    if response.is_page:
        raise WrongAnswer("it is a page for people")


def json_object(response: Response) -> Fields:
    """Return the object that an answer is. Raises `WrongAnswer`."""
    any_answer(response)
    try:
        found = json.loads(response.body, object_hook=partial(Fields, response.where))
    except ValueError as error:
        raise WrongAnswer("it is not JSON") from error
    if not isinstance(found, Fields):
        raise WrongAnswer("it is no JSON object")
    return found


def json_or_none(response: Response) -> Fields | None:
    """Return the object that an answer is, None for 404. Raises `WrongAnswer`."""
    found = json_object(response)
    return None if response.status == 404 else found


def resource(response: Response) -> Fields:
    """Return the resource, or the page of a list of them, that an answer is.

    Raises `WrongAnswer`.
    """
    found = json_object(response)
    if not {"properties", "value"} & set(found):
        raise WrongAnswer("it is no resource")
    return found


def resource_or_none(response: Response) -> Fields | None:
    """Return the same, None for 404. Raises `WrongAnswer`."""
    return json_or_none(response) if response.status == 404 else resource(response)


def of_storage(response: Response) -> None:
    """Raise `WrongAnswer` unless Azure Storage has answered.

    https://learn.microsoft.com/rest/api/storageservices/common-rest-response-headers
    """
    any_answer(response)
    if "x-ms-request-id" not in response.headers:
        raise WrongAnswer("it is not from Azure Storage")
