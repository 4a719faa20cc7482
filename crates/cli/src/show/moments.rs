//! [`moments`], which frames an animation shows, and when.

/// The frames that are shown, and when each begins: of `count` frames at `frames_per_second`, in units of `per_second` per second, those at
/// least `least` units after the previous one, and the last one.
///
/// Viewers slow down animations that are too fast, browsers to ten frames a second, so frames are left out instead: the speed stays right.
pub fn moments(count: usize, frames_per_second: f32, (per_second, least): (u32, u32)) -> Vec<(usize, u32)> {
    let mut moments: Vec<(usize, u32)> = Vec::with_capacity(count);
    for index in 0..count {
        let start = (index as f32 * per_second as f32 / frames_per_second).round() as u32;
        let soon = moments.last().is_some_and(|(_, before)| start < before + least);
        let last = index + 1 == count;
        if soon && last && moments.len() > 1 {
            moments.pop();
        }
        if !soon || last {
            moments.push((index, start));
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_speed_has_a_delay_that_viewers_do_not_respect_and_none_changes_the_whole() {
        for speed in [0.25, 1.0, 2.0, 3.0, 5.0, 10.0, 100.0] {
            for unit in [(1000, 20), (100, 2)] {
                let moments = moments(501, 50.0 * speed, unit);
                assert!(moments.windows(2).all(|pair| pair[1].1 - pair[0].1 >= unit.1), "{speed}");
                let last = moments.last().unwrap();
                let seconds = last.1 as f32 / unit.0 as f32;
                assert!(last.0 == 500 && (seconds - 10.0 / speed).abs() < 0.01, "{speed}: {seconds} s");
            }
        }
    }
}
