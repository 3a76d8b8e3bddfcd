//! Lists, page by page: `?after={cursor}&limit={n}` and `{"items": […], "next": "…"}`.

use crate::extract::invalid_query;
use crate::problem::Problem;
use serde::Serialize;
use std::str::FromStr;
use utoipa::ToSchema;

/// Most items on a page.
pub(crate) const LARGEST: u32 = 200;
/// Items on a page unless the request says.
const DEFAULT: u32 = 50;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items, in the order of the list.
    pub(crate) items: Vec<T>,
    /// Pass as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Which page is asked for.
pub(crate) struct Paging<C> {
    /// The last item of the page before.
    pub(crate) after: Option<C>,
    /// Most items on the page.
    pub(crate) limit: u32,
}

impl<C: FromStr> Paging<C> {
    /// Checks the parameters `after` and `limit` of a query.
    pub(crate) fn of(after: Option<&str>, limit: Option<u32>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=LARGEST).contains(&limit) {
            return Err(invalid_query("`limit` is 1 to 200"));
        }
        let after = after.map(str::parse).transpose();
        let after = after.map_err(|_| invalid_query("`after` is the `next` of the page before"))?;
        Ok(Self { after, limit })
    }

    /// Most items on the page.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many to read: one more than the page holds tells whether there is a next one.
    pub(crate) fn to_read(&self) -> u32 {
        self.limit + 1
    }

    /// The page, of what was read.
    pub(crate) fn page<V, T>(
        &self,
        mut read: Vec<V>,
        cursor: impl Fn(&V) -> String,
        show: impl FnMut(V) -> T,
    ) -> Page<T> {
        let more = read.len() > self.limit as usize;
        read.truncate(self.limit as usize);
        let next = read.last().filter(|_| more).map(cursor);
        Page { items: read.into_iter().map(show).collect(), next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(
        limit: Option<u32>,
        after: Option<&str>,
        all: std::ops::Range<u32>,
    ) -> (Vec<u32>, Option<String>) {
        let Ok(paging) = Paging::<u32>::of(after, limit) else { panic!("good parameters") };
        let first = paging.after.map_or(all.start, |after| after + 1);
        let read = (first..all.end).take(paging.to_read() as usize).collect();
        let page = paging.page(read, u32::to_string, |item| item);
        (page.items, page.next)
    }

    #[test]
    fn a_list_is_read_page_by_page_to_its_end() {
        assert_eq!(page_of(Some(2), None, 0..5), (vec![0, 1], Some("1".into())));
        assert_eq!(page_of(Some(2), Some("1"), 0..5), (vec![2, 3], Some("3".into())));
        assert_eq!(page_of(Some(2), Some("3"), 0..5), (vec![4], None));
        assert_eq!(page_of(Some(5), None, 0..5), (vec![0, 1, 2, 3, 4], None), "a full last page has no next");
        assert_eq!(page_of(None, None, 0..0), (vec![], None));
    }

    #[test]
    fn pages_have_bounds_and_cursors_a_form() {
        for (after, limit) in [(None, Some(0)), (None, Some(201)), (Some("x"), None)] {
            let Err(problem) = Paging::<u32>::of(after, limit) else { panic!("{after:?} {limit:?}") };
            assert_eq!(problem.code, "invalid_query");
        }
    }
}
