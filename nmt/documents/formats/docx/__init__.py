"""DOCX, the files of Microsoft Word: texts are replaced in their parts, which else stay."""
