//! The published page is what the report makes of the published records: nobody edits a figure.

use std::fs;
use std::path::Path;

use benches::{instructions, record, report, workloads};

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_page_and_its_charts_come_from_the_records() {
    let records = record::read(&here("results.json")).unwrap();
    let counts = instructions::read(&here("instructions.json")).unwrap();
    let again = "run `cargo run --release -p handrolled-benches --bin report`";
    let page = fs::read_to_string(here("RESULTS.md")).unwrap();
    assert!(
        page == report::page(&records, &counts),
        "RESULTS.md is out of date: {again}"
    );
    for (file, picture) in report::pictures(&records) {
        let chart = fs::read_to_string(here("charts").join(&file)).unwrap();
        assert!(chart == picture, "charts/{file} is out of date: {again}");
    }
}

#[test]
fn every_record_is_of_a_workload_that_exists_and_was_run_often_enough() {
    for record in record::read(&here("results.json")).unwrap() {
        let name = &record.workload;
        assert!(
            workloads::ALL.iter().any(|w| w.name == name),
            "no workload is called {name} any more"
        );
        assert!(
            record.rounds >= 9,
            "{name} beside {}: {} rounds",
            record.peer,
            record.rounds
        );
        assert!(
            record.low <= record.ratio && record.ratio <= record.high,
            "{record:?}"
        );
    }
}

#[test]
fn a_quick_run_was_quick() {
    let mut records = record::read(&here("results.json")).unwrap();
    records.retain(|record| record.quick);
    records.dedup_by_key(|record| record.workload.clone()); // they stand together
    for record in &records {
        let (name, took_s) = (&record.workload, record.took_s);
        assert!(took_s < 60.0, "{name} took {took_s} s");
    }
    let all_s: f64 = records.iter().map(|record| record.took_s).sum();
    assert!(all_s < 600.0, "{all_s} s for {} workloads", records.len());
}
