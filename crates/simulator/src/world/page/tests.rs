use proptest::prelude::*;

use super::*;

fn request(order: Order, limit: usize, cursor: Option<String>) -> PageRequest {
    PageRequest { list: "numbers".into(), order, limit, cursor, range: Range::default() }
}

fn items(count: i64) -> Vec<(Position, i64)> {
    // Three items share each millisecond, so that the tie-breaker matters.
    (0..count).map(|n| (Position { at: n / 3, tie: format!("{n:04}") }, n)).collect()
}

proptest! {
    #[test]
    fn following_next_visits_every_item_once_in_order(count in 0_i64..60, limit in 1_usize..20, descending: bool) {
        let order = if descending { Order::Desc } else { Order::Asc };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = page(items(count), &request(order, limit, cursor)).unwrap();
            prop_assert!(page.items.len() <= limit);
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() { break }
        }
        let mut expected: Vec<i64> = (0..count).collect();
        if descending { expected.reverse() }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn prev_leads_back_to_the_page_before(limit in 1_usize..10) {
        let first = page(items(40), &request(Order::Desc, limit, None)).unwrap();
        let second = page(items(40), &request(Order::Desc, limit, first.next.clone())).unwrap();
        let back = page(items(40), &request(Order::Desc, limit, second.prev)).unwrap();
        prop_assert!(first.prev.is_none());
        prop_assert_eq!(back, first);
    }
}

#[test]
fn a_cursor_is_bound_to_its_order_its_list_and_its_range() {
    let cursor = page(items(9), &request(Order::Desc, 2, None)).unwrap().next;
    let mut wrong_range = request(Order::Desc, 2, cursor.clone());
    wrong_range.range.lt = DateTime::from_timestamp_millis(1);
    let mut wrong_list = request(Order::Desc, 2, cursor.clone());
    wrong_list.list = "letters".into();

    assert!(page(items(9), &request(Order::Desc, 3, cursor.clone())).is_ok());
    assert!(page(items(9), &request(Order::Asc, 2, cursor)).is_err());
    assert!(page(items(9), &wrong_range).is_err());
    assert!(page(items(9), &wrong_list).is_err());
    assert!(page(items(9), &request(Order::Asc, 2, Some("page_garbage".into()))).is_err());
}

#[test]
fn a_page_goes_on_where_its_last_item_was_even_if_that_is_gone() {
    let cursor = page(items(9), &request(Order::Asc, 3, None)).unwrap().next;
    let rest: Vec<_> = items(9).into_iter().filter(|(_, n)| *n != 2).collect();
    assert_eq!(page(rest, &request(Order::Asc, 2, cursor)).unwrap().items, [3, 4]);
}
