//! Messages as text.

use testkit::broker::Peeked;

/// The value of a header, as text.
pub(crate) fn header(message: &Peeked, name: &str) -> Option<String> {
    let headers = message.properties.headers().as_ref()?;
    let value = headers.inner().get(name)?;
    Some(
        value.as_long_string().map_or_else(
            || format!("{value:?}"),
            |text| String::from_utf8_lossy(text.as_bytes()).into_owned(),
        ),
    )
}

/// All that is in a message: properties, headers and body.
pub(crate) fn text(message: &Peeked) -> String {
    let names = message.properties.headers().iter().flat_map(|headers| headers.inner().keys());
    let headers: Vec<String> =
        names.map(|name| format!("{name}: {:?}", header(message, name.as_str()))).collect();
    let body = String::from_utf8_lossy(&message.body);
    format!("{:?}\n{}\n{body}", message.properties, headers.join("\n"))
}
