//! Faults that are injected into API answers, by rule.

mod inject;
mod rule;

pub(crate) use self::{
    inject::inject,
    rule::{Body, Faults, Phase, Rule},
};
