//! Nothing that a log line could print has a secret or a signature in it.

use super::*;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn assert_quiet(printed: &str, signature: &str) {
    assert!(!printed.contains(&SECRET[6..]), "{printed}");
    assert!(!printed.contains(signature.trim_start_matches("v1,")), "{printed}");
}

#[test]
fn debug_and_display_never_contain_a_secret_or_a_signature() {
    let now = NOW.to_string();
    for form in Form::ALL {
        let signature = form.sign(&secret(), ID, NOW, BODY);
        let headers = form.headers(ID, &now, &signature);
        let verified = check(&headers, BODY, &[secret()]).unwrap();
        let rejection = check(&headers, b"something else", &[secret()]).unwrap_err();
        let diagnosis = crate::diagnose(&headers, b"something else", &[secret()], NOW, 300, Schemes::All);
        for printed in [
            format!("{:?}", secret()),
            format!("{:?}", vec![secret()]),
            format!("{headers:?}"),
            format!("{verified:?}"),
            format!("{rejection:?} {rejection}"),
            format!("{diagnosis:?}"),
        ] {
            assert_quiet(&printed, &signature);
        }
    }
}
