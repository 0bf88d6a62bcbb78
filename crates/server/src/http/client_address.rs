//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::app::App;

/// The network address that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Behind so many proxies of ours, each of which appends the address that it heard from. What a client writes into
    /// the header itself stands further left and is not believed.
    fn of(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> Self {
        let mut heard: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let told = match proxies {
            0 => None,
            // Fewer entries than proxies: the farthest one that spoke.
            _ => heard.drain(heard.len().saturating_sub(proxies)..).next(),
        };
        let address = told.and_then(|text| text.parse().ok()).unwrap_or(peer);
        Self(address.to_canonical())
    }

    /// What one client has to itself: an IPv4 address, or the first half of an IPv6 address.
    pub fn network(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self::of(peer, &parts.headers, app.config.proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_appended_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9".parse().unwrap());
        headers.append("x-forwarded-for", "::ffff:10.0.0.2".parse().unwrap());
        let peer = "127.0.0.1".parse().unwrap();
        let seen = |proxies| ClientAddress::of(peer, &headers, proxies).0.to_string();
        assert_eq!([0, 1, 2, 3, 9].map(seen), ["127.0.0.1", "10.0.0.2", "203.0.113.9", "6.6.6.6", "6.6.6.6"]);
        headers.insert("x-forwarded-for", "rubbish".parse().unwrap());
        assert_eq!(ClientAddress::of(peer, &headers, 1).0, peer);
        assert_eq!(ClientAddress::of(peer, &HeaderMap::new(), 1).0, peer);
    }

    #[test]
    fn a_client_has_half_of_an_ipv6_address_to_itself() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2::9"));
    }
}
