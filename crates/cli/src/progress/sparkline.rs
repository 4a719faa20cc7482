//! A curve in one line of text.

/// `values` as block characters, at most `width` of them, scaled from the smallest value to the largest.
pub fn sparkline(values: &[f32], width: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = values.len().min(width);
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let column = |i: usize| {
        let part = &values[i * values.len() / columns..(i + 1) * values.len() / columns];
        let mean = part.iter().sum::<f32>() / part.len() as f32;
        let level = if high > low { (mean - low) / (high - low) * 7.0 } else { 0.0 };
        BLOCKS[(level.round() as usize).min(7)]
    };
    (0..columns).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_with_the_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn many_values_share_columns_and_few_do_not_grow() {
        assert_eq!(sparkline(&[0.0, 0.0, 7.0, 7.0], 2), "▁█");
        assert_eq!(sparkline(&[3.0], 10), "▁");
        assert_eq!(sparkline(&[], 10), "");
    }
}
