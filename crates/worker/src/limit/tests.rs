use super::*;
use crate::print::Colours;

const TEXT: Form = Form::Text(Colours::Never);

#[test]
fn a_table_tells_that_there_is_more_exactly_when_there_is() {
    let limit = LimitArgs { limit: Some(2) };
    assert_eq!(limit.rows_to_read(TEXT), 3);
    let mut all = vec![1, 2];
    assert_eq!(limit.cut(&mut all), "");
    let mut more = vec![1, 2, 3];
    assert!(limit.cut(&mut more).contains("more than these 2"));
    assert_eq!(more, [1, 2]);
}

#[test]
fn machines_get_everything_unless_they_say_how_much() {
    assert_eq!(LimitArgs { limit: None }.rows_to_read(Form::Json), i64::MAX);
    assert_eq!(LimitArgs { limit: Some(2) }.rows_to_read(Form::Json), 2);
}
