"""A local Bot API server with a web chat."""
