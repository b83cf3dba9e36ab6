//! Where the store is: one server, the master that sentinels name, or a cluster. The URL says which.

use reqwest::Url;

use super::address::Address;
use crate::terminal::failure::Failure;

/// Port of a sentinel, if the URL has none.
const SENTINEL_PORT: u16 = 26379;

pub(super) enum Deployment {
    /// `redis://` or `rediss://`.
    Server(Address),
    /// `redis+sentinel://` or `rediss+sentinel://`.
    Sentinel(Watched),
    /// `redis+cluster://` or `rediss+cluster://`: some of its servers.
    Cluster(Vec<Address>),
}

/// A master and its replicas, which sentinels watch.
pub(super) struct Watched {
    pub(super) sentinels: Vec<Address>,
    /// The master's name, as the sentinels know it.
    pub(super) service: String,
    /// How to log in to the master and the replicas. Its host and port are those of a sentinel.
    pub(super) login: Address,
}

impl Deployment {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or_else(unusable)?;
        Ok(match scheme.split_once('+') {
            None => Self::Server(Address::parse(text).ok_or_else(unusable)?),
            Some((scheme, "cluster")) => {
                let servers = each_host(scheme, rest).map(|url| Address::parse(&url));
                Self::Cluster(servers.collect::<Option<_>>().ok_or_else(unusable)?)
            }
            Some((scheme, "sentinel")) => {
                Self::Sentinel(Watched::parse(each_host(scheme, rest)).ok_or_else(unusable)?)
            }
            Some(_) => return Err(unusable()),
        })
    }

    /// The hosts that are asked first.
    pub(super) fn shown(&self) -> String {
        let addresses = match self {
            Self::Server(address) => return address.shown(),
            Self::Sentinel(watched) => &watched.sentinels,
            Self::Cluster(servers) => servers,
        };
        addresses.iter().map(Address::shown).collect::<Vec<_>>().join(", ")
    }
}

impl Watched {
    /// Of the same URL for each sentinel: `redis://USER:PASSWORD@SENTINEL/SERVICE`.
    fn parse(urls: impl Iterator<Item = String>) -> Option<Self> {
        let urls: Vec<Url> = urls.map(|url| Url::parse(&url).ok()).collect::<Option<_>>()?;
        let first = urls.first()?;
        let (service, database) = match first.path().trim_start_matches('/').split_once('/') {
            Some((service, database)) => (service.to_owned(), database),
            None => (first.path().trim_start_matches('/').to_owned(), ""),
        };
        // Sentinel takes no other characters.
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if service.is_empty() || !service.bytes().all(is_fine) {
            return None;
        }
        let (mut user, mut password) = (String::new(), String::new());
        for (name, value) in first.query_pairs() {
            match &*name {
                "sentinel_username" => user = value.into_owned(),
                "sentinel_password" => password = value.into_owned(),
                _ => return None,
            }
        }
        let mut login = first.clone();
        login.set_query(None);
        login.set_path(database);
        let sentinel = |url: &Url| {
            let mut url = url.clone();
            url.set_query(None);
            url.set_path("");
            url.set_port(url.port().or(Some(SENTINEL_PORT))).ok()?;
            url.set_username(&user).ok()?;
            url.set_password(Some(&*password).filter(|password| !password.is_empty())).ok()?;
            Address::parse(url.as_str())
        };
        Some(Self {
            sentinels: urls.iter().map(sentinel).collect::<Option<_>>()?,
            service,
            login: Address::parse(login.as_str())?,
        })
    }
}

/// The URL with each of its hosts alone: they are separated by commas.
fn each_host<'a>(scheme: &'a str, rest: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let (login, hosts) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    hosts.split(',').map(move |host| format!("{scheme}://{login}{host}{behind}"))
}

/// The text is not shown: it may contain a password.
fn unusable() -> Failure {
    Failure::usage("the Redis URL can't be used.").with_hint(
        "write redis://USER:PASSWORD@HOST:6379, or rediss:// for TLS; redis+sentinel://USER:PASSWORD@SENTINEL1,SENTINEL2/SERVICE; \
         or redis+cluster://USER:PASSWORD@HOST. Letters such as @ and / in a password are written as %40 and %2F.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinel(text: &str) -> Watched {
        match Deployment::parse(text) {
            Ok(Deployment::Sentinel(watched)) => watched,
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn the_scheme_says_what_is_there() {
        assert!(matches!(Deployment::parse(" redis://h\n"), Ok(Deployment::Server(_))));
        let Ok(Deployment::Cluster(servers)) = Deployment::parse("rediss+cluster://u:p@a:1,b,[::1]:3") else {
            panic!()
        };
        assert_eq!(servers.iter().map(Address::shown).collect::<Vec<_>>(), ["a:1", "b:6379", "[::1]:3"]);
        assert!(servers.iter().all(|server| server.is_tls() && server.has_password()));
    }

    #[test]
    fn sentinels_have_a_login_of_their_own() {
        let watched = sentinel("redis+sentinel://api:p%40ss@s1,s2:1/main.a/3?sentinel_password=hush");
        assert_eq!((watched.service.as_str(), watched.sentinels.len()), ("main.a", 2));
        assert_eq!(watched.sentinels[0].shown(), "s1:26379");
        assert!(watched.sentinels.iter().all(|sentinel| sentinel.has_password() && !sentinel.is_tls()));
        assert_eq!((watched.login.user().as_str(), watched.sentinels[1].user().as_str()), ("api", "default"));
        let master = watched.login.at("::1", 6380).unwrap();
        assert_eq!((master.shown().as_str(), master.user().as_str()), ("[::1]:6380", "api"));
        assert!(!sentinel("rediss+sentinel://api:p@s/main").sentinels[0].has_password());
    }

    #[test]
    fn what_is_half_a_url_is_refused() {
        for text in [
            "redis+sentinel://s1",
            "redis+sentinel://s1/",
            "redis+sentinel://s1,/main",
            "redis+sentinel:///main",
            "redis+sentinel://s1/ma%20in",
            "redis+sentinel://s1/main/x",
            "redis+sentinel://s1/main?db=3",
            "redis+sentinel://s1:x/main",
            "redis+cluster://",
            "redis+cluster://a,,b",
            "redis+other://a",
            "http+cluster://a",
            "+cluster://a",
            "a,b",
        ] {
            assert!(Deployment::parse(text).is_err(), "{text}");
        }
    }
}
