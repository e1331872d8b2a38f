//! The walk itself: a stack of keys, each with the rest of its list.

use super::loss::{Loss, Lost};
use super::marks::Marks;
use super::met::{Kind, Met};
use super::{MAX_LOST, Visitor, Walked, WalkedKey, WalkedSubkeys, joined};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::cell::{Cells, Entry, NIL, Name, RawKey, Reader, in_file};

mod neighbours;
mod times;
mod values;

use times::Times;

/// The registry allows 512 levels of keys. Deeper keys are invalid.
/// <https://learn.microsoft.com/windows/win32/sysinfo/registry-element-size-limits>
const MAX_DEPTH: usize = 512;
/// The least bytes of a list entry in the hive. More entries than fit into the hive can exist only if lists are read
/// repeatedly. Then the walk ends, so the work grows linearly with the file.
const BYTES_OF_AN_ENTRY: usize = 4;
/// All names together are no longer than the hive, and each is compared at most twice. If names overlap, they have more
/// bytes; then the remaining names are delivered but not compared.
const LOOKS_AT_A_NAME: usize = 2;
/// The most letters of a path in a problem, so that names of 64 KiB, 512 deep, do not fill the report.
const MAX_PATH_SHOWN: usize = 4096;

/// A key on the path to the visited key.
pub(super) struct Frame<'h> {
    pub(super) key: RawKey<'h>,
    /// Its subkeys in `Walker::entries`: the first, the next, and the end.
    start: usize,
    next: usize,
    end: usize,
    /// The name of the previous subkey.
    previous: Option<Name<'h>>,
    sorted: bool,
    delivered: u64,
    promised: u64,
}

/// A walk in progress.
pub(super) struct Walker<'h, 'v, V> {
    cells: Cells<'h>,
    root: u32,
    times: Times,
    visitor: &'v mut V,
    frames: Vec<Frame<'h>>,
    /// The subkeys of all frames, one list after the other.
    entries: Vec<Entry>,
    /// The names of the values of one key.
    value_names: Vec<(Name<'h>, u32)>,
    visited: Marks,
    reached: Marks,
    steps_left: usize,
    data_left: usize,
    names_left: usize,
    /// Whether to visit subkeys.
    descend: bool,
    walked: Walked,
    met: Met,
}

impl<'h, 'v, V: Visitor> Walker<'h, 'v, V> {
    pub(super) fn new(hive: &'h Hive, visitor: &'v mut V) -> Self {
        let base_block = &hive.base_block;
        let cells = Cells::new(&hive.bytes, base_block.data_size, base_block.minor).without(hive.bytes.holes());
        let size = cells.bytes.len();
        Self {
            cells,
            root: base_block.root_offset,
            times: Times::of(hive),
            visitor,
            frames: Vec::new(),
            entries: Vec::new(),
            value_names: Vec::new(),
            visited: Marks::new(size),
            reached: Marks::new(size),
            steps_left: size / BYTES_OF_AN_ENTRY,
            data_left: size,
            names_left: size.saturating_mul(LOOKS_AT_A_NAME),
            descend: true,
            walked: Walked { keys_promised: 1, ..Walked::default() },
            met: Met::default(),
        }
    }

    /// Walks the hive, and returns the result and the reached cells.
    pub(super) fn run(mut self) -> (Walked, Marks) {
        match self.cells.key(self.root) {
            Ok(root) => {
                self.visited.insert(root.offset);
                self.enter(root);
            }
            Err(problem) => {
                self.met.meet(Kind::Unreadable, || problem);
                let offset = in_file(self.root);
                self.lose(Loss { key: String::new(), offset, promised: 1, delivered: 0, what: Lost::Root });
            }
        }
        self.finish()
    }

    /// Walks from the last key of a way on.
    pub(super) fn run_from(mut self, way: &[u32], descend: bool) -> Walked {
        self.descend = descend;
        let above = way.len().saturating_sub(1);
        for (place, &offset) in way.iter().enumerate() {
            match self.cells.key(offset) {
                Ok(key) if place < above => {
                    self.visited.insert(key.offset);
                    let (start, next, end) = (0, 0, 0);
                    let (previous, sorted, delivered, promised) = (None, true, 0, 0);
                    self.frames.push(Frame { key, start, next, end, previous, sorted, delivered, promised });
                }
                Ok(key) => {
                    self.visited.insert(key.offset);
                    self.enter(key);
                }
                Err(problem) => {
                    self.met.meet(Kind::Unreadable, || problem);
                    break;
                }
            }
        }
        self.finish().0
    }

    /// Visits the keys that remain on the stack.
    fn finish(mut self) -> (Walked, Marks) {
        while let Some(frame) = self.frames.last_mut() {
            if !self.visitor.goes_on() {
                break;
            }
            if let Some(entry) = self.entries.get(frame.next).filter(|_| frame.next < frame.end).copied() {
                frame.next = frame.next.saturating_add(1);
                self.subkey(entry);
            } else {
                self.leave();
            }
        }
        self.times.tell(&mut self.met);
        let mut walked = self.walked;
        walked.damaged = self.met.damage() || !walked.lost.is_empty();
        walked.problems = self.met.into_problems();
        (walked, self.reached)
    }

