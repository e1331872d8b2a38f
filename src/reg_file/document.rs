//! What a `.reg` file says, apart from how it is written: operations in order, and the comments around them.

use super::key_path::KeyPath;

/// The operations of a `.reg` file in the order in which regedit carries them out, and its comment lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Whole-line comments, in order.
    pub comments: Vec<Comment>,
    /// What is to be done, in order. The order matters: deleting a parent after its child was made is not the reverse.
    pub operations: Vec<Entry>,
}

/// One operation and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line of the text where the operation begins, from 1; 0 if it was not read from a text.
    pub line: usize,
    /// What is to be done.
    pub operation: Operation,
}

/// A comment that has a line to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Line of the text, from 1; 0 if it was not read from a text.
    pub line: usize,
    /// What follows the `;` or `#` and one blank, in UTF-16 units.
    pub text: Vec<u16>,
    /// Index of the operation that comes next in the document. The emitter begins a section there, because importers
    /// disagree about comments anywhere but before a `[key]`.
    pub before: usize,
}

/// One thing that a `.reg` file can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `[key]`: open the key, and make it and its parents where they are missing.
    CreateKey {
        /// The key.
        key: KeyPath,
    },
    /// `[-key]`: delete the key with everything below it. A key that is not there is no error.
    DeleteKey {
        /// The key.
        key: KeyPath,
    },
    /// `"name"=data`: give a value this type and these bytes, whatever it had before.
    SetValue {
        /// The key that holds the value; it is made if it is missing.
        key: KeyPath,
        /// The value's name in UTF-16 units; empty for the default value.
        name: Vec<u16>,
        /// The registry's type number: 1 is REG_SZ, 4 is REG_DWORD; any 32-bit number is allowed.
        data_type: u32,
        /// The data as a hive holds it: strings in UTF-16LE with their terminator, numbers little-endian.
        bytes: Vec<u8>,
    },
    /// `"name"=-`: delete a value. A value that is not there is no error.
    DeleteValue {
        /// The key that holds the value; regedit makes it if it is missing.
        key: KeyPath,
        /// The value's name in UTF-16 units; empty for the default value.
        name: Vec<u16>,
    },
}

impl Document {
    /// Adds an operation that comes from no text.
    pub fn push(&mut self, operation: Operation) {
        self.operations.push(Entry { line: 0, operation });
    }

    /// Adds a comment before the operation that will be pushed next.
    pub fn comment(&mut self, text: &str) {
        let before = self.operations.len();
        self.comments.push(Comment { line: 0, text: text.encode_utf16().collect(), before });
    }
}

impl Operation {
    /// Returns the key that the operation is about.
    pub fn key(&self) -> &KeyPath {
        match self {
            Self::CreateKey { key }
            | Self::DeleteKey { key }
            | Self::SetValue { key, .. }
            | Self::DeleteValue { key, .. } => key,
        }
    }

    /// Returns the name of the value that the operation is about, in UTF-16 units; `None` for operations on keys.
    pub fn value_name(&self) -> Option<&[u16]> {
        match self {
            Self::CreateKey { .. } | Self::DeleteKey { .. } => None,
            Self::SetValue { name, .. } | Self::DeleteValue { name, .. } => Some(name),
        }
    }
}
