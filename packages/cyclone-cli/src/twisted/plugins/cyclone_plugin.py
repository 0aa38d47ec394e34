"""Lets ``twistd`` and ``twist`` know the command ``cyclone``."""

from twisted.application.service import ServiceMaker

cyclone = ServiceMaker(  # type: ignore[no-untyped-call]
    "Cyclone",
    "cyclone.cli._plugin",
    "Serve a Cyclone web application.",
    "cyclone",
)
