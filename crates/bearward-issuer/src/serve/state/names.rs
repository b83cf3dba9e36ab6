use super::settings::Settings;

/// The names by which clients reach the tenant, as the `Host` field has them. The first is the tenant's domain.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    scheme: &'static str,
    hosts: Vec<String>,
}

impl Names {
    /// The tenant's name if it has one, the address that it listens on, and the names of loopback.
    pub(crate) fn new(settings: &Settings, port: u16) -> Self {
        let scheme = if settings.http { "http" } else { "https" };
        let hosts = settings.hosts();
        let hosts = hosts.iter().map(|host| match port {
            443 if scheme == "https" => host.clone(),
            80 if scheme == "http" => host.clone(),
            port => format!("{host}:{port}"),
        });
        Self { scheme, hosts: hosts.collect() }
    }

    pub(crate) fn domain(&self) -> &str {
        self.hosts.first().map_or("", String::as_str)
    }

    /// Whether a request with this `Host` is for the tenant. A page that had its own name resolved to 127.0.0.1 sends
    /// another one.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Whether a page of this origin is the tenant's own.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.hosts.iter().any(|host| self.url_at(host, "") == origin)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// A cookie's name. Cookies ignore ports, so that two tenants on one machine need two names.
    pub(crate) fn cookie(&self, what: &str) -> String {
        let port = self.domain().rsplit(':').next().unwrap_or_default();
        // RFC 6265bis §4.1.3.2: a browser takes this prefix from this host over https only.
        format!("{}bearward-{port}-{what}", if self.is_https() { "__Host-" } else { "" })
    }

    /// The URL of a path, at the tenant's domain.
    pub(crate) fn url(&self, path: &str) -> String {
        self.url_at(self.domain(), path)
    }

    /// The URLs of a path, one for each name.
    pub(crate) fn urls(&self, path: &str) -> Vec<String> {
        self.hosts.iter().map(|host| self.url_at(host, path)).collect()
    }

    fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}{path}", self.scheme)
    }
}
