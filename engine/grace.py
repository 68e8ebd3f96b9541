"""How long an orderly end takes at most, in seconds: first nothing more is taken in, then nothing more is sent."""

TAKING = 4.0
"""What was taken from Telegram gets to become durable; what doesn't is not confirmed, and comes again."""

SENDING = 4.0
"""Replies under way get to be sent and recorded; what is not recorded stays owed."""

BOUND = 10.0
"""After so long the process ends wherever it stands: as by `kill -9`, nothing that was acknowledged is lost."""
