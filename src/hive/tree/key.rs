//! A key: its name, its time, its subkeys.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use nt_hive::{NtHiveNameString, SubKeyNodes};

use super::{Node, PROBLEMS_KEPT, Tree, file_offset};
use crate::error::Problem;
use crate::hive::cell::{NIL, Name, RawKey};
use crate::hive::names::Names;
use crate::hive::overlay::{self, Twin, Twins};
use crate::hive::times::OddTime;
use crate::registry::FileTime;

/// A key of a [`Tree`].
pub struct Key<'t, 'h> {
    pub(super) tree: &'t Tree<'h>,
    pub(super) raw: RawKey<'h>,
    /// The path from the root, as stored; empty for the root.
    pub(super) path: String,
    pub(super) decoder: Option<Node<'t, 'h>>,
    /// The edits of the key, if the tree has edits.
    pub(super) edits: Option<&'h overlay::Node>,
    /// The path of the first symbolic link on the path to the key, including the key.
    pub(super) link: Option<Rc<str>>,
    /// The names of the values, read at the first look-up.
    pub(super) value_names: OnceCell<Rc<Names>>,
}

impl<'t, 'h> Key<'t, 'h> {
    /// Creates a key. nt-hive's node is kept only if it is the key at the checked offset.
    pub(super) fn new(tree: &'t Tree<'h>, raw: RawKey<'h>, path: String, decoder: Option<Node<'t, 'h>>) -> Self {
        // The name begins 76 bytes into the node, after the 4 bytes of the cell's size.
        let name_at = usize::try_from(raw.offset).ok().and_then(|offset| offset.checked_add(80));
        let decoder = decoder.filter(|node| {
            let at = match node.name() {
                Ok(NtHiveNameString::Latin1(name) | NtHiveNameString::Utf16LE(name)) => tree.offset_of(name),
                Err(_) => None,
            };
            at.is_some() && at == name_at
        });
        Self { tree, raw, path, decoder, edits: None, link: None, value_names: OnceCell::new() }
    }

    /// Returns the root with only the contents that edits gave it.
    pub(super) fn emptied(self, edits: &'h overlay::Node) -> Self {
        let raw = RawKey::nowhere(self.raw.name, self.raw.last_written);
        Self { raw, decoder: None, edits: Some(edits), value_names: OnceCell::new(), ..self }
    }

    /// Returns the subkey that edits created.
    pub(super) fn made(&self, edits: &'h overlay::Node) -> Self {
        let raw = RawKey::nowhere(Name::Utf16(&edits.name), self.raw.last_written);
        let path = self.path_of(&raw);
        let (tree, link, value_names) = (self.tree, self.link.clone(), OnceCell::new());
        Self { tree, raw, path, decoder: None, edits: Some(edits), link, value_names }
    }

    /// Returns a subkey of the hive after the edits; `None` if they delete it.
    pub(super) fn edited(&self, subkey: Self) -> Option<Self> {
        let Some(twins) = self.edits.and_then(|edits| edits.subkey(subkey.raw.name.units())) else {
            return Some(subkey);
        };
        match &twins.one {
            Some(edits) if edits.bare => edits.made.then(|| self.made(edits)),
            Some(edits) => Some(Self { edits: Some(edits), ..subkey }),
            None => {
                let twin = twins.each.values().find(|twin| twin.stored == Some(subkey.raw.offset));
                let edits = twin.map(|twin| &twin.node);
                twin.is_none_or(Twin::is_there).then_some(Self { edits, ..subkey })
            }
        }
    }

    /// Returns the first existing subkey of several with one name.
    fn first(&self, twins: &'h Twins) -> Result<Option<Self>, Problem> {
        let Some(twin) = twins.each.values().find(|twin| twin.is_there()) else { return Ok(None) };
        let Some(offset) = twin.stored else { return Ok(Some(self.made(&twin.node))) };
        let raw = self.tree.cells.key(offset).map_err(|problem| self.tree.met(problem))?;
        Ok(Some(Self { edits: Some(&twin.node), ..self.stored(raw, None) }))
    }

    /// Returns a subkey that is stored in the hive.
    pub(super) fn stored(&self, raw: RawKey<'h>, decoder: Option<Node<'t, 'h>>) -> Self {
        let path = self.path_of(&raw);
        let link = self.link_on_the_way(&raw, &path);
        Self { link, ..Self::new(self.tree, raw, path, decoder) }
    }

