"""Formats of rating sheets: spreadsheets, Pearmut and Appraise."""
