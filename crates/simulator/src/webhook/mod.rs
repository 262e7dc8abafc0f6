//! The webhook sender: envelopes, signatures, attempts, and a record of what came of them.

mod backoff;
mod courier;
mod endpoint;
mod envelope;
mod journal;
mod signature;

pub(crate) use self::{
    courier::{Courier, Parcel},
    endpoint::{DeliveryOptions, Endpoint},
    envelope::{Dialect, Envelope, ORGANIZATION},
    journal::{Journal, Outcome, Report},
    signature::SignatureMode,
};
