//! A small landscape with something for every filter: soft tones and sharp edges, strong colours and pale ones, a little
//! noise, letters' worth of detail, and a ball that flies past.

use lenscast::geometry::Size;

use crate::support::random::Random;

type Color = [f32; 3];

/// RGBA at a moment from 0 to 1; `seed` is that of the noise.
pub fn draw(size: Size, moment: f32, seed: u32) -> Vec<u8> {
    let mut random = Random::new(u64::from(seed) + 1);
    let mut pixels = Vec::with_capacity(size.pixels() * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let mut sum = [0.0; 3];
            // Four samples a pixel, for smooth edges.
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let at = |pixel: u32, offset: f32| (pixel as f32 + offset) / size.height as f32;
                let color = color(at(x, dx), at(y, dy), moment);
                sum = std::array::from_fn(|channel| sum[channel] + color[channel] / 4.0);
            }
            let noise = (random.unit() as f32 - 0.5) * 0.03;
            pixels.extend(sum.map(|level| ((level + noise).clamp(0.0, 1.0) * 255.0) as u8));
            pixels.push(255);
        }
    }
    pixels
}

fn mix(from: Color, to: Color, part: f32) -> Color {
    let part = part.clamp(0.0, 1.0);
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * part)
}

fn within(x: f32, y: f32, (left, top, right, bottom): (f32, f32, f32, f32)) -> bool {
    (left..right).contains(&x) && (top..bottom).contains(&y)
}

/// `y` is 0 to 1 from top to bottom, `x` in the same unit.
fn color(x: f32, y: f32, moment: f32) -> Color {
    let distance = |to_x: f32, to_y: f32| (x - to_x).hypot(y - to_y);
    let ball = (0.25 + moment * 1.05, 0.42 - 0.3 * (moment * std::f32::consts::PI).sin());
    if distance(ball.0, ball.1) < 0.055 {
        let light = distance(ball.0 - 0.02, ball.1 - 0.02) / 0.07;
        return mix([1.0, 0.55, 0.5], [0.75, 0.1, 0.15], light);
    }
    if let Some(color) = house(x, y).or_else(|| tree(x, y)) {
        return color;
    }
    let hill = 0.72 + 0.05 * (x * 4.0).sin() + 0.02 * (x * 11.0 + 1.0).sin();
    if y > hill {
        let stripes = ((y - hill) * 60.0 + x * 12.0).sin() * 0.03;
        return mix([0.42, 0.62 + stripes, 0.25], [0.16, 0.36 + stripes, 0.14], (y - hill) * 3.5);
    }
    let mountain =
        0.6 - 0.16 * (1.0 - ((x - 1.1) * 3.0).abs()).max(0.0) - 0.12 * (1.0 - ((x - 0.75) * 4.0).abs()).max(0.0);
    if y > mountain {
        return mix([0.45, 0.5, 0.66], [0.62, 0.68, 0.72], (y - mountain) * 4.0);
    }
    let sky = mix([0.22, 0.45, 0.82], [0.95, 0.8, 0.66], y * 1.6);
    let sun = distance(1.32, 0.2);
    if sun < 0.075 { [1.0, 0.94, 0.72] } else { mix([1.0, 0.9, 0.7], sky, (sun - 0.075) * 5.0 + 0.35) }
}

fn house(x: f32, y: f32) -> Option<Color> {
    let roof = y > 0.36 + (x - 0.36).abs() * 0.7 && (0.36..0.52).contains(&y);
    if roof {
        return Some(if (y * 60.0).fract() < 0.25 { [0.5, 0.16, 0.12] } else { [0.68, 0.24, 0.18] });
    }
    if !within(x, y, (0.18, 0.52, 0.54, 0.82)) {
        return None;
    }
    if within(x, y, (0.33, 0.64, 0.41, 0.82)) {
        return Some([0.3, 0.2, 0.14]);
    }
    for window in [0.22, 0.44] {
        if within(x, y, (window, 0.58, window + 0.07, 0.68)) {
            let bar = (x - window - 0.035).abs() < 0.004 || (y - 0.63).abs() < 0.004;
            return Some(if bar { [0.95, 0.93, 0.88] } else { [0.98, 0.82, 0.4] });
        }
    }
    Some(if (y * 45.0).fract() < 0.12 { [0.8, 0.76, 0.68] } else { [0.92, 0.88, 0.8] })
}

fn tree(x: f32, y: f32) -> Option<Color> {
    if within(x, y, (0.985, 0.7, 1.015, 0.88)) {
        return Some([0.36, 0.24, 0.14]);
    }
    let leaves = [(1.0, 0.6, 0.13), (0.93, 0.66, 0.09), (1.07, 0.67, 0.09)];
    let inside = leaves.iter().any(|(at_x, at_y, radius)| (x - at_x).hypot(y - at_y) < *radius);
    inside.then(|| {
        let speckle = ((x * 90.0).sin() * (y * 80.0).cos()) * 0.06;
        mix([0.3, 0.72 + speckle, 0.34], [0.1, 0.36 + speckle, 0.16], (y - 0.48) * 3.0)
    })
}
