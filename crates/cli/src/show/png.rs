//! A picture as a PNG file.

use std::io::Write;

use tiny_skia::Pixmap;

/// Writes the picture as an RGB PNG.
///
/// # Errors
/// What the writer returns.
pub fn write(pixels: &Pixmap, out: impl Write) -> std::io::Result<()> {
    let mut encoder = png::Encoder::new(out, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().map_err(into_io)?;
    // All pictures are opaque, so alpha is constant and premultiplied colours are plain.
    let rgb: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    writer.write_image_data(&rgb).map_err(into_io)?;
    writer.finish().map_err(into_io)
}

fn into_io(error: png::EncodingError) -> std::io::Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use requel_envs::Color;

    use super::*;
    use crate::show::raster;

    #[test]
    fn what_is_written_can_be_read_back() {
        let mut pixels = raster::blank(6, 4, Color(10, 20, 30));
        raster::fill_rectangle(&mut pixels, (0.0, 0.0, 3.0, 2.0), Color(200, 100, 50));
        let mut bytes = Vec::new();
        write(&pixels, &mut bytes).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut read = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut read).unwrap();
        assert_eq!((info.width, info.height), (6, 4));
        assert_eq!(&read[..3], [200, 100, 50]);
        assert_eq!(&read[read.len() - 3..], [10, 20, 30]);
    }
}
