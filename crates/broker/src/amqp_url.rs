//! The address of the broker, with credentials that nobody gets to read.

use crate::Error;
use lapin::uri::AMQPUri;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A parsed `amqp://` or `amqps://` URL. Prints without user name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(AMQPUri);

impl AmqpUrl {
    pub(crate) const fn uri(&self) -> &AMQPUri {
        &self.0
    }
}

impl FromStr for AmqpUrl {
    type Err = Error;

    /// Reads a URL of the form `amqp://user:password@host:port/vhost`.
    ///
    /// A missing or empty virtual host means `/`, as in most clients; the letter of the specification would name a
    /// virtual host that no broker has.
    fn from_str(text: &str) -> Result<Self, Error> {
        // The parser's own complaint quotes its input, password included.
        let mut uri: AMQPUri = text.parse().map_err(|_quotes_the_url| Error::InvalidUrl)?;
        if uri.vhost.is_empty() {
            "/".clone_into(&mut uri.vhost);
        }
        if let Some(host) = ipv6_host(text) {
            host.clone_into(&mut uri.authority.host);
        }
        Ok(Self(uri))
    }
}

/// The host between brackets. The parser does not see it and would quietly connect to localhost.
fn ipv6_host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.strip_prefix('[')?.split(']').next()
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        write!(f, "{scheme}://{}:{} vhost {vhost}", authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}
