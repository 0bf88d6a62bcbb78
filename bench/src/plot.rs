//! A small plot as SVG: lines over a logarithmic axis.

use std::fmt::Write as _;

/// A line of the plot.
pub struct Line {
    /// What it is.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
/// Told apart also by those who see few colours.
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// Draws the lines, from 0 upwards.
pub fn draw(title: &str, axis: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter());
    let (first, last) = all().fold((f64::MAX, 1.0_f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let top = all().map(|(_, y)| *y).fold(1.0, f64::max) * 1.1;
    let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0].into_iter().find(|step| top / step <= 8.0).unwrap_or(10.0);
    let span = (last / first).log10().max(0.1);
    let x = |value: f64| LEFT + (value / first).log10() / span * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" role=\"img\">\n<title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{title}</text>\n"
    );
    // Writing to a string does not fail.
    let mut mark = 0.0;
    while mark <= top {
        let at = y(mark);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mark:.1}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
        mark += step;
    }
    let mut decade = 10_f64.powf(first.log10().ceil());
    while decade <= last * 1.001 {
        let _ = writeln!(
            svg,
            "<line x1=\"{0:.1}\" y1=\"{TOP}\" x2=\"{0:.1}\" y2=\"{1:.1}\" stroke=\"#eee\"/>\
             <text x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{3}</text>",
            x(decade),
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0,
            crate::report::grouped(decade as u64)
        );
        decade *= 10.0;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{axis}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 14.0
    );
    for (line, colour) in lines.iter().zip(COLOURS) {
        let points: Vec<String> =
            line.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for (at, value) in &line.points {
            let _ = writeln!(
                svg,
                "<circle cx=\"{0:.1}\" cy=\"{1:.1}\" r=\"4\" fill=\"{colour}\"/>\
                 <text x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\" fill=\"{colour}\">{value:.2}</text>",
                x(*at),
                y(*value),
                y(*value) - 9.0
            );
        }
        if let Some((at, value)) = line.points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
                x(*at) + 24.0,
                y(*value) + 4.0,
                line.name
            );
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_drawn_within_the_frame() {
        let line = |name: &str, ys: [f64; 3]| Line {
            name: name.to_owned(),
            points: [1e4, 1e6, 1e7].into_iter().zip(ys).collect(),
        };
        let svg = draw("Costs", "PCs", &[line("page", [1.5, 1.6, 1.9]), line("line", [2.0, 2.0, 2.1])]);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains(">10,000,000<") && svg.contains(">1.90<") && svg.contains(">page<"));
        let inside = |name: &str, most: f64| {
            svg.split(name).skip(1).all(|rest| {
                let number = rest.split('"').nth(1).unwrap().parse::<f64>().unwrap();
                (0.0..=most).contains(&number)
            })
        };
        assert!(inside("cx=", WIDTH) && inside("cy=", HEIGHT));
    }
}