    /// Visits one entry of the parent's list.
    fn subkey(&mut self, entry: Entry) {
        let key = match self.cells.key(entry.offset) {
            Ok(key) => key,
            Err(problem) => return self.lack_below(Kind::Unreadable, &|_| problem.clone()),
        };
        if !self.visited.insert(key.offset) {
            return self.lack_below(Kind::Twice, &|frames| {
                let looped = frames.iter().any(|frame| frame.key.offset == key.offset);
                let found = if looped { "one that is below itself: a loop" } else { "one that was read before" };
                let found = format!("{found} ({})", named(frames, &key));
                Problem::at(in_file(key.offset), "a key that one list names, once", found)
            });
        }
        if self.frames.len() > MAX_DEPTH {
            return self.lack_below(Kind::Unreadable, &|frames| {
                let found = format!("a deeper one, which was not read ({})", named(frames, &key));
                Problem::at(in_file(key.offset), format!("keys no more than {MAX_DEPTH} deep"), found)
            });
        }
        let known = self.check_among_neighbours(&key, entry);
        if let Some(frame) = self.frames.last_mut() {
            frame.delivered = frame.delivered.saturating_add(1);
            frame.previous = known.then_some(key.name);
        }
        self.enter(key);
    }

    /// Visits a key and its values, and puts the key on the stack with its list.
    fn enter(&mut self, key: RawKey<'h>) {
        self.walked.keys = self.walked.keys.saturating_add(1);
        self.reached.insert(key.offset);
        self.visitor.key(&WalkedKey { above: &self.frames, raw: &key, cells: self.cells });
        self.attributes(&key);
        self.values(&key);
        let start = self.entries.len();
        let cells = self.cells;
        let mut list = List { walker: self, key: &key, sound: true };
        cells.read_subkeys(&key, &mut list);
        let sound = list.sound;
        let end = self.entries.len();
        let listed = end.saturating_sub(start) as u64;
        let promised = u64::from(key.subkey_count).max(listed);
        if listed != u64::from(key.subkey_count) && sound {
            let differs = |frames: &[Frame<'_>]| {
                let expected = format!("{} subkeys, as the key node says", key.subkey_count);
                Problem::at(in_file(key.offset), expected, format!("a list of {listed} ({})", named(frames, &key)))
            };
            if listed < promised {
                self.lack(Kind::Count, &key, &differs);
            } else {
                self.met.meet(Kind::Count, || differs(&self.frames));
            }
        }
        let entries = self.entries.get(start..end).unwrap_or_default();
        let walked = WalkedKey { above: &self.frames, raw: &key, cells };
        self.visitor.subkeys(&walked, &WalkedSubkeys { entries, cells });
        let mut frame = Frame { key, start, next: start, end, previous: None, sorted: true, delivered: 0, promised };
        if self.descend {
            self.walked.keys_promised = self.walked.keys_promised.saturating_add(promised);
        } else {
            // These subkeys are not visited, but a visitor that shows their names needs to know which cannot be read.
            for entry in entries {
                if let Err(problem) = cells.key(entry.offset) {
                    let walked = WalkedKey { above: &self.frames, raw: &frame.key, cells };
                    lack(self.visitor, &mut self.met, Kind::Unreadable, &walked, &|| problem.clone());
                }
            }
            (frame.end, frame.promised) = (start, 0);
        }
        self.frames.push(frame);
    }

