"""The log, its codec and keys, the settings and the stores."""
