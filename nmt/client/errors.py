"""The errors of the client."""


class EndpointError(Exception):
    """An endpoint that refuses a request, or does not answer."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        """Set up the error.

        Args:
            message: what is wrong and what to do, as the endpoint says it.
            status: HTTP status; None if there was no answer.
            code: what is wrong, for programs, such as `unsupported_language`.
        """
        super().__init__(message)
        self.status, self.code = status, code
