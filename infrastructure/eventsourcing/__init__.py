"""A persistence module for the package `eventsourcing`: its applications read and write this log.

`PERSISTENCE_MODULE=holdfast.infrastructure.eventsourcing`. Nothing else of Holdfast imports this package, since
importing `eventsourcing` changes `dataclasses` for the whole process. All of it blocks; none of it is for coroutines.
"""

from holdfast.infrastructure.eventsourcing.factory import Factory

__all__ = ["Factory"]