    /// Reports to the visitor, and counts, a part of a key below the stack that cannot be read.
    fn lack(&mut self, kind: Kind, key: &RawKey<'h>, problem: &dyn Fn(&[Frame<'h>]) -> Problem) {
        let walked = WalkedKey { above: &self.frames, raw: key, cells: self.cells };
        lack(self.visitor, &mut self.met, kind, &walked, &|| problem(&self.frames));
    }

    /// Reports an unreadable subkey of the last key on the stack, as `lack` does.
    fn lack_below(&mut self, kind: Kind, problem: &dyn Fn(&[Frame<'h>]) -> Problem) {
        if let Some((last, above)) = self.frames.split_last() {
            let walked = WalkedKey { above, raw: &last.key, cells: self.cells };
            lack(self.visitor, &mut self.met, kind, &walked, &|| problem(&self.frames));
        }
    }

    /// Removes a key from the stack after its last subkey.
    fn leave(&mut self) {
        let Some(Frame { key, start, promised, delivered, .. }) = self.frames.pop() else { return };
        self.entries.truncate(start);
        if delivered < promised {
            let path = self.path(&key);
            self.lose(Loss { key: path, offset: in_file(key.offset), promised, delivered, what: Lost::Subkeys });
        }
    }

    /// Checks the security descriptor, class name, time, and layer of a key.
    fn attributes(&mut self, key: &RawKey<'h>) {
        // Nearly all keys share a few descriptors, so each is checked once.
        if key.security != NIL && !self.reached.contains(key.security) {
            match self.cells.cell(key.security, "a security descriptor (sk)") {
                Ok(cell) if cell.starts_with(b"sk") => _ = self.reached.insert(key.security),
                Ok(_) => self.odd(Kind::Attribute, key, || {
                    let found = format!("something else at {:#x}", in_file(key.security));
                    ("a security descriptor (sk)".to_owned(), found)
                }),
                Err(problem) => self.met.meet(Kind::Attribute, || problem),
            }
        }
        let (class, length) = key.class;
        if length > 0 {
            match self.cells.cell(class, "a class name") {
                Ok(cell) if cell.len() >= usize::from(length) => _ = self.reach(class, key),
                Ok(cell) => self.lack(Kind::Attribute, key, &|frames| {
                    let found = format!("a cell of {} bytes ({})", cell.len(), named(frames, key));
                    Problem::at(in_file(key.offset), format!("a class name of {length} bytes"), found)
                }),
                Err(problem) => self.lack(Kind::Attribute, key, &|_| problem.clone()),
            }
        }
        self.times.look(&self.frames, key);
        if key.is_link {
            self.odd(Kind::Link, key, || {
                ("a key with values and subkeys of its own".to_owned(), "a symbolic link to another key".to_owned())
            });
        }
        if key.layer != 0 {
            self.odd(Kind::Layer, key, || {
                let found = format!("one that lies over that of the hive below it (layer semantics {})", key.layer);
                ("a key that stands by itself".to_owned(), found)
            });
        }
    }

    /// Marks a cell as used by a key, and returns whether it was unused. A second use is a problem.
    fn reach(&mut self, cell: u32, key: &RawKey<'h>) -> bool {
        let first = self.reached.insert(cell);
        if !first {
            self.odd_at(Kind::Shared, cell, key, || {
                ("a cell that is used once".to_owned(), "another use of it".to_owned())
            });
        }
        first
    }

    /// Deducts a name from the budget, and returns whether it may be compared.
    fn take_name(&mut self, name: Name<'_>) -> bool {
        let left = self.names_left.checked_sub(name.bytes());
        self.names_left = left.unwrap_or(self.names_left);
        left.is_some()
    }

    fn step(&mut self) -> bool {
        let left = self.steps_left.checked_sub(1);
        self.steps_left = left.unwrap_or(0);
        left.is_some()
    }

    fn lose(&mut self, loss: Loss) {
        if self.walked.lost.len() < MAX_LOST {
            self.walked.lost.push(loss);
        } else {
            self.walked.lost_left_out = self.walked.lost_left_out.saturating_add(1);
        }
    }

    /// Adds a problem of the key below the stack: the expected and the actual state.
    fn odd(&mut self, kind: Kind, key: &RawKey<'h>, what: impl FnOnce() -> (String, String)) {
        self.odd_at(kind, key.offset, key, what);
    }

    fn odd_at(&mut self, kind: Kind, at: u32, key: &RawKey<'h>, what: impl FnOnce() -> (String, String)) {
        let frames = &self.frames;
        self.met.meet(kind, || {
            let (expected, found) = what();
            Problem::at(in_file(at), expected, format!("{found} ({})", named(frames, key)))
        });
    }

    fn path(&self, key: &RawKey<'h>) -> String {
        path(&self.frames, key)
    }
}

/// Reports a part of a key that cannot be read.
fn lack(visitor: &mut impl Visitor, met: &mut Met, kind: Kind, key: &WalkedKey<'_, '_>, problem: &dyn Fn() -> Problem) {
    visitor.unreadable(key, problem);
    met.meet(kind, problem);
}

/// Describes a key below the stack.
fn named(frames: &[Frame<'_>], key: &RawKey<'_>) -> String {
    if frames.is_empty() { "the root key".to_owned() } else { format!("key {}", path(frames, key)) }
}

/// Returns the path of a key below the stack, cut if it is very long.
fn path(frames: &[Frame<'_>], key: &RawKey<'_>) -> String {
    let own = (!frames.is_empty()).then_some(key.name);
    let mut path = String::new();
    for name in frames.iter().skip(1).map(|frame| frame.key.name).chain(own) {
        path = joined(path, name);
        if let Some((cut, _)) = path.char_indices().nth(MAX_PATH_SHOWN) {
            path.truncate(cut);
            return path + "...";
        }
    }
    path
}

/// Receives the list of a key's subkeys.
struct List<'w, 'h, 'v, 'k, V> {
    walker: &'w mut Walker<'h, 'v, V>,
    key: &'k RawKey<'h>,
    sound: bool,
}

impl<V: Visitor> Reader for List<'_, '_, '_, '_, V> {
    fn step(&mut self) -> bool {
        self.walker.step()
    }

    fn cell(&mut self, offset: u32) {
        let _ = self.walker.reach(offset, self.key);
    }

    fn subkey(&mut self, entry: Entry) {
        self.walker.entries.push(entry);
    }

    fn problem(&mut self, problem: Problem) {
        self.sound = false;
        self.walker.lack(Kind::Unreadable, self.key, &|_| problem.clone());
    }
}
