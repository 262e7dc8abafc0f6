use super::*;

#[test]
fn a_list_has_one_line_per_element_and_is_an_array() {
    let text = list(&[1, 2]).unwrap();
    assert_eq!(text, "[\n1,\n2\n]\n");
    assert_eq!(serde_json::from_str::<Vec<i32>>(&text).unwrap(), [1, 2]);
    assert_eq!(list::<i32>(&[]).unwrap(), "[]\n");
}

#[test]
fn laying_out_keeps_order_digits_and_strings() {
    let json = r#"{"z":1.00,"a":[{"b":"x, {y}: \"[\\"},{},[ ]],"n":12345678901234567890}"#;
    let expected = r#"{
  "z": 1.00,
  "a": [
    {
      "b": "x, {y}: \"[\\"
    },
    {},
    []
  ],
  "n": 12345678901234567890
}"#;
    assert_eq!(laid_out(json), expected);
    assert_eq!(laid_out(expected), expected);
}

#[test]
fn brackets_as_deep_as_you_like_do_no_harm() {
    let text = laid_out(&"[".repeat(10_000));
    assert_eq!(text.matches('[').count(), 10_000);
}