    /// Returns the name for display. Unpaired surrogates become U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.text().into_owned()
    }

    /// Returns the path from the hive's root, in the hive's own letter case.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn path_of(&self, subkey: &RawKey<'h>) -> String {
        let name = subkey.name.text();
        if self.path.is_empty() { name.into_owned() } else { [self.path.as_str(), "\\", &name].concat() }
    }

    fn link_on_the_way(&self, subkey: &RawKey<'h>, path: &str) -> Option<Rc<str>> {
        self.link.clone().or_else(|| subkey.is_link.then(|| path.into()))
    }

    /// Returns the path of the first symbolic link on the path to this key, including the key. Windows does not read
    /// keys below the link here, but at its target.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// Returns the offset of its key node, in bytes from the first hive bin.
    pub(in crate::hive) fn cell_offset(&self) -> u32 {
        self.raw.offset
    }

    /// Returns when the key was last written. Values have no time of their own.
    pub fn last_written(&self) -> FileTime {
        self.raw.last_written
    }

    /// Checks the key's security descriptor. A missing one is a problem of the hive, because Windows denies access to a
    /// key without one: M. Suhanov, "Windows registry file format specification", "Key security".
    pub fn check_security(&self) {
        if self.raw.offset == NIL {
            return; // made by an edit
        }
        let what = "the key's security descriptor (sk)";
        let found = match self.tree.cells.cell(self.raw.security, what) {
            Ok(cell) if cell.starts_with(b"sk") => return,
            Ok(_) => "something else".to_owned(),
            Err(problem) => problem.found,
        };
        let advice = format!("Windows may refuse to open {}, whatever its values say", self.path);
        self.tree.met(Problem::at(file_offset(self.raw.offset), what, found).advise(advice));
    }

    /// Returns the key's security descriptor as stored; `None` for a key that an edit created.
    ///
    /// # Errors
    /// Returns an error if the descriptor is missing or cannot be read.
    pub fn security(&self) -> Result<Option<&'h [u8]>, Problem> {
        if self.raw.offset == NIL {
            return Ok(None);
        }
        self.tree.cells.security(self.raw.security).map(Some)
    }

    /// Returns why the key's time of last write cannot be right, or `None` if it can.
    pub fn odd_time(&self) -> Option<OddTime> {
        self.tree.own_time.judge(self.raw.last_written)
    }

    /// Returns the key at `path` below this one, as [`Tree::key`] does.
    pub fn descend(self, path: &str) -> Result<Option<Key<'t, 'h>>, Problem> {
        let mut key = self;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// Returns the subkey with this name. Searches the whole list in any order. The first match is used, and a second
    /// one is reported as a problem of the hive.
    ///
    /// # Errors
    /// Returns an error if the subkey is not found and the list, or a key in it, cannot be read.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'t, 'h>>, Problem> {
        let twins = self.edits.and_then(|edits| edits.subkey(name.encode_utf16()));
        let edits = match twins {
            Some(twins) if twins.one.is_none() => return self.first(twins),
            twins => twins.and_then(|twins| twins.one.as_ref()),
        };
        if let Some(edits) = edits.filter(|edits| edits.bare) {
            return Ok(edits.made.then(|| self.made(edits)));
        }
        let names = self.tree.subkey_names(&self.raw);
        let of = |key: &RawKey<'h>| (key.offset, key.name);
        let found = self.tree.pick(&names, |offset| self.tree.cells.key(offset), of, "subkey", name)?;
        let found = found.map(|(place, raw)| {
            let decoder = names.is_sound().then(|| self.decoded_subkey(place)).flatten();
            Key { edits, ..self.stored(raw, decoder) }
        });
        Ok(found.or_else(|| edits.filter(|edits| edits.made).map(|edits| self.made(edits))))
    }

    fn decoded_subkey(&self, index: usize) -> Option<Node<'t, 'h>> {
        let mut nodes = self.decoder.as_ref()?.subkeys()?.ok()?;
        // In a list of lists nt-hive reads every key up to the one that is wanted.
        if matches!(nodes, SubKeyNodes::IndexRoot(_)) {
            self.tree.pass_over(index)?;
        }
        nodes.nth(index)?.ok()
    }

    /// Returns the names of all subkeys, as [`Key::subkeys`] has them, without making a key of each.
    pub fn subkey_names(&self) -> Vec<Cow<'h, str>> {
        if self.edits.is_some() {
            return self.subkeys().0.iter().map(|subkey| subkey.raw.name.text()).collect();
        }
        let listing = self.tree.cells.subkeys(&self.raw);
        let mut problems = listing.problems;
        let mut names = Vec::with_capacity(listing.offsets.len());
        for offset in listing.offsets {
            let within = |raw: RawKey<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            match self.tree.cells.key(offset).and_then(within) {
                Ok(raw) => names.push(raw.name.text()),
                Err(problem) if problems.len() < PROBLEMS_KEPT => problems.push(problem),
                Err(_) => {}
            }
        }
        self.tree.meet(problems);
        names
    }

    /// Returns all subkeys in the list's order, and the problems of the list.
    pub fn subkeys(&self) -> (Vec<Key<'t, 'h>>, Vec<Problem>) {
        let listing = self.tree.cells.subkeys(&self.raw);
        let mut problems = listing.problems;
        // nt-hive follows the list's offset even if the count is 0, whatever is stored there.
        let sound = problems.is_empty() && !listing.offsets.is_empty();
        let mut decoded = if sound { self.decoder.as_ref().and_then(|node| node.subkeys()?.ok()) } else { None };
        let mut keys = Vec::with_capacity(listing.offsets.len());
        for offset in listing.offsets {
            let within = |raw: RawKey<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            match self.tree.cells.key(offset).and_then(within) {
                Ok(raw) => {
                    let node = decoded.as_mut().and_then(|nodes| nodes.next()?.ok());
                    keys.push(self.stored(raw, node));
                }
                Err(problem) => {
                    // nt-hive cannot read this key safely, and from here on its order no longer matches.
                    decoded = None;
                    if problems.len() < PROBLEMS_KEPT {
                        problems.push(problem);
                    }
                }
            }
        }
        self.tree.meet(problems.clone());
        if let Some(edits) = self.edits {
            let held: BTreeSet<Vec<u16>> = keys.iter().map(|key| overlay::upper(key.raw.name.units())).collect();
            keys = keys.into_iter().filter_map(|key| self.edited(key)).collect();
            for (upper, twins) in edits.subkeys() {
                let made = twins.each.values().filter(|twin| twin.stored.is_none() && twin.is_there());
                keys.extend(made.map(|twin| self.made(&twin.node)));
                let one = twins.one.as_ref().filter(|one| one.made && !held.contains(upper));
                keys.extend(one.map(|one| self.made(one)));
            }
        }
        (keys, problems)
    }
}
