"""The web page at `/` for people who translate, as one HTML file that loads nothing."""

from nmt.serving.web.page.assembly import page_response

__all__ = ["page_response"]
