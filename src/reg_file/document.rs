//! The contents of a `.reg` file, apart from its spelling: operations in order, and the comments around them.

use super::key_path::KeyPath;

/// The operations of a `.reg` file in the order in which regedit applies them, and its comment lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Whole-line comments, in order.
    pub comments: Vec<Comment>,
    /// The operations in order. Deleting a parent before creating its child is not the same as after.
    pub operations: Vec<Entry>,
}

/// One operation, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line of the text where the operation begins, from 1; 0 if it was not read from a text.
    pub line: usize,
    /// The operation.
    pub operation: Operation,
}

/// A comment on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Line of the text, from 1; 0 if it was not read from a text.
    pub line: usize,
    /// The text after the `;` or `#` and one blank, in UTF-16 units.
    pub text: Vec<u16>,
    /// The index of the next operation in the document. The emitter begins a section there, because importers disagree
    /// about comments anywhere but before a `[key]`.
    pub before: usize,
}

/// One operation of a `.reg` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `[key]`: opens the key, and creates it and its parents if they are missing.
    CreateKey {
        /// The key.
        key: KeyPath,
    },
    /// `[-key]`: deletes the key with everything below it. A missing key is not an error.
    DeleteKey {
        /// The key.
        key: KeyPath,
    },
    /// `"name"=data`: sets this type and these bytes, whatever the value was before.
    SetValue {
        /// The key that contains the value. It is created if it is missing.
        key: KeyPath,
        /// The value's name in UTF-16 units; empty for the default value.
        name: Vec<u16>,
        /// The registry's type number: 1 is REG_SZ, 4 is REG_DWORD. Any 32-bit number is allowed.
        data_type: u32,
        /// The data as stored in a hive: strings in UTF-16LE with their terminator, numbers little-endian.
        bytes: Vec<u8>,
    },
    /// `"name"=-`: deletes a value. A missing value is not an error.
    DeleteValue {
        /// The key that contains the value. regedit creates it if it is missing.
        key: KeyPath,
        /// The value's name in UTF-16 units; empty for the default value.
        name: Vec<u16>,
    },
}

impl Document {
    /// Adds an operation that was not read from a text.
    pub fn push(&mut self, operation: Operation) {
        self.operations.push(Entry { line: 0, operation });
    }

    /// Adds a comment before the next operation.
    pub fn comment(&mut self, text: &str) {
        let before = self.operations.len();
        self.comments.push(Comment { line: 0, text: text.encode_utf16().collect(), before });
    }
}

impl Operation {
    /// Returns the key of the operation.
    pub fn key(&self) -> &KeyPath {
        match self {
            Self::CreateKey { key }
            | Self::DeleteKey { key }
            | Self::SetValue { key, .. }
            | Self::DeleteValue { key, .. } => key,
        }
    }

    /// Returns the name of the operation's value, in UTF-16 units; `None` for operations on keys.
    pub fn value_name(&self) -> Option<&[u16]> {
        match self {
            Self::CreateKey { .. } | Self::DeleteKey { .. } => None,
            Self::SetValue { name, .. } | Self::DeleteValue { name, .. } => Some(name),
        }
    }
}
