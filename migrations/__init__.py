"""Numbered SQL, the same numbers for every dialect."""
