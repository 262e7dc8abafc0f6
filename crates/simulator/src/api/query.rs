//! Query parameters: arrays and ranges in bracket form, strict about everything else.

use actix_web::web;
use chrono::{DateTime, Utc};

use crate::world::{Order, PageRequest, Range, Refusal};

/// The one range that lists filter by.
const RANGE: &str = "created_at";

/// The parameters of one request, decoded.
pub(crate) struct Params(Vec<(String, String)>);

/// What a list allows for its pages.
pub(crate) struct Paging {
    pub(crate) order: Order,
    /// Without `limit`, this many items.
    pub(crate) default_limit: usize,
    /// A larger `limit` is refused.
    pub(crate) max_limit: usize,
}

impl Params {
    /// Decodes a query string; parameters beside `known` and `beta` are refused, so that typos and arrays without
    /// brackets are noticed. The bounds of a range are known by the range's name, or one by one.
    pub(crate) fn parse(query: &str, known: &[&str]) -> Result<Self, Refusal> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| Refusal::invalid(format!("query: {error}")))?
            .into_inner();
        let is_known = |name: &str| match name.split_once('[') {
            // A list that takes only some of the bounds names them.
            Some((RANGE, _)) if known.contains(&name) => true,
            // A bound such as `created_at[gte]` is known by its range; a range without a bound is not.
            Some((range, "gt]" | "gte]" | "lt]" | "lte]")) => range == RANGE && known.contains(&range),
            _ => name == "beta" || (name != RANGE && known.contains(&name)),
        };
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(Refusal::invalid(format!("query: unknown parameter {name:?}"))),
            None => Ok(Self(pairs)),
        }
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A repeated parameter, named with its brackets.
    pub(crate) fn many(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let wrong = |_| Refusal::invalid(format!("{name}: invalid value"));
        self.one(name).map(str::parse).transpose().map_err(wrong)
    }

    pub(crate) fn page_request(&self, list: &str, paging: &Paging) -> Result<PageRequest, Refusal> {
        let limit = self.parsed("limit")?.unwrap_or(paging.default_limit);
        if limit == 0 || limit > paging.max_limit {
            return Err(Refusal::invalid(format!("limit: between 1 and {}", paging.max_limit)));
        }
        let order = match self.one("order") {
            None => paging.order,
            Some("asc") => Order::Asc,
            Some("desc") => Order::Desc,
            Some(_) => return Err(Refusal::invalid("order: asc or desc")),
        };
        let cursor = self.one("page").map(str::to_owned);
        Ok(PageRequest { list: list.to_owned(), order, limit, cursor, range: self.range()? })
    }

    fn range(&self) -> Result<Range, Refusal> {
        let bound = |operator: &str| self.time(&format!("{RANGE}[{operator}]"));
        Ok(Range { gt: bound("gt")?, gte: bound("gte")?, lt: bound("lt")?, lte: bound("lte")? })
    }

    fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| Refusal::invalid(format!("{name}: not an RFC 3339 time")))?;
        Ok(Some(time.to_utc()))
    }
}
