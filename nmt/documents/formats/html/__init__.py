"""HTML: pages, fragments and templates, and strings of other formats that hold tags."""
