//! Every workload runs on every peer, as small as can be, and verifies what it did.

use benches::contest::Effort;
use benches::workloads;

// As in the program: without it the workloads about memory would see none.
#[global_allocator]
static ALLOCATOR: benches::heap::Counting = benches::heap::Counting;

#[test]
fn every_workload_runs_and_is_valid() {
    let compare = env!("CARGO_BIN_EXE_compare").into();
    benches::child::PROGRAM
        .set(compare)
        .expect("only this test sets it");
    for workload in workloads::ALL {
        println!("{}", workload.name); // names the culprit when one hangs
        let rounds = workload.run(Effort::SMOKE, &|_| true, &mut || {}).unwrap();
        assert!(rounds.peers.len() > 1, "{} compares nobody", workload.name);
        for (peer, figures) in rounds.peers.iter().zip(&rounds.figures) {
            assert!(
                figures.iter().all(|f| *f > 0.0),
                "{}, {peer}: {figures:?}",
                workload.name
            );
        }
    }
}
