"""Holdfast: a conversation that never lets go of a word."""

from holdfast.domain.flow import Flow, Flows, Step

__all__ = ["Flow", "Flows", "Step"]
__version__ = "0.1.0"
