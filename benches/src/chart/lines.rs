//! Costs as lines: one for each runtime, over whatever grows. The vertical scale is logarithmic, so
//! that the same distance is the same ratio everywhere.

use std::fmt::Write;

use super::{colour, open};

const LEFT: f64 = 78.0; // room for the scale's figures
const RIGHT: f64 = 118.0; // room for names at the lines' ends
const WIDTH: f64 = 900.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 44.0; // room for what grows
const HEIGHT: f64 = 420.0;
const LABEL: f64 = 13.5; // names at the ends keep this distance

/// One runtime's costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose.
    pub name: String,
    /// At which mark, how much, and the ends of an interval around it.
    pub points: Vec<(usize, f64, (f64, f64))>,
}

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Above all.
    pub title: &'a str,
    /// A line that says what is drawn.
    pub about: &'a str,
    /// What the marks count.
    pub across: &'a str,
    /// The marks of the horizontal scale, at equal distances.
    pub marks: &'a [String],
}

/// Draws `lines` in `frame`.
#[must_use]
pub fn draw(frame: Frame<'_>, lines: &[Line]) -> String {
    let scale = Scale::over(lines);
    let mut svg = open(frame.title, frame.about, WIDTH, HEIGHT);
    let x = |mark: usize| across(mark, frame.marks.len());
    for (mark, text) in frame.marks.iter().enumerate() {
        let (x, bottom) = (x(mark), HEIGHT - BOTTOM);
        let _ = writeln!(
            svg,
            "<line class=\"faint\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{text}</text>",
            bottom + 16.0,
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 10.0,
        frame.across,
    );
    scale.draw(&mut svg);
    let ends = labels(lines, &scale);
    for (line, label_y) in lines.iter().zip(ends) {
        one(&mut svg, line, &scale, &x, label_y);
    }
    svg.push_str("</svg>\n");
    svg
}

fn across(mark: usize, marks: usize) -> f64 {
    let share = mark as f64 / (marks.max(2) - 1) as f64;
    LEFT + 12.0 + share * (WIDTH - RIGHT - LEFT - 24.0)
}

fn one(svg: &mut String, line: &Line, scale: &Scale, x: &impl Fn(usize) -> f64, label_y: f64) {
    let colour = colour(&line.name);
    let width = if line.name == crate::workload::OURS {
        3.5
    } else {
        1.8
    };
    let path: Vec<String> = line
        .points
        .iter()
        .map(|(mark, value, _)| format!("{:.1},{:.1}", x(*mark), scale.y(*value)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
         stroke-linejoin=\"round\"/>",
        path.join(" "),
    );
    for (mark, value, (low, high)) in &line.points {
        let (x, low, high) = (x(*mark), scale.y(*low), scale.y(*high));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\" \
             stroke=\"{colour}\" stroke-width=\"6\" stroke-opacity=\"0.3\"/>\
             <circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"{}\" fill=\"{colour}\"/>",
            scale.y(*value),
            width + 0.5,
        );
    }
    let Some((mark, value, _)) = line.points.last() else {
        return;
    };
    let (x, y, text_x) = (x(*mark) + 5.0, scale.y(*value), WIDTH - RIGHT + 14.0);
    let weight = if line.name == crate::workload::OURS {
        "700"
    } else {
        "400"
    };
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{label_y:.1}\" stroke=\"{colour}\" \
         stroke-opacity=\"0.5\"/><text x=\"{text_x}\" y=\"{:.1}\" font-weight=\"{weight}\">{}</text>",
        text_x - 3.0,
        label_y + 4.0,
        line.name,
    );
}

/// Where the names stand: beside their lines' ends, but never upon one another.
fn labels(lines: &[Line], scale: &Scale) -> Vec<f64> {
    let end = |line: &Line| {
        line.points
            .last()
            .map_or(0.0, |(_, value, _)| scale.y(*value))
    };
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|&a, &b| end(&lines[a]).total_cmp(&end(&lines[b])));
    let mut places = vec![0.0; lines.len()];
    let mut next = f64::MIN;
    for (rank, &line) in order.iter().enumerate() {
        // Those below must still find room above the lower edge.
        let lowest = HEIGHT - BOTTOM - (order.len() - 1 - rank) as f64 * LABEL;
        places[line] = end(&lines[line]).min(lowest).max(next);
        next = places[line] + LABEL;
    }
    places
}

/// From the smallest to the largest of what is shown, on a logarithmic scale.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(lines: &[Line]) -> Self {
        let points = lines.iter().flat_map(|line| &line.points);
        let values = points.flat_map(|(_, value, (low, high))| [*value, *low, *high]);
        let ends = values.filter(|value| *value > 0.0).fold(
            (f64::MAX, f64::MIN_POSITIVE),
            |(low, high): (f64, f64), value| (low.min(value), high.max(value)),
        );
        Self {
            low: ends.0 * 0.85,
            high: ends.1 * 1.15,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP)
    }

    fn draw(&self, svg: &mut String) {
        let wide = self.high / self.low > 300.0; // then a figure a decade is enough
        for decade in -3..10 {
            for step in [1.0, 2.0, 5.0] {
                let value = step * 10_f64.powi(decade);
                if value < self.low || value > self.high || (wide && step > 1.0) {
                    continue;
                }
                let y = self.y(value);
                let _ = writeln!(
                    svg,
                    "<line class=\"faint\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                     <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"11\">{}</text>",
                    WIDTH - RIGHT,
                    LEFT - 6.0,
                    y + 4.0,
                    crate::report::round(value),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(name: &str, value: f64) -> Line {
        let points = vec![(0, value, (value, value)), (1, value, (value, value))];
        Line {
            name: name.into(),
            points,
        }
    }

    #[test]
    fn names_never_stand_upon_one_another_nor_below_the_edge() {
        let lines = [1.0, 1.0, 1.001, 500.0, 1.0].map(|value| flat("x", value));
        let mut places = labels(&lines, &Scale::over(&lines));
        places.sort_by(f64::total_cmp);
        assert!(
            places
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= LABEL - 1e-9),
            "{places:?}"
        );
        assert!(places[4] <= HEIGHT - BOTTOM);
    }

    #[test]
    fn more_is_higher_and_the_same_ratio_the_same_distance() {
        let scale = Scale {
            low: 1.0,
            high: 1_000.0,
        };
        let [one, ten, hundred] = [1.0, 10.0, 100.0].map(|value| scale.y(value));
        assert!(ten < one);
        assert!(((one - ten) - (ten - hundred)).abs() < 1e-9);
    }
}
