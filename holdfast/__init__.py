"""Holdfast: a conversation that never lets go of a word."""
