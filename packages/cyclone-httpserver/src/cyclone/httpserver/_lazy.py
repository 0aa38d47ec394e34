"""A Deferred that knows when somebody looks at it: what that needs of Twisted's, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred


class LazyDeferred(Deferred[None]):
    """A base of Deferreds that begin their work, or tell their failure, only to who wants to know.

    A subclass says what happens then. It may fire the Deferred at once.
    """

    def on_wait(self) -> None:
        """Somebody is about to add a callback."""

    def on_ask(self) -> None:
        """Somebody reads ``called``."""

    def on_chain(self) -> None:
        """A Deferred whose callback returned this one looks for its result before it waits."""

    if not TYPE_CHECKING:
        _fired = False

        @property
        def called(self):
            """As in Deferred."""
            self.on_ask()
            return self._fired

        @called.setter
        def called(self, value):
            self._fired = value

        # Twisted's own versions do not call each other

        def addCallbacks(self, *args, **kwargs):
            """As in Deferred."""
            self.on_wait()
            return super().addCallbacks(*args, **kwargs)

        def addCallback(self, *args, **kwargs):
            """As in Deferred."""
            self.on_wait()
            return super().addCallback(*args, **kwargs)

        def addErrback(self, *args, **kwargs):
            """As in Deferred."""
            self.on_wait()
            return super().addErrback(*args, **kwargs)

        def addBoth(self, *args, **kwargs):
            """As in Deferred."""
            self.on_wait()
            return super().addBoth(*args, **kwargs)

        def __getattr__(self, name):
            if name == "result":
                self.on_chain()
                if "result" in self.__dict__:
                    return self.__dict__["result"]
            raise AttributeError(name)
