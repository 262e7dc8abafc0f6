//! Pages of lists and the cursors between them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::world::refusal::Refusal;

/// Direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Asc,
    Desc,
}

/// Where an item stands in its list: milliseconds since the epoch, then a tie-breaker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) at: i64,
    pub(crate) tie: String,
}

/// A range of times, as in `created_at[gte]=…`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    pub(crate) gt: Option<DateTime<Utc>>,
    pub(crate) gte: Option<DateTime<Utc>>,
    pub(crate) lt: Option<DateTime<Utc>>,
    pub(crate) lte: Option<DateTime<Utc>>,
}

impl Range {
    /// Whether a time, in milliseconds since the epoch, lies inside.
    pub(crate) fn contains(&self, at: i64) -> bool {
        self.gt.is_none_or(|bound| at > bound.timestamp_millis())
            && self.gte.is_none_or(|bound| at >= bound.timestamp_millis())
            && self.lt.is_none_or(|bound| at < bound.timestamp_millis())
            && self.lte.is_none_or(|bound| at <= bound.timestamp_millis())
    }
}

/// Which page of which list is wanted.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    /// Names the list, so that a cursor of another one is refused.
    pub(crate) list: String,
    pub(crate) order: Order,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
    pub(crate) range: Range,
}

/// A page and the cursors to its neighbours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
    pub(crate) prev: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Toward {
    Next,
    Prev,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: String,
    order: Order,
    toward: Toward,
    position: Position,
}

impl Cursor {
    fn encode(&self) -> Option<String> {
        let json = serde_json::to_vec(self).ok()?;
        Some(format!("page_{}", URL_SAFE_NO_PAD.encode(json)))
    }

    fn decode(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text.strip_prefix("page_")?).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// Cuts the wanted page out of all items, which may come in any order.
pub(crate) fn page<T>(mut items: Vec<(Position, T)>, request: &PageRequest) -> Result<Page<T>, Refusal> {
    items.retain(|(position, _)| request.range.contains(position.at));
    match request.order {
        Order::Asc => items.sort_by(|(a, _), (b, _)| a.cmp(b)),
        Order::Desc => items.sort_by(|(a, _), (b, _)| b.cmp(a)),
    }
    let start = match &request.cursor {
        None => 0,
        Some(cursor) => start(&items, &accepted(cursor, request)?, request.limit),
    };
    let end = (start + request.limit).min(items.len());
    let link = |toward, position: Option<&Position>| {
        let position = position?.clone();
        Cursor { list: request.list.clone(), order: request.order, toward, position }.encode()
    };
    let at = |index: usize| items.get(index).map(|(position, _)| position);
    let next = if end < items.len() { link(Toward::Next, end.checked_sub(1).and_then(at)) } else { None };
    let prev = if start > 0 { link(Toward::Prev, at(start)) } else { None };
    let items = items.into_iter().skip(start).take(end - start).map(|(_, item)| item).collect();
    Ok(Page { items, next, prev })
}

/// A cursor is bound to its list and order, and a time filter must not exclude its position.
fn accepted(cursor: &str, request: &PageRequest) -> Result<Cursor, Refusal> {
    let cursor = Cursor::decode(cursor)
        .filter(|cursor| cursor.list == request.list)
        .ok_or_else(|| Refusal::invalid("page: invalid or expired cursor"))?;
    if cursor.order != request.order {
        return Err(Refusal::invalid("page: the cursor was made with another order"));
    }
    if !request.range.contains(cursor.position.at) {
        return Err(Refusal::invalid("page: the created_at filter excludes the cursor's position"));
    }
    Ok(cursor)
}

fn start<T>(items: &[(Position, T)], cursor: &Cursor, limit: usize) -> usize {
    let before = |position: &Position| match cursor.order {
        Order::Asc => *position < cursor.position,
        Order::Desc => *position > cursor.position,
    };
    let here = items.partition_point(|(position, _)| before(position));
    match cursor.toward {
        Toward::Prev => here.saturating_sub(limit),
        // The item of the cursor may be gone by now; then the next one takes its index.
        Toward::Next => {
            here + usize::from(items.get(here).is_some_and(|(position, _)| *position == cursor.position))
        }
    }
}

#[cfg(test)]
mod tests;
