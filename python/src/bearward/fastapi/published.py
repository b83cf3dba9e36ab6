"""Where the metadata document of a guard's resource is served, and a warning if it is nowhere. RFC 9728."""

from __future__ import annotations

import logging
from typing import Any, Optional
from weakref import WeakSet

from fastapi.requests import HTTPConnection

from bearward._driver.log import Log
from bearward.client import ApiClient
from bearward.resource import ProtectedResource

_log = Log()


class Published:
    """The apps that serve the document of a guard.

    Args:
        resource: What the challenges of the guard name; `None` if nothing.
        api_client: Verifies, and so knows what the document says.
    """

    def __init__(self, resource: Optional[ProtectedResource], api_client: ApiClient) -> None:
        self._resource = resource
        self._client = api_client
        self._apps: WeakSet[Any] = WeakSet()
        self._is_checked = resource is None

    def by(self, app: Any) -> None:
        """Have an app serve it, unless it does already."""
        if self._resource is None or app in self._apps:
            return
        # In front: a route for all paths would hide them.
        app.router.routes[:0] = self._resource.routes(self._client)
        self._apps.add(app)

    def check(self, connection: HTTPConnection) -> None:
        """Warn once if a challenge names a document that nobody serves, as far as this app can see."""
        if self._is_checked or self._resource is None:
            return
        self._is_checked = True
        scope = connection.scope
        app = scope.get("app")
        if _is_mounted(scope) and app in self._apps:
            self._warn("An app that is mounted in another one can't serve it: give the outermost app to auth0.publish.")
        elif not self._apps and not self._resource._is_served and not self._has_route(app):
            self._warn("Call auth0.publish(app), or make the app with FastAPI(lifespan=auth0.lifespan).")

    def _has_route(self, app: Any) -> bool:
        paths = set(self._resource.metadata_paths) if self._resource is not None else set()
        return any(getattr(route, "path", None) in paths for route in getattr(app, "routes", ()))

    def _warn(self, remedy: str) -> None:
        url = None if self._resource is None else self._resource.metadata_url
        _log.say(logging.WARNING, "nobody serves %s, which the challenges of a guard name. %s", url, remedy)


def _is_mounted(scope: Any) -> bool:
    return "app_root_path" in scope and scope["app_root_path"] != scope.get("root_path")
