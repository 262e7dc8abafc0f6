use super::*;

/// The first test case of RFC 4231: 20 bytes 0x0b.
const SHORT_KEY: &str = "whsec_CwsLCwsLCwsLCwsLCwsLCwsLCws=";

#[test]
fn digests_are_those_of_rfc_4231() {
    let short = Secret::parse(SHORT_KEY).unwrap();
    assert_eq!(
        sign_body_hex(&short, b"Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );

    // The sixth test case: a key longer than a block of the hash.
    let long = Secret::parse(&format!("whsec_{}", STANDARD.encode([0xaa; 131]))).unwrap();
    assert_eq!(
        sign_body_hex(&long, b"Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}

#[test]
fn each_form_signs_its_own_content() {
    let secret = Secret::parse(SHORT_KEY).unwrap();
    let digest = |content: &[u8]| sign_body_hex(&secret, content);
    let base64 = |content: &[u8]| sign_body_base64(&secret, content);

    assert_eq!(
        sign(&secret, "whe_1", 1_773_568_805, b"{}"),
        format!("v1,{}", base64(b"whe_1.1773568805.{}"))
    );
    assert_eq!(
        sign_timestamped_hex(&secret, 1_773_568_805, b"{}"),
        format!("t=1773568805,v1={}", digest(b"1773568805.{}"))
    );
    assert_eq!(base64(b"Hi There"), "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=");
}
