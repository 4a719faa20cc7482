//! TensorBoard event files: TFRecord framing around `tensorflow.Event` messages, of which only scalars are needed.

use super::crc32c;

/// The first record of a file.
pub(super) fn file_version(wall_time: f64) -> Vec<u8> {
    let mut event = Vec::new();
    put_f64(&mut event, 1, wall_time);
    put_bytes(&mut event, 3, b"brain.Event:2");
    record(&event)
}

/// A record of scalars at a step.
pub(super) fn scalars(wall_time: f64, step: u64, values: &[(&str, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut entry = Vec::new();
        put_bytes(&mut entry, 1, tag.as_bytes());
        put_f32(&mut entry, 2, *value as f32);
        put_bytes(&mut summary, 1, &entry);
    }
    let mut event = Vec::new();
    put_f64(&mut event, 1, wall_time);
    put_key(&mut event, 2, 0);
    put_varint(&mut event, step);
    put_bytes(&mut event, 5, &summary);
    record(&event)
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

// Protocol buffers: a key is the field's number and its wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four).

fn put_key(out: &mut Vec<u8>, field: u64, wire_type: u64) {
    put_varint(out, field << 3 | wire_type);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_f64(out: &mut Vec<u8>, field: u64, value: f64) {
    put_key(out, field, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_f32(out: &mut Vec<u8>, field: u64, value: f32) {
    put_key(out, field, 5);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
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
