//! Readiness and echo beside the peers: `cargo bench --bench reactor`.

mod passes;

fn main() {
    passes::run(&["reactor"]);
}
