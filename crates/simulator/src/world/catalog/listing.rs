//! Lists of resources: filters and order.

use serde_json::Value;

use crate::world::{
    World,
    catalog::{Kind, Resource},
    listing::milliseconds,
    page::{Page, PageRequest, Position, page},
    refusal::Refusal,
    stamp::text,
};

/// Items of a page for which no limit was asked.
pub(crate) const DEFAULT_LIMIT: usize = 20;

/// What a kind's list takes.
#[derive(Debug)]
pub(crate) struct ListRules {
    /// A larger `limit` is refused.
    pub(crate) max_limit: usize,
    /// The parameters beside `limit` and `page`.
    pub(crate) filters: &'static [&'static str],
}

/// Which items are wanted; empty ones let everything through.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// The id in the path, for kinds that have a parent.
    pub(crate) parent: Option<String>,
    pub(crate) include_archived: bool,
    pub(crate) status: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) deployment_id: Option<String>,
    pub(crate) has_error: Option<bool>,
    pub(crate) trigger_type: Option<String>,
}

impl Filter {
    fn admits(&self, kind: Kind, item: &Resource) -> bool {
        let inner = |outer: &str, inner: &str| {
            item.object.get(outer).and_then(|found| found.get(inner)).and_then(Value::as_str)
        };
        let has_error = item.object.get("error").is_some_and(|error| !error.is_null());
        let parent = kind.rules().parent.map(|parent| format!("{}_id", parent.rules().name));
        // Asking for a status asks for archived ones, too: they keep theirs.
        (self.include_archived || self.status.is_some() || !item.is_archived())
            && parent.is_none_or(|member| Some(text(&item.object, &member)) == self.parent.as_deref())
            && self.status.as_deref().is_none_or(|status| item.text("status") == status)
            && self.agent_id.as_deref().is_none_or(|id| inner("agent", "id") == Some(id))
            && self.deployment_id.as_deref().is_none_or(|id| item.text("deployment_id") == id)
            && self.has_error.is_none_or(|wanted| wanted == has_error)
            && self.trigger_type.as_deref().is_none_or(|kind| inner("trigger_context", "type") == Some(kind))
    }
}

impl World {
    /// A page, newest first.
    pub(crate) fn list_resources(
        &mut self,
        kind: Kind,
        filter: &Filter,
        request: &PageRequest,
    ) -> Result<Page<Value>, Refusal> {
        if filter.include_archived && filter.status.is_some() {
            return Err(Refusal::invalid("status and include_archived exclude each other"));
        }
        if let (Some(parent), Some(id)) = (kind.rules().parent, &filter.parent) {
            self.catalog.get(parent, id)?;
        }
        let admitted = self.catalog.of(kind).filter(|item| filter.admits(kind, item));
        let items = admitted.map(|item| {
            let at = milliseconds(item.text("created_at")).unwrap_or_default();
            (Position { at, tie: item.id().to_owned() }, item.to_value())
        });
        page(items.collect(), request)
    }
}
