use proptest::prelude::*;
use serde_json::{Map, Number, Value};

use super::*;

const TEXT: &str =
    r#" { "b" : [ 1.0 , -2e+3, true,null ] ,"a":{ "é\/\u00e9\"}":"\ud83d\ude80" },"e":[ ],"f":{} } "#;

#[test]
fn members_keep_their_order_and_numbers_their_spelling() {
    assert_eq!(
        rewrite(TEXT, Layout::Compact, Escapes::Few).unwrap(),
        r#"{"b":[1.0,-2e+3,true,null],"a":{"é/é\"}":"🚀"},"e":[],"f":{}}"#
    );
}

#[test]
fn one_line_with_ascii_escapes_is_what_python_writes() {
    assert_eq!(
        rewrite(TEXT, Layout::OneLine, Escapes::Ascii).unwrap(),
        r#"{"b": [1.0, -2e+3, true, null], "a": {"\u00e9/\u00e9\"}": "\ud83d\ude80"}, "e": [], "f": {}}"#
    );
}

#[test]
fn empty_containers_stay_on_their_line() {
    let text = r#"{"a":[{"b":1},[]],"c":{}}"#;
    assert_eq!(
        rewrite(text, Layout::Indented(4), Escapes::Few).unwrap(),
        "{\n    \"a\": [\n        {\n            \"b\": 1\n        },\n        []\n    ],\n    \"c\": {}\n}"
    );
}

#[test]
fn a_lone_surrogate_keeps_its_escape() {
    assert_eq!(rewrite(r#"[ "\ud83d" ]"#, Layout::Compact, Escapes::Few).unwrap(), r#"["\ud83d"]"#);
}

#[test]
fn what_is_no_json_is_left_alone() {
    for text in ["", "{", "nonsense", r#"{"a":1}x"#, r#"["open]"#] {
        assert_eq!(rewrite(text, Layout::Compact, Escapes::Few), None, "{text}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(Number::from(number))),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

proptest! {
    #[test]
    fn every_style_turns_into_every_other(value in values()) {
        let compact = serde_json::to_string(&value).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(rewrite(&compact, Layout::Indented(2), Escapes::Few).unwrap(), pretty.clone());

        let python = rewrite(&pretty, Layout::OneLine, Escapes::Ascii).unwrap();
        prop_assert!(python.is_ascii());
        prop_assert_eq!(rewrite(&python, Layout::Compact, Escapes::Few).unwrap(), compact);
    }
}
