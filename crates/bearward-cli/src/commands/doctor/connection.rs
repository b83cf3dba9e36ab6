//! The issuer's host: its addresses, and whether it accepts connections.

use std::{io, net::SocketAddr, time::Duration};

use reqwest::Url;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::report::{Check, Checked};
use crate::{
    http::{https, proxy},
    terminal::{failure::Kind, progress},
};

/// How requests get to the issuer.
#[derive(Debug)]
pub(super) enum Route {
    Direct { host: String, addresses: Vec<SocketAddr> },
    Proxy { host: String },
}

/// The addresses of the host. A proxy looks them up itself.
pub(super) async fn look_up(url: &str, patience: Duration) -> Checked<Route> {
    const NAME: &str = "dns";
    let Some((url, host, port)) = parts(url) else {
        let remedy = "write the host as it is in a browser's URL";
        return (Check::failed(NAME, Kind::Usage, "the issuer's host can't be in a URL", remedy), None);
    };
    if let Some(proxy) = proxy::proxy_for(&url) {
        let check = Check::skipped(NAME, format!("requests go through the proxy {proxy}"));
        return (check, Some(Route::Proxy { host: proxy }));
    }
    let looked_up = timeout(patience, lookup_host((host.trim_matches(['[', ']']), port)));
    let why = match progress::while_waiting(format_args!("looking for {host}"), looked_up).await {
        Ok(Ok(addresses)) => return resolved(&url, &host, addresses.collect()),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => format!("no answer within {} s", patience.as_secs()),
    };
    let remedy = "is the domain spelled correctly? Can this machine look up other names?";
    (Check::failed(NAME, Kind::Undecided, format!("no address of {host}: {why}"), remedy), None)
}

fn parts(url: &str) -> Option<(Url, String, u16)> {
    let url = Url::parse(url).ok()?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    Some((url, host, port))
}

fn resolved(url: &Url, host: &str, addresses: Vec<SocketAddr>) -> Checked<Route> {
    let mut texts: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    texts.dedup();
    let message = if url.domain().is_none() {
        format!("{host} is an address, nothing to look up")
    } else {
        format!("{host} is at {}", texts.join(", "))
    };
    let check = Check::ok("dns", message).with("addresses", texts);
    (check, Some(Route::Direct { host: https::authority(url), addresses }))
}

/// Whether one of the addresses accepts connections.
pub(super) async fn connect(route: Route, patience: Duration) -> Checked<()> {
    const NAME: &str = "connection";
    let (host, addresses) = match route {
        Route::Direct { host, addresses } => (host, addresses),
        Route::Proxy { host } => {
            return (Check::skipped(NAME, format!("requests go through the proxy {host}")), Some(()));
        }
    };
    let connected = timeout(patience, TcpStream::connect(addresses.as_slice()));
    let why = match progress::while_waiting(format_args!("connecting to {host}"), connected).await {
        Ok(Ok(stream)) => {
            let address = stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
            let check = Check::ok(NAME, format!("{host} accepts connections")).with("address", address);
            return (check, Some(()));
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "nothing listens there (connection refused)".to_owned()
        }
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => format!("no answer within {} s", patience.as_secs()),
    };
    let remedy = if addresses.iter().all(|address| address.ip().is_loopback()) {
        "does the local tenant run, and on this port? `bearward issuer` starts one"
    } else {
        "does a firewall block it? If a proxy is needed, set HTTPS_PROXY"
    };
    (Check::failed(NAME, Kind::Undecided, format!("{host}: {why}"), remedy), None)
}
