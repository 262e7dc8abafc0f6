//! `worker transcripts`.

use crate::lab::{Lab, SESSION};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{FetchedTranscript, NewTranscriptPart};
use testkit::clock::real_now;

const OWN: &str = "{\"id\":\"sevt_1\",\"type\":\"agent.message\",\"content\":[{\"type\":\"text\",\"text\":\"hello\"}]}\n\
                   {\"id\":\"sevt_2\",\"type\":\"session.usage\"}\n";
const CHILD: &str = "{\"id\":\"sevt_3\",\"type\":\"agent.tool_use\",\"name\":\"bash\",\"input\":{}}\n";

/// Keeps a transcript as a worker would; its digest is that of `digest_of`.
async fn keep(lab: &Lab, digest_of: &str) -> Result<()> {
    let now = real_now();
    let mut tx = lab.store.begin("test").await?;
    let hold = store::begin_transcript(&mut tx, SESSION, 1, now, now, now + TimeDelta::minutes(1))
        .await?
        .context("somebody fetches it")?;
    for (position, thread_id, lines) in [(0, None, OWN), (1, Some("sthr_1"), CHILD)] {
        let part = NewTranscriptPart {
            position,
            part: 0,
            thread_id,
            events: i32::try_from(lines.lines().count())?,
            bytes: i64::try_from(lines.len())?,
            last_event_id: None,
            next_page: None,
            body: &zstd::bulk::compress(lines.as_bytes(), 3)?,
        };
        assert!(store::add_transcript_part(&mut tx, &hold, &part, now).await?);
    }
    let fetched = FetchedTranscript {
        reason: None,
        threads: 1,
        events: 3,
        bytes: i64::try_from(OWN.len() + CHILD.len())?,
        sha256: &Sha256::digest(digest_of.as_bytes()),
        last_event_id: Some("sevt_2"),
    };
    assert!(store::finish_transcript(&mut tx, &hold, &fetched).await?);
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_transcript_is_listed_read_and_exported_as_it_came() -> Result<()> {
    let lab = Lab::new().await?;
    keep(&lab, &format!("{OWN}{CHILD}")).await?;
    let listed = lab.worker(&["transcripts", "list", "--json"]).await?.json()?;
    assert_eq!((&listed[0]["session_id"], &listed[0]["complete"]), (&json!(SESSION), &json!(true)));
    let shown = lab.worker(&["transcripts", "show", SESSION]).await?;
    assert!(shown.stdout.contains("hello") && shown.stdout.contains("Thread sthr_1"), "{shown:?}");
    let facts = lab.worker(&["transcripts", "show", SESSION, "--json"]).await?.json()?;
    assert_eq!(
        (&facts["lists"][1]["thread_id"], &facts["lists"][1]["events"]),
        (&json!("sthr_1"), &json!(1))
    );
    let exported = lab.worker(&["transcripts", "export", SESSION]).await?;
    assert_eq!((exported.code, exported.stdout), (Some(0), format!("{OWN}{CHILD}")));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("t.md");
    let path = file.to_str().context("no path")?;
    let args = ["transcripts", "export", SESSION, "--format", "markdown", "--output", path];
    let written = lab.worker(&args).await?;
    assert!(written.stdout.starts_with("3 events written"), "{written:?}");
    assert!(std::fs::read_to_string(&file)?.contains("## agent: message"));
    let child = lab.worker(&["transcripts", "export", SESSION, "--thread", "sthr_1"]).await?;
    assert_eq!(child.stdout, CHILD);
    let nobody = lab.worker(&["transcripts", "export", SESSION, "--thread", "sthr_9"]).await?;
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("sthr_9"), "{nobody:?}");
    Ok(())
}

#[tokio::test]
async fn a_session_without_a_transcript_is_a_failure_that_says_what_to_do() -> Result<()> {
    let lab = Lab::new().await?;
    for command in ["show", "export"] {
        let said = lab.worker(&["transcripts", command, "sesn_none"]).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
        assert!(said.stderr.contains("worker resources show session"), "{said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_transcript_is_not_passed_off_as_sound() -> Result<()> {
    let lab = Lab::new().await?;
    keep(&lab, "something else").await?;
    let said = lab.worker(&["transcripts", "export", SESSION]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.stderr.contains("damaged"), "{said:?}");
    Ok(())
}
