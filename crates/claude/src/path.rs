//! URLs of the API, made of fixed words and of ids that come from outside.

#[cfg(test)]
mod tests;

use crate::Error;
use domain::ResourceKind;
use reqwest::Url;

/// A piece of a path below `/v1`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Segment<'a> {
    /// A word of the API.
    Word(&'static str),
    /// The id of a resource. Ids arrive in webhooks; they are opaque and may hold anything.
    Id(ResourceKind, &'a str),
}

impl<'a> Segment<'a> {
    /// The segment's text, if it is certain to stay one segment when it is percent-encoded.
    fn checked(self) -> Result<&'a str, Error> {
        let (kind, id) = match self {
            Self::Word(word) => return Ok(word),
            Self::Id(kind, id) => (kind.as_str(), id),
        };
        let invalid = |reason| Err(Error::InvalidId { kind, reason });
        match id {
            // An empty segment would turn "one session" into "all sessions".
            "" => invalid("is empty"),
            // URLs have no way to spell these as names; the library leaves them out without a word.
            "." | ".." => invalid("is a relative path"),
            // Tabs and line feeds are dropped by the URL standard: another resource would be asked for.
            id if id.chars().any(char::is_control) => invalid("has control characters"),
            id => Ok(id),
        }
    }
}

/// The base URL, once it is known to be one.
///
/// # Errors
/// [`Error::BaseUrl`] for anything that is not plain `http(s)://host[:port][/prefix]`.
pub(crate) fn parse_base(text: &str) -> Result<Url, Error> {
    let refuse = |reason| Err(Error::BaseUrl { reason });
    let Ok(url) = Url::parse(text) else { return refuse("is not a URL") };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or a fragment");
    }
    Ok(url)
}

/// The URL of a resource: base, `v1`, and the segments, each percent-encoded.
///
/// # Errors
/// [`Error::InvalidId`] for an id that could leave its segment.
pub(crate) fn join(base: &Url, segments: &[Segment<'_>]) -> Result<Url, Error> {
    let mut url = base.clone();
    {
        // Only URLs without a host refuse here, and `parse_base` lets none of them in.
        let mut path = url.path_segments_mut().map_err(|()| Error::BaseUrl { reason: "has no path" })?;
        path.pop_if_empty().push("v1");
        for segment in segments {
            path.push(segment.checked()?);
        }
    }
    Ok(url)
}
