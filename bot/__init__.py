"""Telegram's edge: updates in, screens out."""
