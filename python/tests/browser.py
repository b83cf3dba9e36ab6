"""Someone at a browser, who logs in to the local tenant."""

import re
import ssl
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx


class Browser:
    """Follows a login, as the first user of the tenant, until the tenant leads back to the application."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.visited = []
        self._client = httpx.Client(verify=ssl.create_default_context(cafile=tenant.ca_file), trust_env=False)

    def close(self):
        self._client.close()

    def logs_in(self, url):
        """The parameters that the application gets."""
        self.visited.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
        answer = self._client.get(url)
        if answer.status_code == 200:
            page = re.search(r'name="page" value="([^"]+)"', answer.text)[1]
            user = re.search(r'name="user" value="([^"]+)"', answer.text)[1]
            headers = {"Origin": self.tenant.issuer.rstrip("/")}
            answer = self._client.post(urljoin(url, "/login"), data={"page": page, "user": user}, headers=headers)
        assert answer.status_code == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
