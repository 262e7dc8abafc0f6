use super::*;

fn key(id: &str) -> Key {
    Key::Resource(ResourceKind::Session, id.to_owned())
}

fn started(groups: &mut Groups<u32>) -> Vec<(Key, Vec<u32>)> {
    std::iter::from_fn(|| groups.start_next()).map(|group| (group.key, group.jobs)).collect()
}

#[test]
fn events_of_one_resource_start_together() {
    let mut groups = Groups::new(Limits { busy: 8, all: 8 });
    for (id, job) in [("a", 1), ("b", 2), ("a", 3)] {
        groups.put(key(id), job);
    }
    assert_eq!(started(&mut groups), [(key("a"), vec![1, 3]), (key("b"), vec![2])]);
}

#[test]
fn a_resource_in_work_is_not_started_again_before_it_is_finished() {
    let mut groups = Groups::new(Limits { busy: 8, all: 8 });
    groups.put(key("a"), 1);
    assert_eq!(started(&mut groups).len(), 1);
    groups.put(key("a"), 2);
    groups.put(key("a"), 3);
    assert_eq!(started(&mut groups), []);
    groups.finish(&key("a"));
    assert_eq!(started(&mut groups), [(key("a"), vec![2, 3])]);
    assert!(!groups.is_idle());
    groups.finish(&key("a"));
    assert!(groups.is_idle());
}

#[test]
fn no_more_groups_run_than_allowed() {
    let mut groups = Groups::new(Limits { busy: 2, all: 9 });
    for id in ["a", "b", "c"] {
        groups.put(key(id), 0);
    }
    assert_eq!(started(&mut groups).len(), 2);
    assert!(groups.is_anybody_in_line() && !groups.may_start());
    groups.make_room();
    groups.finish(&key("b"));
    assert_eq!(started(&mut groups), [(key("c"), vec![0])]);
}

#[test]
fn a_group_that_makes_room_lets_the_next_one_start_but_not_one_of_its_own_resource() {
    let mut groups = Groups::new(Limits { busy: 1, all: 2 });
    for id in ["a", "b", "c"] {
        groups.put(key(id), 0);
    }
    assert_eq!(started(&mut groups), [(key("a"), vec![0])]);
    groups.put(key("a"), 1);
    groups.make_room();
    assert_eq!(started(&mut groups), [(key("b"), vec![0])]);
    groups.make_room();
    assert_eq!(started(&mut groups), [], "two run, and no more may");
    groups.finish(&key("a"));
    assert_eq!(started(&mut groups), [(key("c"), vec![0])]);
    groups.make_room();
    groups.finish(&key("b"));
    assert_eq!(started(&mut groups), [(key("a"), vec![1])]);
}

#[test]
fn what_nothing_is_fetched_for_may_go_beyond_that_but_never_overtakes_its_own_resource() {
    let mut groups = Groups::new(Limits { busy: 1, all: 1 });
    for id in ["a", "b"] {
        groups.put(key(id), 0);
    }
    assert_eq!(started(&mut groups).len(), 1);
    groups.put(key("a"), 1);
    let taken: Vec<_> = std::iter::from_fn(|| groups.take_next()).map(|group| group.key).collect();
    assert_eq!(taken, [key("b")]);
}

#[test]
fn a_group_that_is_put_back_starts_again_with_what_came_meanwhile() {
    let mut groups = Groups::new(Limits { busy: 8, all: 8 });
    groups.put(key("a"), 1);
    let group = groups.start_next().unwrap();
    groups.put(key("a"), 2);
    groups.make_room();
    groups.put_back(group);
    assert!(!groups.is_working());
    assert_eq!(started(&mut groups), [(key("a"), vec![1, 2])]);
}
