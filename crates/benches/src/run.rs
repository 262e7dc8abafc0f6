//! `bench run`: scenario after scenario, then the report.

use crate::figures::collect;
use crate::plan::RunArgs;
use crate::probe::machine::Machine;
use crate::progress::Progress;
use crate::report::{Record, Report, json, plot, write_between_markers};
use crate::scenario::{Bench, SCENARIOS, Scenario};
use crate::stack::Stack;
use anyhow::{Context, Result, bail, ensure};

/// Measures what was asked for and tells about it.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    if args.list {
        print(&list());
        return Ok(());
    }
    let scenarios = selected(&args.only)?;
    // Two threads: the load must not be what is slow, nor take more of the machine than it needs.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(measure(args, scenarios))?;
    if let Some(path) = &args.markdown {
        write_between_markers(path, &report.markdown())?;
    }
    if let Some(path) = &args.svg {
        let drawing = plot(&report).context("no rates of accepting were measured that could be drawn")?;
        std::fs::write(path, drawing).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&if args.json { json(&report)? } else { report.text() });
    let failed: Vec<&str> = report
        .records
        .iter()
        .filter(|record| record.failure.is_some())
        .map(|record| record.scenario.name)
        .collect();
    ensure!(failed.is_empty(), "could not be measured: {}", failed.join(", "));
    Ok(())
}

/// What cannot be measured is told at the end; the hour that the others take is not lost.
async fn measure(args: &RunArgs, scenarios: Vec<&'static Scenario>) -> Result<Report> {
    let plan = args.plan();
    let machine = {
        let stack = Stack::new().await?;
        Machine::look(stack.pool(), args.management_url.as_deref()).await?
    };
    let runs = u64::try_from(scenarios.len())? * u64::from(plan.runs);
    let bench = Bench { plan, progress: Progress::new(runs)? };
    let mut records = Vec::new();
    for scenario in scenarios {
        let measured = Box::pin(scenario.measure(&bench)).await;
        let (figures, failure) = match measured {
            Ok(sheets) => (collect(&sheets), None),
            Err(error) => {
                bench.progress.remark(&format!("{} failed: {error:#}", scenario.name));
                (Vec::new(), Some(format!("{error:#}")))
            }
        };
        records.push(Record { scenario, figures, failure });
    }
    bench.progress.finish();
    Ok(Report { machine, plan: bench.plan, records })
}

/// Those whose names begin as one of `names` does; all when there are none.
fn selected(names: &[String]) -> Result<Vec<&'static Scenario>> {
    for name in names {
        if !SCENARIOS.iter().any(|scenario| scenario.name.starts_with(name.as_str())) {
            bail!("no scenario's name begins with {name}; there are:\n{}", list());
        }
    }
    let asked_for = |scenario: &&Scenario| {
        // A whole name is meant as such: `drain-10` is not `drain-100`.
        let whole = names.iter().any(|name| name == scenario.name);
        let begins = |name: &String| {
            scenario.name.starts_with(name.as_str()) && !SCENARIOS.iter().any(|other| other.name == *name)
        };
        names.is_empty() || whole || names.iter().any(begins)
    };
    Ok(SCENARIOS.iter().filter(asked_for).collect())
}

fn list() -> String {
    let width = SCENARIOS.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let line = |scenario: &Scenario| {
        format!("{:width$}  {}: {}", scenario.name, scenario.group.title(), scenario.what)
    };
    SCENARIOS.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::print_stdout, reason = "the result of a command")]
fn print(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::selected;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        selected(&asked).unwrap().iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn a_whole_name_is_one_scenario_and_a_beginning_is_all_that_begin_so() {
        assert_eq!(names(&["drain-10"]), ["drain-10"]);
        assert_eq!(names(&["accept", "full-table"]).len(), 5);
        assert!(names(&[]).len() > 10);
    }

    #[test]
    fn a_name_that_does_not_exist_is_refused() {
        assert!(selected(&["acept".to_owned()]).is_err());
    }
}
