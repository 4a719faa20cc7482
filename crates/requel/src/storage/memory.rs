//! [`MemoryStorage`], a file system in memory that can simulate a crash.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Storage, StoredFile};

/// A file system in memory that distinguishes what programs see from what is on disk.
///
/// After [`MemoryStorage::crash`] the disk has what was synced, and some part of everything else: a prefix of a file's unsynced bytes, or
/// its full length with holes of zeros; any subset of a directory's unsynced changes, so that a later one may have survived and an earlier
/// one not. A single change, including a rename, either happened or did not, as in journalling file systems.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    disk: Arc<Mutex<Disk>>,
}

/// All files and directories by number; 0 is the root.
#[derive(Clone, Debug)]
struct Disk {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    File { seen: Vec<u8>, synced: Vec<u8> },
    Directory { seen: Names, synced: Names, changes: Vec<Change> },
}

type Names = BTreeMap<String, usize>;

/// One atomic change of names: each is assigned to a node, or removed.
type Change = Vec<(String, Option<usize>)>;

impl Default for Disk {
    fn default() -> Self {
        Disk { nodes: vec![Node::directory()] }
    }
}

impl Node {
    fn directory() -> Self {
        Node::Directory { seen: Names::new(), synced: Names::new(), changes: Vec::new() }
    }
}

impl MemoryStorage {
    /// An empty file system.
    pub fn new() -> Self {
        Self::default()
    }

    /// An independent file system with the same contents and the same unsynced changes.
    pub fn fork(&self) -> Self {
        MemoryStorage { disk: Arc::new(Mutex::new(self.disk().clone())) }
    }

    /// What is there after a crash; `seed` decides which unsynced changes survive.
    pub fn crash(&self, seed: u64) -> Self {
        let mut disk = self.disk().clone();
        let mut chance = Chance(seed);
        for node in &mut disk.nodes {
            match node {
                Node::File { seen, synced } => {
                    if seen != synced {
                        *seen = torn(synced, seen, &mut chance);
                    }
                    synced.clone_from(seen);
                }
                Node::Directory { seen, synced, changes } => {
                    for change in changes.drain(..) {
                        if chance.below(2) == 0 {
                            apply(synced, &change);
                        }
                    }
                    seen.clone_from(synced);
                }
            }
        }
        MemoryStorage { disk: Arc::new(Mutex::new(disk)) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn apply(names: &mut Names, change: &Change) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

/// What may be left of a file whose last synced contents were `before` and that then contained `after`.
fn torn(before: &[u8], after: &[u8], chance: &mut Chance) -> Vec<u8> {
    const PAGE: usize = 4096;
    match chance.below(4) {
        0 => before.to_vec(),
        1 => after.to_vec(),
        2 => after[..chance.below(after.len() + 1)].to_vec(),
        _ => {
            // Pages are written in any order: the length is right, but some of them are missing.
            let mut left = after.to_vec();
            for page in left.chunks_mut(PAGE) {
                if chance.below(2) == 0 {
                    page.fill(0);
                }
            }
            left
        }
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

impl Disk {
    fn find(&self, path: &Path) -> io::Result<usize> {
        path.components().try_fold(0, |at, component| match component {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => Ok(at),
            Component::ParentDir => Err(ErrorKind::InvalidInput.into()),
            Component::Normal(name) => {
                let names = self.names(at)?;
                names.get(&*name.to_string_lossy()).copied().ok_or_else(|| ErrorKind::NotFound.into())
            }
        })
    }

    /// The directory that a path leads to, and the name in it.
    fn place(&self, path: &Path) -> io::Result<(usize, String)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
        Ok((self.find(path.parent().unwrap_or(Path::new("")))?, name))
    }

    fn names(&self, node: usize) -> io::Result<&Names> {
        match &self.nodes[node] {
            Node::Directory { seen, .. } => Ok(seen),
            Node::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn change(&mut self, directory: usize, change: Change) {
        if let Node::Directory { seen, changes, .. } = &mut self.nodes[directory] {
            apply(seen, &change);
            changes.push(change);
        }
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        self.change(directory, vec![(name, None)]);
        Ok(())
    }
}

struct MemoryFile {
    disk: Arc<Mutex<Disk>>,
    node: usize,
}

impl StoredFile for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Node::File { seen, .. } = &mut disk.nodes[self.node] {
            seen.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Node::File { seen, synced } = &mut disk.nodes[self.node] {
            synced.clone_from(seen);
        }
        Ok(())
    }
}

impl Storage for MemoryStorage {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        if disk.find(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let (directory, name) = disk.place(path)?;
        disk.names(directory)?;
        let node = disk.add(Node::directory());
        disk.change(directory, vec![(name, Some(node))]);
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        let mut disk = self.disk();
        let (directory, name) = disk.place(path)?;
        let found = disk.names(directory)?.get(&name).copied();
        let node = match found {
            Some(node) => match &mut disk.nodes[node] {
                Node::File { seen, .. } => {
                    seen.clear();
                    node
                }
                Node::Directory { .. } => return Err(ErrorKind::IsADirectory.into()),
            },
            None => {
                let node = disk.add(Node::File { seen: Vec::new(), synced: Vec::new() });
                disk.change(directory, vec![(name, Some(node))]);
                node
            }
        };
        Ok(Box::new(MemoryFile { disk: Arc::clone(&self.disk), node }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let node = disk.find(from)?;
        let (directory, old) = disk.place(from)?;
        let (other, new) = disk.place(to)?;
        if directory != other {
            // These would be two changes, of which a crash could leave one: nothing here may rely on that.
            return Err(ErrorKind::CrossesDevices.into());
        }
        if let Ok(there) = disk.find(to)
            && disk.names(there).is_ok_and(|names| !names.is_empty())
        {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        disk.change(directory, vec![(old, None), (new, Some(node))]);
        Ok(())
    }

    fn link(&self, file: &Path, second: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let node = disk.find(file)?;
        if disk.find(second).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let (directory, name) = disk.place(second)?;
        disk.change(directory, vec![(name, Some(node))]);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let node = disk.find(path)?;
        match &mut disk.nodes[node] {
            Node::Directory { seen, synced, changes } => {
                synced.clone_from(seen);
                changes.clear();
                Ok(())
            }
            Node::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let disk = self.disk();
        match &disk.nodes[disk.find(path)?] {
            Node::File { seen, .. } => Ok(seen.clone()),
            Node::Directory { .. } => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let disk = self.disk();
        match &disk.nodes[disk.find(path)?] {
            Node::File { seen, .. } => Ok(seen.len() as u64),
            Node::Directory { .. } => Err(ErrorKind::InvalidInput.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        Ok(disk.names(disk.find(path)?)?.keys().cloned().collect())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let node = disk.find(path)?;
        match &disk.nodes[node] {
            Node::File { .. } => disk.remove(path),
            Node::Directory { .. } => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let node = disk.find(path)?;
        if !disk.names(node)?.is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        disk.remove(path)
    }
}
