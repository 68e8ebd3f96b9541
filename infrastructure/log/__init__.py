"""The event log: one protocol over small stores."""
