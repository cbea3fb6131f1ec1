//! Wheels and sleeps beside their peers: `cargo bench --bench timers`.

mod passes;

fn main() {
    passes::run(&["timers"]);
}
