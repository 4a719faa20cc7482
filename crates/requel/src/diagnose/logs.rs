//! Reading `metrics.jsonl` back.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::ScorePoint;
use crate::run::Score;
use crate::storage::open_regular;
use crate::train::{Aggregates, EventRecord, ScoreRecord};

/// Maximum length of a line in the log, bytes; of a longer, damaged one, no more is kept in memory.
const MOST_LINE: u64 = 64 << 10;

/// Aggregates and scores of a `metrics.jsonl`, each by env steps. A truncated last line is skipped.
///
/// # Errors
/// If the file cannot be read. A missing file is not an error: training that has not started has none.
pub(super) fn read_metrics(path: &Path) -> io::Result<(Vec<Aggregates>, Vec<ScorePoint>)> {
    let (mut course, mut scores) = (Vec::new(), Vec::new());
    let file = match open_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((course, scores)),
        file => file?,
    };
    let (mut reader, mut text) = (BufReader::new(file), Vec::new());
    loop {
        text.clear();
        if reader.by_ref().take(MOST_LINE).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        if !text.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
        }
        if text.starts_with(EventRecord::EPISODE) {
            continue;
        }
        match EventRecord::read(&text) {
            Some(EventRecord::Train(aggregates)) => course.push(aggregates),
            Some(EventRecord::Evaluation { env_steps, score, best, .. }) => {
                let ScoreRecord { mean_return, std_return, mean_length, episodes, cut_off } = score;
                let score = Score { mean_return, std_return, episodes, cut_off };
                scores.push(ScorePoint { env_steps, score, mean_length, best });
            }
            _ => {}
        }
    }
    Ok((course, scores))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Statistic;

    #[test]
    fn lines_of_this_and_of_an_older_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        assert_eq!(read_metrics(&path).unwrap().0, []);
        let train = "\"return_mean_100\":9.5,\"length_mean_100\":null,\"loss\":0.5,\"mean_q\":null,\"epsilon\":0.1,\
                     \"learning_rate\":0.01";
        let text = format!(
            "{{\"event\":\"episode\",\"env_steps\":9}}\n\
             {{\"event\":\"train\",\"env_steps\":10,\"episodes\":1,\"updates\":2,{train}}}\n\
             {{\"event\":\"evaluation\",\"env_steps\":15,\"updates\":2,\"mean_return\":2.0,\"std_return\":1.0,\
             \"mean_length\":2.5,\"episodes\":2,\"best\":true}}\n\
             {{\"event\":\"train\",\"env_steps\":20,\"episodes\":1,\"updates\":4,{train},\"gradient_norm\":2.5,\
             \"largest_q\":null}}\n{{\"event\":\"trai"
        );
        std::fs::write(&path, text).unwrap();
        let (course, scores) = read_metrics(&path).unwrap();
        assert_eq!(course.iter().map(|line| line.env_steps).collect::<Vec<_>>(), [10, 20]);
        let norms = [0, 1].map(|line| course[line].statistics.get(Statistic::GradientNorm));
        assert_eq!(norms, [None, Some(2.5)]);
        assert_eq!((scores.len(), scores[0].score.mean_return, scores[0].best), (1, 2.0, true));
    }
}
