use super::*;

#[test]
fn a_table_has_aligned_columns_and_no_trailing_white_space() {
    let mut rows = Rows::with_header(&["event", "status"], Colours::Never);
    rows.add(["whe_1", "applied"]).add(["whe_long", "dead"]);
    assert_eq!(rows.render(), "EVENT     STATUS\nwhe_1     applied\nwhe_long  dead\n");
}

#[test]
fn text_of_strangers_cannot_steer_the_terminal() {
    let mut rows = Rows::without_header(Colours::Never);
    rows.add(["error", "\u{1b}[2J"]);
    assert!(!rows.render().contains('\u{1b}'));
}
