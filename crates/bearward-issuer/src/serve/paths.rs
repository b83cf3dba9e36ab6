//! Where the endpoints are. All paths begin with a slash; the issuer's may be empty.

pub(crate) struct Paths {
    pub(crate) authorize: &'static str,
    pub(crate) token: &'static str,
    pub(crate) device_code: &'static str,
    pub(crate) userinfo: &'static str,
    pub(crate) jwks: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) logout: &'static str,
    pub(crate) register: &'static str,
}

pub(crate) const AUTH0: Paths = Paths {
    authorize: "/authorize",
    token: "/oauth/token",
    device_code: "/oauth/device/code",
    userinfo: "/userinfo",
    jwks: "/.well-known/jwks.json",
    revoke: "/oauth/revoke",
    logout: "/oidc/logout",
    register: "/oidc/register",
};
