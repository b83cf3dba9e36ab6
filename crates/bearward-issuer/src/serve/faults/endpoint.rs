use serde::Serialize;

/// What the tenant can answer wrongly on request: the two documents that a resource server needs, and the calls that
/// clients make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`.
    Discovery,
    /// `/.well-known/jwks.json`.
    KeySet,
    /// `/oauth/token`.
    Token,
    /// `/oauth/device/code`.
    DeviceCode,
    /// `/api/v2/resource-servers` and what is below it.
    ResourceServers,
}

/// One value for each endpoint, under the names that the admin side uses.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct PerEndpoint<T> {
    discovery: T,
    jwks: T,
    token: T,
    device_code: T,
    resource_servers: T,
}

impl<T> PerEndpoint<T> {
    pub(super) fn of(&self, endpoint: Endpoint) -> &T {
        match endpoint {
            Endpoint::Discovery => &self.discovery,
            Endpoint::KeySet => &self.jwks,
            Endpoint::Token => &self.token,
            Endpoint::DeviceCode => &self.device_code,
            Endpoint::ResourceServers => &self.resource_servers,
        }
    }

    pub(super) fn of_mut(&mut self, endpoint: Endpoint) -> &mut T {
        match endpoint {
            Endpoint::Discovery => &mut self.discovery,
            Endpoint::KeySet => &mut self.jwks,
            Endpoint::Token => &mut self.token,
            Endpoint::DeviceCode => &mut self.device_code,
            Endpoint::ResourceServers => &mut self.resource_servers,
        }
    }
}
