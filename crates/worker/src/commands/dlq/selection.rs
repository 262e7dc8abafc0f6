//! Which dead letters a command is about.

use crate::error::Error;
use crate::moment::Moment;
use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::{EventStatus, FailureClass};
use store::{DeadFilter, Store};

/// What narrows a selection.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which")]
pub(crate) struct FilterArgs {
    /// Only those of this type; a trailing * matches any ending
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,

    /// Only those that happened to the resource of this id
    #[arg(long, value_name = "ID")]
    resource: Option<String>,

    /// Only those whose last failure was of this class
    #[arg(long, value_parser = class())]
    class: Option<FailureClass>,

    /// Only those with this text in their last error
    #[arg(long)]
    text: Option<String>,

    /// Only those that died before: how long ago (1h), or an instant (2026-11-22T00:41:05Z)
    #[arg(long, value_name = "TIME")]
    older_than: Option<Moment>,

    /// Only those that died since: how long ago, or an instant
    #[arg(long, value_name = "TIME")]
    newer_than: Option<Moment>,

    /// Only those that this endpoint received
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
}

fn class() -> impl TypedValueParser<Value = FailureClass> {
    PossibleValuesParser::new(FailureClass::ALL.map(FailureClass::as_str)).try_map(|text| text.parse())
}

impl FilterArgs {
    /// The filter, with these ids; no ids mean any.
    pub(crate) fn filter(&self, ids: &[String], now: DateTime<Utc>) -> DeadFilter {
        DeadFilter {
            event_ids: (!ids.is_empty()).then(|| ids.to_vec()),
            event_type: self.event_type.clone(),
            resource_id: self.resource.clone(),
            error_class: self.class,
            text: self.text.clone(),
            endpoint: self.endpoint.clone(),
            died_before: self.older_than.map(|moment| moment.at(now)),
            died_after: self.newer_than.map(|moment| moment.at(now)),
        }
    }

    const fn is_empty(&self) -> bool {
        self.event_type.is_none()
            && self.resource.is_none()
            && self.class.is_none()
            && self.text.is_none()
            && self.older_than.is_none()
            && self.newer_than.is_none()
            && self.endpoint.is_none()
    }
}

/// The dead letters that a command changes. They have to be named; nobody empties the queue by leaving something out.
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectionArgs {
    /// Ids of events; filters narrow them further
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,

    #[command(flatten)]
    filter: FilterArgs,

    /// All dead letters
    #[arg(long, conflicts_with_all = ["ids", "FilterArgs"], help_heading = "Which")]
    all: bool,

    /// Do not ask; needed with a filter or --all where there is no terminal to ask on
    #[arg(long, help_heading = "How")]
    pub(crate) yes: bool,
}

/// What was selected.
#[derive(Debug)]
pub(crate) struct Selected {
    /// As the store takes it.
    pub(crate) filter: DeadFilter,
    /// Whether each of them was named by its id, so that there is nothing to ask.
    pub(crate) by_id: bool,
}

impl SelectionArgs {
    /// What is selected at `now`.
    ///
    /// # Errors
    /// When nothing is.
    pub(crate) fn select(&self, now: DateTime<Utc>) -> Result<Selected, Error> {
        if self.ids.is_empty() && self.filter.is_empty() && !self.all {
            return Err(Error::NothingSelected);
        }
        Ok(Selected { filter: self.filter.filter(&self.ids, now), by_id: !self.ids.is_empty() })
    }

    /// Checks that each event that was named is a dead letter.
    ///
    /// # Errors
    /// When one does not exist, or stands otherwise; or when Postgres is away.
    pub(crate) async fn check_ids(&self, store: &Store) -> anyhow::Result<()> {
        let mut connection = store.connection().await?;
        let mut others = Vec::new();
        for id in &self.ids {
            let found = store::find_events(&mut connection, id, self.filter.endpoint.as_deref()).await?;
            let Some(last) = found.last() else {
                return Err(Error::NoEvent { id: id.clone() }.into());
            };
            if found.iter().all(|event| event.row.status != EventStatus::Dead.as_str()) {
                others.push(format!("{id} is {}", last.row.status));
            }
        }
        if others.is_empty() { Ok(()) } else { Err(Error::NotDead { events: others.join(", ") }.into()) }
    }
}
