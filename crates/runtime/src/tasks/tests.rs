use super::Tasks;
use crate::{Backoff, Error};
use anyhow::bail;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than any test needs.
const PATIENCE: Duration = Duration::from_secs(20);
const QUICK: Backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(10));

/// Set when it is dropped.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_shutdown_waits_for_work_that_finishes_in_time() {
    let tasks = Tasks::new();
    let finished = Arc::new(AtomicBool::new(false));
    let (soft, done) = (tasks.shutdown().soft().clone(), Arc::clone(&finished));
    tasks.spawn("work", async move {
        soft.cancelled().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        done.store(true, Ordering::SeqCst);
    });
    tasks.shutdown().begin();
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
    assert!(finished.load(Ordering::SeqCst));
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_dropped_and_is_no_failure() {
    let tasks = Tasks::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let on_drop = OnDrop(Arc::clone(&dropped));
    tasks.spawn_critical("stuck", async move {
        let _on_drop = on_drop;
        pending().await
    });
    assert_eq!(tasks.unfinished(), "stuck");
    tasks.shutdown().begin();
    let drain = Duration::from_millis(100);
    let start = Instant::now();
    tasks.run_until_shutdown(drain).await.unwrap();
    assert!(start.elapsed() >= drain);
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(tasks.unfinished(), "");
}

#[tokio::test]
async fn a_lasting_task_serves_until_the_others_are_done() {
    let tasks = Tasks::new();
    let served_to_the_end = Arc::new(AtomicBool::new(false));
    let (hard, served) = (tasks.shutdown().hard().clone(), Arc::clone(&served_to_the_end));
    tasks.spawn_lasting("health", async move {
        hard.cancelled().await;
        served.store(true, Ordering::SeqCst);
        Ok(())
    });
    let (shutdown, served) = (tasks.shutdown().clone(), Arc::clone(&served_to_the_end));
    tasks.spawn_critical("work", async move {
        shutdown.soft().cancelled().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        anyhow::ensure!(!served.load(Ordering::SeqCst), "the lasting task ended before this one");
        Ok(())
    });
    tasks.shutdown().begin();
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
    assert!(served_to_the_end.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_failure_of_a_critical_task_ends_the_process_with_it() {
    let tasks = Tasks::new();
    tasks.spawn_critical("consumer", async { bail!("no broker") });
    let error = tasks.run_until_shutdown(PATIENCE).await.unwrap_err();
    assert!(matches!(&error, Error::TaskFailed { task: "consumer", .. }), "{error:?}");
    assert_eq!(telemetry::Chain(&error).to_string(), "task consumer failed: no broker");
}

#[tokio::test]
async fn the_panic_of_a_critical_task_ends_the_process_with_it() {
    let tasks = Tasks::new();
    tasks.spawn_critical("consumer", async { panic!("at number {}", 13) });
    let error = tasks.run_until_shutdown(PATIENCE).await.unwrap_err();
    assert_eq!(error.to_string(), "task consumer panicked: at number 13");
}

#[tokio::test]
async fn the_early_end_of_a_critical_task_is_a_failure() {
    let tasks = Tasks::new();
    tasks.spawn_critical("consumer", async { Ok(()) });
    let error = tasks.run_until_shutdown(PATIENCE).await.unwrap_err();
    assert!(matches!(error, Error::TaskEnded { task: "consumer" }), "{error:?}");
}

#[tokio::test]
async fn the_panic_of_any_other_task_harms_nobody() {
    let tasks = Tasks::new();
    tasks.spawn("errand", async { panic!("lost the list") });
    let (wait, shutdown) = (tasks.tracker.clone(), tasks.shutdown().clone());
    tasks.spawn_lasting("end", async move {
        // The errand is over when nothing is tracked any more.
        wait.close();
        wait.wait().await;
        assert!(!shutdown.has_begun());
        shutdown.begin();
        Ok(())
    });
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_duty_is_begun_again_after_failures_panics_and_early_ends() {
    let tasks = Tasks::new();
    let begun = Arc::new(AtomicU32::new(0));
    let (count, shutdown) = (Arc::clone(&begun), tasks.shutdown().clone());
    tasks.supervise("relay", QUICK, move || {
        let (turn, shutdown) = (count.fetch_add(1, Ordering::SeqCst), shutdown.clone());
        async move {
            match turn {
                0 => bail!("refused"),
                1 => panic!("a bug"),
                2 => Ok(()),
                _ => {
                    shutdown.begin();
                    Ok(())
                }
            }
        }
    });
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_duty_that_panics_before_its_first_await_is_begun_again() {
    let tasks = Tasks::new();
    let shutdown = tasks.shutdown().clone();
    let mut turn = 0;
    tasks.supervise("relay", QUICK, move || {
        turn += 1;
        assert!(turn > 1, "the first turn panics while its future is made");
        shutdown.begin();
        async { Ok(()) }
    });
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_delay_of_a_duty() {
    let tasks = Tasks::new();
    let shutdown = tasks.shutdown().clone();
    tasks.supervise("relay", Backoff::new(PATIENCE, PATIENCE), move || {
        let shutdown = shutdown.clone();
        async move {
            // Begins the shutdown only after this duty has failed and waits.
            let later = shutdown.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                later.begin();
            });
            bail!("refused")
        }
    });
    let start = Instant::now();
    tasks.run_until_shutdown(PATIENCE).await.unwrap();
    assert!(start.elapsed() < PATIENCE / 4);
}
