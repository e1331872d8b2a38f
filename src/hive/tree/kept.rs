//! Names of subkeys and values that were read, kept for the next look-up in the same list.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::hive::names::Names;

/// The most names that are kept, beside the list that was read last. A name takes up to 28 bytes. An audit needs a few
/// thousand; a patch may need those of every key that it changes.
const MOST: usize = 1 << 20;

/// The names of lists, by the offset of the key node.
#[derive(Default)]
pub(super) struct Kept {
    subkeys: RefCell<BTreeMap<u32, Rc<Names>>>,
    values: RefCell<BTreeMap<u32, Rc<Names>>>,
    /// The number of names in all of them.
    names: Cell<usize>,
}

impl Kept {
    /// Returns the names of a key's subkeys, and reads them if they are not kept.
    pub(super) fn subkeys(&self, key: u32, read: impl FnOnce() -> Names) -> Rc<Names> {
        self.of(&self.subkeys, key, read)
    }

    /// Returns the names of a key's values, and reads them if they are not kept.
    pub(super) fn values(&self, key: u32, read: impl FnOnce() -> Names) -> Rc<Names> {
        self.of(&self.values, key, read)
    }

    fn of(&self, lists: &RefCell<BTreeMap<u32, Rc<Names>>>, key: u32, read: impl FnOnce() -> Names) -> Rc<Names> {
        if let Some(known) = lists.borrow().get(&key) {
            return Rc::clone(known);
        }
        let names = Rc::new(read());
        // One more for each list, so that empty lists are limited too.
        let of_list = names.len().saturating_add(1);
        let mut all = self.names.get().saturating_add(of_list);
        if all > MOST {
            // Whatever is kept, the next look-up is most likely in this list, however long it is.
            self.subkeys.borrow_mut().clear();
            self.values.borrow_mut().clear();
            all = of_list;
        }
        self.names.set(all);
        lists.borrow_mut().insert(key, Rc::clone(&names));
        names
    }
}
