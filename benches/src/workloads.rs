//! Everything that can be measured, by name, and what this project wants to reach.

pub mod blocking;
pub mod echo_inproc;
pub mod echo_servers;
mod goals;
pub mod heap;
pub mod lateness;
pub mod local;
pub mod local_outside;
pub mod multi;
pub mod multi_outside;
pub mod sleeping;
pub mod wheel;
pub mod whole_loop;

pub use goals::goal;

use crate::contest::Workload;

/// Every workload, in the order of the report.
#[must_use]
pub fn all() -> Vec<&'static Workload> {
    let groups = [
        local::ALL,
        local_outside::ALL,
        multi::ALL,
        multi_outside::ALL,
        blocking::ALL,
        heap::ALL,
        wheel::ALL,
        sleeping::ALL,
        lateness::ALL,
        echo_inproc::ALL,
        echo_servers::ALL,
        whole_loop::ALL,
    ];
    groups.into_iter().flatten().collect()
}

/// The workloads that `names` choose: whole names, or beginnings such as `local/` or `timers`.
///
/// # Errors
/// The first name that chooses nothing.
pub fn choose(names: &[String]) -> Result<Vec<&'static Workload>, String> {
    let all = all();
    if names.is_empty() {
        return Ok(all);
    }
    let chosen_by = |workload: &Workload, name: &str| {
        workload.name == name
            || workload.name.strip_prefix(name).is_some_and(|rest| {
                name.ends_with('/') || rest.starts_with('/') || rest.starts_with('_')
            })
    };
    if let Some(stranger) = names
        .iter()
        .find(|name| !all.iter().any(|w| chosen_by(w, name)))
    {
        return Err(stranger.clone());
    }
    Ok(all
        .into_iter()
        .filter(|w| names.iter().any(|name| chosen_by(w, name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        choose(&names).unwrap().iter().map(|w| w.name).collect()
    }

    #[test]
    fn names_are_unique_and_grouped() {
        let mut names: Vec<_> = all().iter().map(|w| w.name).collect();
        assert!(names.iter().all(|name| name.split('/').count() == 2));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn groups_and_whole_names_choose() {
        assert_eq!(chosen(&["local/yield"]), ["local/yield"]);
        assert_eq!(chosen(&["local"]), chosen(&["local/"]));
        assert_eq!(chosen(&[]).len(), all().len());
        assert!(chosen(&["local"]).len() > 4);
    }

    #[test]
    fn a_name_of_nothing_is_an_error() {
        assert_eq!(
            choose(&["local/yeild".into()]).err().as_deref(),
            Some("local/yeild")
        );
        assert_eq!(
            choose(&["local/yie".into()]).err().as_deref(),
            Some("local/yie")
        );
    }
}
