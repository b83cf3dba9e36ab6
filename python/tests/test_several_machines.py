"""`docs/how-to/several-machines.md`: its lines work."""

from pathlib import Path

from fastapi import Depends
from fastapi.testclient import TestClient

from support import AUDIENCE, Prover

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "several-machines.md"


def test_the_ten_lines(redis_server, tenant, monkeypatch):
    code = PAGE.read_text().split("```python\n")[1].split("```")[0]
    assert code.count("redis://api:secret@redis.internal:6379") == 2
    code = code.replace("redis://api:secret@redis.internal:6379", f"redis://127.0.0.1:{redis_server[0]}")
    code = code.replace("cache_adapter=documents", "cache_adapter=documents, custom_fetch=fetch")
    monkeypatch.setenv("AUTH0_DOMAIN", tenant.domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    names = {"fetch": tenant.fetch}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    app, auth0 = names["app"], names["auth0"]

    @app.get("/private")
    async def private(claims: dict = Depends(auth0.require_auth())):
        return claims

    headers = Prover(tenant).headers("http://testserver/private")
    with TestClient(app) as client:
        assert [client.get("/private", headers=headers).status_code for _ in range(2)] == [200, 400]
