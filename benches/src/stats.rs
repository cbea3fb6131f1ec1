//! Medians, quartiles, and an interval for a median that assumes nothing about the distribution.

/// The middle value; the mean of the two middle values of an even count.
///
/// # Panics
/// When there is no value, or one of them is not a number.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which the share `q` of `values` lies, interpolated between neighbours.
///
/// # Panics
/// When there is no value, one of them is not a number, or `q` is outside 0 to 1.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> f64 {
    assert!(!values.is_empty(), "a quantile of nothing");
    among(&sorted(values), q)
}

fn among(sorted: &[f64], q: f64) -> f64 {
    assert!((0.0..=1.0).contains(&q), "{q} is not a share");
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = position.ceil() as usize;
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

/// The shares of all values at which a distribution is told.
pub const SHARES: [f64; 9] = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0];

/// The values below which those shares lie.
pub type Ranks = [f64; SHARES.len()];

/// What a distribution looks like.
///
/// # Panics
/// When there is no value, or one of them is not a number.
#[must_use]
pub fn ranks(values: &[f64]) -> Ranks {
    assert!(!values.is_empty(), "a distribution of nothing");
    let sorted = sorted(values);
    SHARES.map(|share| among(&sorted, share))
}

/// The median of each rank by itself: what a distribution looks like in most rounds.
#[must_use]
pub fn median_ranks(rounds: &[Ranks]) -> Option<Ranks> {
    if rounds.is_empty() {
        return None;
    }
    let mut medians = [0.0; SHARES.len()];
    for (place, middle) in medians.iter_mut().enumerate() {
        let column: Vec<f64> = rounds.iter().map(|ranks| ranks[place]).collect();
        *middle = median(&column);
    }
    Some(medians)
}

/// An interval that holds the true median with at least 95% probability: the order statistics
/// whose ranks a fair coin would leave 2.5% or less outside on each side.
///
/// It asks only that rounds are independent of one another, not that they are normal, which
/// timings never are. Below six values no such ranks exist; the whole range is given instead.
///
/// # Panics
/// When there is no value, or one of them is not a number.
#[must_use]
pub fn median_interval(values: &[f64]) -> (f64, f64) {
    assert!(!values.is_empty(), "an interval of nothing");
    let sorted = sorted(values);
    let left_out = outer_rank(sorted.len()).saturating_sub(1);
    (sorted[left_out], sorted[sorted.len() - 1 - left_out])
}

/// The rank, counted from 1, at which the interval begins and ends: the largest `k` for which
/// P(Binomial(n, 1/2) < k) is at most 2.5%, and 0 where there is none.
fn outer_rank(n: usize) -> usize {
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)); // P(exactly 0 below)
    let mut below = term;
    let mut rank = 0;
    while below <= 0.025 {
        rank += 1;
        term *= (n - rank + 1) as f64 / rank as f64;
        below += term;
    }
    rank
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| {
        a.partial_cmp(b)
            .expect("a measurement that is not a number")
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn quantiles_interpolate() {
        let values = [10.0, 20.0, 30.0, 40.0, 50.0];
        assert_eq!(quantile(&values, 0.0), 10.0);
        assert_eq!(quantile(&values, 0.25), 20.0);
        assert_eq!(quantile(&values, 0.9), 46.0);
        assert_eq!(quantile(&values, 1.0), 50.0);
    }

    #[test]
    fn ranks_rise_and_their_medians_are_taken_one_by_one() {
        let values: Vec<f64> = (0..=1_000).map(f64::from).collect();
        let ranks = ranks(&values);
        assert_eq!(
            ranks,
            [
                10.0, 100.0, 250.0, 500.0, 750.0, 900.0, 990.0, 999.0, 1_000.0
            ]
        );
        let twice = ranks.map(|rank| 2.0 * rank);
        assert_eq!(median_ranks(&[twice, ranks, ranks]), Some(ranks));
        assert_eq!(median_ranks(&[]), None);
    }

    /// Ranks from the published table of sign-test intervals at 95% (there counted from 1).
    #[test]
    fn interval_ranks_agree_with_the_table() {
        let table = [
            (6, 1),
            (8, 1),
            (9, 2),
            (11, 2),
            (12, 3),
            (15, 4),
            (21, 6),
            (25, 8),
            (50, 18),
        ];
        for (n, rank_from_1) in table {
            assert_eq!(outer_rank(n), rank_from_1, "n = {n}");
        }
    }

    #[test]
    fn the_interval_leaves_outliers_out() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1e9];
        assert_eq!(median_interval(&values), (2.0, 8.0));
    }

    #[test]
    fn few_values_give_the_whole_range() {
        assert_eq!(median_interval(&[2.0]), (2.0, 2.0));
        assert_eq!(median_interval(&[2.0, 7.0, 5.0]), (2.0, 7.0));
    }

    #[test]
    #[should_panic(expected = "not a number")]
    fn not_a_number_is_refused() {
        let _ = median(&[1.0, f64::NAN]);
    }
}
