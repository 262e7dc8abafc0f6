//! The members of an object that an envelope may need, read in one pass. Everything else is skipped unread: a payload
//! can be large, and of most of it we need nothing.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// All members that mean anything to us, at the top or in `data`.
const NAMES: [&str; 11] = [
    "type",
    "id",
    "event_id",
    "created_at",
    "organization_id",
    "workspace_id",
    "session_id",
    "session_thread_id",
    "agent_id",
    "vault_id",
    "data",
];

/// A JSON value, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A whole number that fits.
    Integer(i64),
    /// Any other number.
    Number,
    Object(Box<Members<'a>>),
    Other,
}

impl Scalar<'_> {
    pub(super) const fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Number)
    }
}

/// The known members of an object. Of a member that stands there twice, the last one counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Members<'a> {
    values: [Option<Scalar<'a>>; NAMES.len()],
}

impl<'a> Members<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&Scalar<'a>> {
        let place = NAMES.iter().position(|known| *known == name)?;
        self.values.get(place)?.as_ref()
    }

    pub(super) fn object(&self, name: &str) -> Option<&Self> {
        match self.get(name)? {
            Scalar::Object(members) => Some(members),
            Scalar::Null | Scalar::Text(_) | Scalar::Integer(_) | Scalar::Number | Scalar::Other => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Scalar::Text(text) => Some(text),
            Scalar::Null | Scalar::Integer(_) | Scalar::Number | Scalar::Object(_) | Scalar::Other => None,
        }
    }
}

/// A member's place in [`NAMES`], if it has one.
struct Place(Option<usize>);

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Place, E> {
                Ok(Place(NAMES.iter().position(|known| *known == name)))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(number).map_or(Scalar::Number, Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Scalar<'de>, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(Place(place)) = map.next_key()? {
            match place.and_then(|place| members.values.get_mut(place)) {
                Some(value) => *value = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Scalar::Object(Box::new(members)))
    }
}
