"""One small app in each framework. They answer with who asks: the guard is around them."""

import json

from bearward.asgi import current_principal
from support import configure_django


def told(scope):
    """What an app behind the guard finds, in each of the places where it may look."""
    principal = current_principal()
    if principal is None:
        return {"subject": None, "authenticated": scope["user"].is_authenticated}
    assert scope["state"]["bearward"] is principal
    return {
        "subject": principal.subject,
        "client_id": principal.client_id,
        "scopes": list(scope["auth"].scopes),
        "permissions": list(principal.permissions),
        "jkt": principal.jkt,
        "resource": principal.resource,
        "authenticated": scope["user"].is_authenticated,
    }


async def plain(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(told(scope))})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    body = json.dumps(told(scope)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def starlette_app():
    from starlette.applications import Starlette
    from starlette.authentication import requires
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    @requires("read:messages")
    async def show(request):
        assert request.user is current_principal()
        return JSONResponse(told(request.scope))

    return Starlette(routes=[Route("/show", show)])


def litestar_app():
    import litestar

    @litestar.get("/show")
    async def show(request: litestar.Request) -> dict:
        return told(request.scope)

    # Its own logging would be that of the whole process.
    return litestar.Litestar([show], logging_config=None)


def quart_app():
    import quart

    app = quart.Quart("asgi_apps")

    @app.get("/show")
    async def show():
        return told(quart.request.scope)

    return app


def django_app():
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.http import JsonResponse
    from django.urls import path

    async def show(request):
        return JsonResponse(told(request.scope))

    configure_django()
    settings.ROOT_URLCONF = (path("show", show),)
    return ASGIHandler()


APPS = {
    "plain": lambda: plain,
    "starlette": starlette_app,
    "litestar": litestar_app,
    "quart": quart_app,
    "django": django_app,
}
