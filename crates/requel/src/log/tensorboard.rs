//! TensorBoard event files: TFRecord framing around `tensorflow.Event` messages, using only scalars.

use super::crc32c;
use crate::protobuf::Message;

/// The first record of a file.
pub(super) fn file_version(wall_time: f64) -> Vec<u8> {
    record(&Message::new().double(1, wall_time).text(3, "brain.Event:2").into_bytes())
}

/// A record of scalars at a step.
pub(super) fn scalars(wall_time: f64, step: u64, values: &[(&str, f64)]) -> Vec<u8> {
    let value = |(tag, value): &(&str, f64)| Message::new().text(1, tag).float(2, *value as f32);
    let summary = Message::new().messages(1, &values.iter().map(value).collect::<Vec<_>>());
    record(&Message::new().double(1, wall_time).int(2, step as i64).message(5, &summary).into_bytes())
}

/// Length, its checksum, the data, its checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend_from_slice(&len);
    record.extend_from_slice(&crc32c::masked(&len).to_le_bytes());
    record.extend_from_slice(data);
    record.extend_from_slice(&crc32c::masked(data).to_le_bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        // Event { wall_time: 1.0, step: 300, summary { value { tag: "a", simple_value: 2.0 } } } by hand.
        let event = [
            0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02, 0x2a, 0x0a, 0x0a, 0x08, 0x0a, 0x01, b'a', 0x15, 0, 0,
            0, 0x40,
        ];
        let record = scalars(1.0, 300, &[("a", 2.0)]);
        assert_eq!(record[..8], (event.len() as u64).to_le_bytes());
        assert_eq!(record[12..12 + event.len()], event);
        assert_eq!(record.len(), 16 + event.len());
    }
}
