//! Executors beside their peers: `cargo bench --bench executor`.

mod passes;

fn main() {
    passes::run(&["local", "multi", "workers", "sync", "blocking"]);
}
