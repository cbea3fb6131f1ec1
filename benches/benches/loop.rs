//! The composed loop beside whole runtimes: `cargo bench --bench loop`.

mod passes;

fn main() {
    passes::run(&["loop"]);
}
