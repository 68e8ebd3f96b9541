"""Flows, commands, events and states, and the pure functions over them."""
