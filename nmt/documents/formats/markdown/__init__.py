"""Markdown: CommonMark with the tables, tasks, footnotes and front matter of its dialects."""
