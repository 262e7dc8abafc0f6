use super::*;

#[test]
fn the_same_seed_makes_the_same_plan() {
    let order = LiveOrder { abandon: 0.2, ..LiveOrder::default() };
    assert_eq!(format!("{:?}", plan(&order, 5)), format!("{:?}", plan(&order, 5)));
    assert_ne!(format!("{:?}", plan(&order, 5)), format!("{:?}", plan(&order, 6)));
}

#[test]
fn shares_and_numbers_are_those_of_the_order() {
    let order = LiveOrder { sessions: 300, resources: 12, turns: 3, asks: 0.5, ..LiveOrder::default() };
    let plan = plan(&order, 1);
    assert_eq!((plan.sessions.len(), plan.resources.len()), (300, 12));
    assert!(plan.sessions.iter().all(|steps| (2..=4).contains(&steps.len())));
    let steps: Vec<&Step> = plan.sessions.iter().flatten().collect();
    let asks = steps.iter().filter(|step| matches!(step, Step::Ask(_))).count();
    let turns = steps.len() - 300;
    assert!(asks * 10 > turns * 4 && asks * 10 < turns * 6, "{asks} of {turns}");
    assert!(!steps.iter().any(|step| matches!(step, Step::AskInVain(_))));
    assert!(plan.resources.iter().all(|story| story.first().is_some_and(|name| name.ends_with(".created"))));
}

#[test]
fn every_question_has_something_to_answer() {
    let order = LiveOrder { sessions: 50, asks: 1.0, ..LiveOrder::default() };
    for step in plan(&order, 2).sessions.into_iter().flatten() {
        if let Step::Ask(tools) = step {
            assert!(tools.iter().any(|tool| tool.kind == "agent.custom_tool_use"), "{tools:?}");
        }
    }
}
