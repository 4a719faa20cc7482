//! Large arrays as segments: files of a few blocks, each block with its own checksum.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::{CheckpointError, Manifest, SegmentedTensor};
use crate::state::Tensor;
use crate::storage::{Storage, write_synced};

/// How large arrays are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmenting {
    /// Bytes per checksum.
    pub block_bytes: usize,
    /// Checksums per file. An array larger than one such file is split; a smaller one is stored with its part.
    pub blocks_per_segment: usize,
}

impl Default for Segmenting {
    /// Blocks of 1 MiB, files of 4 MiB: a million transitions of CartPole make eleven files.
    fn default() -> Self {
        Segmenting { block_bytes: 1 << 20, blocks_per_segment: 4 }
    }
}

impl Segmenting {
    pub(super) fn segment_bytes(&self) -> usize {
        self.block_bytes * self.blocks_per_segment
    }
}

/// The file of a segment.
pub(super) fn file_name(tensor: &str, segment: usize) -> String {
    format!("{}.{segment:05}.segment", tensor.replace('/', "."))
}

/// An earlier checkpoint whose segments may be reused.
pub(super) struct Earlier<'a> {
    pub dir: &'a Path,
    pub manifest: &'a Manifest,
}

/// Where and how an array is written.
pub(super) struct Writing<'a> {
    pub storage: &'a dyn Storage,
    pub staged: &'a Path,
    pub segmenting: Segmenting,
    pub earlier: Option<Earlier<'a>>,
}

impl Writing<'_> {
    /// Writes the array `name` as segments; segments that an earlier checkpoint already has get a second name for its files.
    pub fn write(&self, name: &str, tensor: &Tensor<'_>) -> Result<SegmentedTensor, CheckpointError> {
        let Segmenting { block_bytes, blocks_per_segment } = self.segmenting;
        let mut entry = SegmentedTensor {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
            bytes: tensor.bytes.len() as u64,
            block_bytes: block_bytes as u64,
            blocks_per_segment: blocks_per_segment as u64,
            blocks: Vec::new(),
        };
        let (segment_bytes, mut gathered) = (self.segmenting.segment_bytes(), Vec::new());
        for index in 0..tensor.bytes.len().div_ceil(segment_bytes) {
            let first = index * segment_bytes;
            let segment = first..tensor.bytes.len().min(first + segment_bytes);
            let segment = tensor.bytes.part(segment, &mut gathered);
            let hashes = hashes(segment, block_bytes);
            let file = file_name(name, index);
            let path = self.staged.join(&file);
            let again =
                self.earlier.as_ref().filter(|e| e.has(name, index, &entry, &hashes)).map(|e| e.dir.join(&file));
            if !again.is_some_and(|earlier| self.link_whole(&earlier, segment, &path)) {
                write_synced(self.storage, &path, segment).map_err(CheckpointError::io("write", &path))?;
            }
            entry.blocks.extend(hashes);
        }
        Ok(entry)
    }

    /// Gives an earlier file a second name if it still has these `contents`: data damaged on disk since must not be carried over. If it
    /// does not, or the file system has no hard links, the segment is written.
    fn link_whole(&self, earlier: &Path, contents: &[u8], path: &Path) -> bool {
        let is_whole = self.storage.len(earlier).is_ok_and(|len| len == contents.len() as u64)
            && self.storage.read(earlier).is_ok_and(|bytes| bytes == contents);
        is_whole && self.storage.link(earlier, path).is_ok()
    }
}

impl Earlier<'_> {
    /// Whether the earlier checkpoint's segment `index` of `name` has these blocks.
    fn has(&self, name: &str, index: usize, entry: &SegmentedTensor, hashes: &[String]) -> bool {
        let Some(theirs) = self.manifest.segmented.get(name) else { return false };
        let first = index * entry.blocks_per_segment as usize;
        let last = (first + entry.blocks_per_segment as usize).min(theirs.blocks.len());
        theirs.block_bytes == entry.block_bytes
            && theirs.blocks_per_segment == entry.blocks_per_segment
            && theirs.blocks.get(first..last).is_some_and(|theirs| theirs == hashes)
    }
}

fn hashes(bytes: &[u8], block_bytes: usize) -> Vec<String> {
    bytes.chunks(block_bytes).map(|block| blake3::hash(block).to_hex().to_string()).collect()
}

impl SegmentedTensor {
    /// Checks the description of the array for consistency; returns the length of each of its files.
    pub(super) fn file_lengths(&self) -> Result<Vec<u64>, String> {
        let elements = self.shape.iter().try_fold(1u64, |n, axis| n.checked_mul(*axis as u64));
        let bits = elements.and_then(|n| n.checked_mul(self.dtype.bitsize() as u64));
        if bits != self.bytes.checked_mul(8) {
            return Err(format!("shape {:?} of {:?} does not take {} bytes", self.shape, self.dtype, self.bytes));
        }
        let segment_bytes = self.block_bytes.checked_mul(self.blocks_per_segment).filter(|n| *n > 0);
        let segment_bytes = segment_bytes.ok_or("its blocks have no possible length")?;
        // There is one hash per block, so the number of files is bounded by what was read.
        if self.bytes.div_ceil(self.block_bytes) != self.blocks.len() as u64 {
            return Err(format!(
                "{} blocks of {} bytes do not add up to \
                                {}",
                self.blocks.len(),
                self.block_bytes,
                self.bytes
            ));
        }
        let files = self.bytes.div_ceil(segment_bytes);
        Ok((0..files).map(|index| segment_bytes.min(self.bytes - index * segment_bytes)).collect())
    }

    /// Checks the contents of segment `index`, block by block.
    pub(super) fn check(&self, index: usize, contents: &[u8]) -> Result<(), String> {
        let first = index * self.blocks_per_segment as usize;
        for (number, block) in contents.chunks(self.block_bytes as usize).enumerate() {
            let (found, expected) = (blake3::hash(block).to_hex(), &self.blocks[first + number]);
            if found.as_str() != expected {
                let from = number as u64 * self.block_bytes;
                return Err(format!(
                    "block {} (its bytes {from} to {}): BLAKE3 is {}, not {expected}",
                    first + number,
                    from + block.len() as u64,
                    &found[..16],
                ));
            }
        }
        Ok(())
    }
}

/// A file of a known length: a file of another length is refused before memory is allocated.
pub(super) fn read_exactly(storage: &dyn Storage, path: &Path, bytes: u64) -> Result<Vec<u8>, CheckpointError> {
    let found = storage.len(path).map_err(CheckpointError::io("read", path))?;
    if found != bytes {
        return Err(CheckpointError::damaged(path, format!("it has {found} bytes, not {bytes}")));
    }
    let contents = storage.read(path).map_err(CheckpointError::io("read", path))?;
    if contents.len() as u64 != bytes {
        let changed = io::Error::new(ErrorKind::UnexpectedEof, "its length changed while it was being read");
        return Err(CheckpointError::io("read", path)(changed));
    }
    Ok(contents)
}
