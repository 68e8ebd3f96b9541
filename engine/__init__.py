"""One turn from input to reply, and what keeps it running."""
