//! [`JsonLines`]: events on stdout, an object per line.

use std::io::{self, Write};

use requel::train::{EventRecord, Observer, ObserverError, TrainEvent};
use serde::Serialize;

/// Prints each event as a line of JSON. If nobody reads any more, printing stops and training continues.
#[derive(Default)]
pub struct JsonLines {
    closed: bool,
    tag: Option<Tag>,
}

/// Says on each line which run it belongs to, if there are several.
#[derive(Clone, Debug, Serialize)]
pub struct Tag {
    /// The variant of a study.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
}

#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(flatten)]
    record: EventRecord,
    #[serde(flatten)]
    tag: Option<&'a Tag>,
}

impl JsonLines {
    /// Lines that end with `tag`.
    pub fn tagged(tag: Tag) -> Self {
        JsonLines { tag: Some(tag), ..JsonLines::default() }
    }

    /// Prints one object.
    ///
    /// # Errors
    /// The error of stdout, except for a closed pipe.
    pub fn print(&mut self, object: &impl Serialize) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut line = serde_json::to_vec(object)?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        match out.write_all(&line).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

impl Observer for JsonLines {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let Some(record) = EventRecord::of(event) else { return Ok(()) };
        let tag = self.tag.clone();
        Ok(self.print(&Tagged { record, tag: tag.as_ref() })?)
    }
}
