"""The errors of documents."""

from nmt.errors import InputError, NmtError


class DocumentError(InputError):
    """A document that is not valid in its format, or an option that does not fit it."""


class UnknownFormatError(InputError):
    """A file whose format is not known, or that is not what its name says."""


class DocumentTooLargeError(InputError):
    """A document above a limit, which the message names."""


class BrokenDocumentError(NmtError):
    """A translated document whose structure is no longer that of its source: a bug."""
