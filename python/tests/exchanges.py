"""What the tests of the client flows share: a tenant with a token endpoint, and the three calls."""

from urllib.parse import parse_qsl

from support import Tenant

ENDPOINT = "https://tenant.example/oauth/token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
VAULT = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token"
VAULT_TOKEN = "http://auth0.com/oauth/token-type/federated-connection-access-token"
SECRET = "client-secret-that-nobody-sees"
SUBJECT = "subject-token-that-nobody-sees"


class ExchangeTenant(Tenant):
    """A tenant whose discovery document names a token endpoint, and what else a test puts there."""

    def __init__(self):
        super().__init__()
        self.kept = super().documents()
        self.kept[self.discovery_url]["token_endpoint"] = ENDPOINT

    def documents(self):
        return self.kept


def vault(client, **more):
    return client.get_access_token_for_connection({"connection": "google", "access_token": SUBJECT, **more})


def profile(client, subject_token=SUBJECT, **more):
    return client.get_token_by_exchange_profile(
        **{"subject_token": subject_token, "subject_token_type": "urn:t", **more}
    )


def on_behalf_of(client, access_token=SUBJECT, audience="https://other", **more):
    return client.get_token_on_behalf_of(access_token, audience, **more)


FLOWS = [vault, profile, on_behalf_of]


def sent(httpx_mock):
    return [parse_qsl(request.content.decode(), keep_blank_values=True) for request in httpx_mock.get_requests()]
