"""Errors in the formats of Azure Storage, Entra ID and registries of images."""

from __future__ import annotations

from xml.sax.saxutils import escape

from azureml_standin.http.messages import XML, HttpError, HttpResponse, json_response


class StorageError(HttpError):
    """An error in the format of Azure Storage.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """

    def response(self) -> HttpResponse:
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        headers = {key.replace("_", "-"): value for key, value in self.headers.items()}
        return HttpResponse(
            self.status,
            text.encode(),
            {"Content-Type": XML, "x-ms-error-code": self.code, **headers},
        )


class SignInError(HttpError):
    """An error in the format of Microsoft Entra ID.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    (`error`, `error_description` that begins with `AADSTS<number>`, `error_codes`).
    """

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(status, error, message)
        self.number = number

    def response(self) -> HttpResponse:
        return json_response(
            {
                "error": self.code,
                "error_description": f"AADSTS{self.number}: {self.message}",
                "error_codes": [self.number],
                "correlation_id": "00000000-0000-0000-0000-000000000000",
            },
            self.status,
        )


class RegistryError(HttpError):
    """An error in the format of the distribution specification.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    def response(self) -> HttpResponse:
        content = {"errors": [{"code": self.code, "message": self.message, "detail": None}]}
        return json_response(content, self.status, **self.headers)
