//! Ratios as a picture: for each workload and peer a dot on a logarithmic scale, with its interval.
//! Right of 1 ours is better. Plain SVG that is readable on light and on dark paper.

pub mod lines;

use std::fmt::Write;

use crate::record::Record;

const LEFT: f64 = 215.0; // where the scale begins: names stand before it
const WIDTH: f64 = 900.0;
const RIGHT: f64 = 135.0; // room for figures after it
const ROW: f64 = 17.0;
const GAP: f64 = 9.0; // between workloads
const TOP: f64 = 64.0;

/// A colour for each peer, told apart also by those who do not see all colours.
const COLOURS: [(&str, &str); 17] = [
    ("ours", "#9b30ff"),
    ("tokio", "#d55e00"),
    ("smol", "#0072b2"),
    ("monoio", "#009e73"),
    ("monoio-uring", "#56b4e9"),
    ("futures", "#cc79a7"),
    ("glommio", "#8c564b"),
    ("compio", "#a6761d"),
    ("calls", "#7f7f7f"),
    ("bare", "#7f7f7f"),
    ("bare-shared", "#b0a030"),
    ("nanosleep", "#7f7f7f"),
    ("ours-1ms", "#b0a030"),
    ("delayqueue", "#d55e00"),
    ("btreemap", "#0072b2"),
    ("heap", "#009e73"),
    ("hash-wheel", "#56b4e9"),
];

fn colour(peer: &str) -> &'static str {
    COLOURS
        .iter()
        .find(|(name, _)| *name == peer)
        .map_or("#cc79a7", |(_, colour)| colour)
}

/// The chart of one group's rows, which stand together by workload.
#[must_use]
pub fn ratios(title: &str, rows: &[&Record]) -> String {
    let scale = Scale::over(rows);
    let gaps = rows.chunk_by(|a, b| a.workload == b.workload).count() as f64;
    let height = TOP + rows.len() as f64 * ROW + gaps * GAP + 20.0;
    let about = "how many times better ours is, with 95% intervals; a bar | marks a goal";
    let mut svg = open(title, about, WIDTH, height);
    scale.draw(&mut svg, height);
    let mut y = TOP;
    for workload in rows.chunk_by(|a, b| a.workload == b.workload) {
        y += GAP;
        let name = workload[0]
            .workload
            .split_once('/')
            .map_or("", |(_, name)| name);
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{:.1}\" font-weight=\"600\">{name}</text>",
            y + ROW * 0.7,
        );
        for row in workload {
            mark(&mut svg, &scale, row, y + ROW / 2.0);
            y += ROW;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Begins a picture: its title, its colours for light and dark paper, and a line about it.
fn open(title: &str, about: &str, width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}: {about}</title>\n\
         <style>text {{ fill: #222 }} .faint {{ stroke: #8884 }} .one {{ stroke: #222 }} \
         @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .one {{ stroke: #ddd }} }}\
         </style>\n<text x=\"8\" y=\"20\" font-size=\"15\" font-weight=\"600\">{title}</text>\n\
         <text x=\"8\" y=\"38\">{about}</text>\n",
    )
}

fn mark(svg: &mut String, scale: &Scale, row: &Record, y: f64) {
    let colour = colour(&row.peer);
    let [low, middle, high] = [row.low, row.ratio, row.high].map(|ratio| scale.x(ratio));
    let _ = writeln!(
        svg,
        "<line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" \
         stroke-width=\"3\" stroke-opacity=\"0.5\"/><circle cx=\"{middle:.1}\" cy=\"{y:.1}\" \
         r=\"4.5\" fill=\"{colour}\"/>",
    );
    if let Some(goal) = row.goal {
        let x = scale.x(goal);
        let (from, to) = (y - 6.0, y + 6.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{from:.1}\" y2=\"{to:.1}\" \
             stroke=\"{colour}\" stroke-width=\"2\"/>",
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\">{:.2} {}</text>",
        WIDTH - RIGHT + 6.0,
        y + 4.0,
        row.ratio,
        row.peer,
    );
}

/// From the smallest to the largest of what is shown, and 1 among it.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(rows: &[&Record]) -> Self {
        let ends = rows
            .iter()
            .flat_map(|row| [row.low, row.high, row.goal.unwrap_or(1.0)]);
        let (low, high) = ends.fold((1.0, 1.0), |(low, high): (f64, f64), ratio| {
            (low.min(ratio), high.max(ratio))
        });
        Self {
            low: (low * 0.9).max(0.01),
            high: high * 1.1,
        }
    }

    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio / self.low).ln() / (self.high / self.low).ln();
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn draw(&self, svg: &mut String, height: f64) {
        let marks = [
            0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0,
        ];
        for ratio in marks {
            if ratio < self.low || ratio > self.high {
                continue;
            }
            let x = self.x(ratio);
            let class = if ratio == 1.0 { "one" } else { "faint" };
            let bottom = height - 12.0;
            let _ = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" \
                 y2=\"{bottom:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" \
                 font-size=\"11\">{ratio}x</text>",
                TOP - 6.0,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_is_further_right_and_all_is_on_the_paper() {
        let scale = Scale {
            low: 0.5,
            high: 50.0,
        };
        assert!(scale.x(0.5) >= LEFT && scale.x(50.0) <= WIDTH - RIGHT);
        assert!(scale.x(2.0) > scale.x(1.0));
        assert_eq!(scale.x(0.001), LEFT);
    }
}
