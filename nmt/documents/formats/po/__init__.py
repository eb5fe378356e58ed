"""PO files of gettext."""
