"""Readers for tables and records, which find the columns of the two languages."""
