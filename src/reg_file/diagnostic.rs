//! Diagnostics of a `.reg` file, line by line.

use std::borrow::Cow;
use std::fmt;

use super::importer::Importers;

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The importer does what the text says, or nearly so, but readers should know about it.
    Warning,
    /// The importer silently drops or changes something, or stops, or its behaviour is unknown.
    Error,
}

impl Severity {
    /// Returns the stable name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The strict reader's verdict on a whole file: its worst diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No diagnostics.
    Accept,
    /// Warnings only.
    Warn,
    /// One or more errors.
    Reject,
}

impl Verdict {
    /// Returns the stable name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Warn => "warn",
            Self::Reject => "reject",
        }
    }
}

/// One diagnostic for one place of a `.reg` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// Line of the text, from 1.
    pub line: usize,
    /// Column in UTF-16 units, from 1.
    pub column: usize,
    /// The kind of the problem.
    pub code: Code,
    /// The importers that the diagnostic concerns.
    pub importers: Importers,
    /// The text to write instead, if only one thing can be meant.
    pub instead: Option<&'static str>,
}

impl Diagnostic {
    /// Returns the problem in a sentence without a full stop: the code's message, and what to write instead.
    pub fn sentence(&self) -> Cow<'static, str> {
        let message = self.code.message();
        self.instead.map_or(Cow::Borrowed(message), |instead| Cow::Owned(format!("{message}; write {instead}")))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.sentence())
    }
}

/// Why a text is not a reliable document: the diagnostics of a rejected file, including at least one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Every diagnostic, in the order of the lines.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.diagnostics.iter().filter(|found| found.code.severity() == Severity::Error);
        match errors.next() {
            Some(first) => write!(f, "{first}")?,
            None => write!(f, "rejected")?,
        }
        match errors.count() {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Rejection {}

/// Declares every code once: its name in output, its severity, whether regedit's behaviour is known for Windows, and
/// its message.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $id:literal $severity:ident $established:literal $message:literal;)*) => {
        /// The kind of a [`Diagnostic`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[doc = $message] $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// Returns the stable kebab-case name.
            pub fn id(self) -> &'static str {
                match self { $(Self::$code => $id),* }
            }

            /// Returns how much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity),* }
            }

            /// Returns whether evidence shows what regedit on Windows does. If not, the effect is the best guess.
            pub fn is_established(self) -> bool {
                match self { $(Self::$code => $established),* }
            }

            /// Returns the message, in one sentence without a full stop.
            pub fn message(self) -> &'static str {
                match self { $(Self::$code => $message),* }
            }
        }
    };
}

codes! {
    EmptyFile "empty-file" Error true "the file is empty";
    Utf16WithoutMark "utf16-without-mark" Error true "UTF-16 without a byte order mark: regedit imports nothing";
    Utf16BigEndian "utf16-big-endian" Error true "UTF-16 in big-endian order: regedit imports nothing";
    Utf8Mark "utf8-mark" Error false "a UTF-8 byte order mark: Wine's regedit imports nothing, reports on Windows disagree, hivexregedit reads on";
    TwoMarks "two-marks" Error false "two byte order marks: Wine's regedit skips both; what regedit on Windows does is not known";
    HalfUnit "half-unit" Error false "the file ends within a UTF-16 unit";
    NulInText "nul-in-text" Error false "a NUL character ends the text for regedit";
    EightBitVersion5 "eight-bit-version-5" Warning true "a version 5.00 file should be UTF-16; bytes are read in the machine's code page";
    HeaderNotForEncoding "header-not-for-encoding" Warning true "a REGEDIT4 file should be 8-bit text, not UTF-16";
    CodePageDependent "code-page-dependent" Error false "a character that depends on the importing machine's code page (read as windows-1252)";
    NotInCodePage "not-in-code-page" Error false "a byte without a meaning in this code page: Windows reads some other character";
    HiddenCharacter "hidden-character" Warning true "a character that does not show, or turns the direction of the text around it";
    UnpairedSurrogate "unpaired-surrogate" Warning true "half of a surrogate pair";

    BadHeader "bad-header" Error true "the first line is no .reg header: regedit imports nothing";
    HeaderNotImported "header-not-imported" Error true "regedit reads this line as a header and imports nothing";
    Windows31 "windows-3.1" Error false "the header of the Windows 3.1 format, which is not supported";

    BlankBeforeKey "blank-before-key" Error true "a blank before the key's name: the line is ignored, and its values go into the key before";
    MissingBracket "missing-bracket" Error true "no closing bracket: the line is ignored, and its values go into the key before";
    TextAfterBracket "text-after-bracket" Error true "text after the closing bracket is ignored";
    CommentInKey "comment-in-key" Error true "the last bracket of the line ends the key: this comment is part of the key's name";
    UnknownRoot "unknown-root" Error true "no root key of this name: everything up to the next key is dropped";
    AbbreviatedRoot "abbreviated-root" Error true "regedit refuses root keys by their short names: everything below is dropped";
    /// <https://learn.microsoft.com/windows/win32/sysinfo/registry-element-size-limits>
    KeyNameTooLong "key-name-too-long" Error false "a key name of more than 255 characters: Windows allows no more; Wine's regedit and hivexregedit create it";
    EmptyKeyName "empty-key-name" Error false "two backslashes in a row";
    DeleteRoot "delete-root" Error true "a root key cannot be deleted: regedit stops here";
    CurrentControlSet "current-control-set" Warning true "a running Windows has its current control set under this name in SYSTEM; in a hive that is offline or loaded elsewhere, this creates a key that nothing reads";
    DeleteUnknownRoot "delete-unknown-root" Error false "no root key of this name to delete below: Wine's regedit drops the rest of the file if the name begins with H; what regedit on Windows does is not known; hivexregedit reads on";

    UnknownLine "unknown-line" Error true "neither key, value nor comment: the line is ignored";
    SmartQuote "smart-quote" Error true "a typographic quotation mark where only a plain one is valid: the line is dropped";
    SmartQuoteInName "smart-quote-in-name" Warning true "a typographic quotation mark is part of this name";
    NoOpenKey "no-open-key" Error true "a value without an open key is dropped";
    /// <https://learn.microsoft.com/windows/win32/sysinfo/registry-element-size-limits>
    ValueNameTooLong "value-name-too-long" Error true "a value name of more than 16,383 characters: Windows allows no more, and the value is dropped; hivexregedit stores it";
    MissingEquals "missing-equals" Error true "no equals sign after the value's name: the value is dropped";
    UnclosedQuote "unclosed-quote" Error false "no closing quote: Wine drops the value";
    StringContinued "string-continued" Error true "a quoted text cannot be continued on the next line: the value is dropped";
    NulEscape "nul-escape" Error true "the escape \\0 makes regedit drop the value";
    UnknownEscape "unknown-escape" Error false "only \\\\ and \\\" are sure to be understood";
    TextAfterDelete "text-after-delete" Error true "text after the minus: the value is not deleted";
    TextAfterData "text-after-data" Error true "text after the data: the value is dropped";
    UnknownData "unknown-data" Error true "not a quoted text, dword:, hex: or hex(type): in lower case: the value is dropped";
    BadTypeNumber "bad-type-number" Error true "the type is not a 32-bit number in plain hex digits: the value is dropped";
    BadDword "bad-dword" Error true "a dword has one to eight hex digits: the value is dropped";
    BadHex "bad-hex" Error true "not a list of bytes separated by single commas: the value is dropped";
    HexByteForm "hex-byte-form" Error false "a byte that is not two hex digits";
    TrailingComma "trailing-comma" Warning true "a comma at the end without a backslash ends the data";
    TextAfterBackslash "text-after-backslash" Error true "text after the backslash: the value is dropped";
    ContinuationAtEnd "continuation-at-end" Error true "the file ends where the data should continue: the value is kept up to here";
    KeySwallowed "key-swallowed" Error true "the data should continue here: the value before is dropped, this key is not opened, and the values below go into the key before";
    ValueSwallowed "value-swallowed" Error true "the data should continue here: the value before and this one are both dropped";
    BadContinuation "bad-continuation" Error true "the data should continue here: the value before is dropped";
    AmbiguousHexText "ambiguous-hex-text" Error false "header and encoding disagree on whether these bytes are UTF-16 or 8-bit text";
    TerminatorAdded "terminator-added" Warning true "a text without a final NUL: regedit adds one";
    OddText "odd-text" Warning false "a text with an odd number of bytes: Wine's regedit cuts and lengthens it; what regedit on Windows does is not known; hivexregedit stores it unchanged";
    NamesForgotten "names-forgotten" Warning true "more names than lint keeps: from here on, it may miss a value that is named twice";
    DuplicateValue "duplicate-value" Warning true "this key had a value of that name already: in regedit the last one wins";

    HivexUtf16 "hivex-utf-16" Error true "hivexregedit stops here: it reads bytes, and this is UTF-16";
    HivexUnexpectedText "hivex-unexpected-text" Error true "hivexregedit stops here: no key, value, comment or blank line in a form that it knows";
    HivexNoBlankLine "hivex-no-blank-line" Error true "hivexregedit stops here: a blank line or a comment must end the key before";
    HivexBadValue "hivex-bad-value" Error true "hivexregedit stops here: it does not understand this value";
    HivexNameNotUtf8 "hivex-name-not-utf-8" Error true "a name that is not UTF-8: hivexregedit stops, or crashes, when it creates the name";
    HivexLineJoined "hivex-line-joined" Error true "hivexregedit joins the next line to this one, which ends in a backslash";
    HivexLineSkipped "hivex-line-skipped" Error true "hivexregedit reads this line as a header and skips it";
    HivexSetWins "hivex-set-wins" Error true "deleted and set under one key line: in hivexregedit the set wins, whichever comes last";
    HivexStoredTwice "hivex-stored-twice" Error true "set twice under one key line: hivexregedit stores both, and Windows reads the first";
    HivexDeleteMisread "hivex-delete-misread" Error true "a line that ends in =- deletes the value in hivexregedit, whatever is in between";
    HivexTextIgnored "hivex-text-ignored" Error true "hivexregedit ignores what follows the closing quote";
    HivexTextBeyondAscii "hivex-text-beyond-ascii" Error true "text beyond ASCII in quotes: hivexregedit stores other characters";
    HivexNameBeyondAscii "hivex-name-beyond-ascii" Error true "a value name beyond ASCII: hivexregedit does not find the value that has it";
    HivexBadHex "hivex-bad-hex" Error true "not pairs of hex digits: hivexregedit stores other bytes";
    HivexRegedit4Text "hivex-regedit4-text" Error true "8-bit text in hex: hivexregedit stores it without widening it to UTF-16";
    HivexTypeNumber "hivex-type-number" Error true "hivexregedit cuts a type number to 32 bits";
    HivexEmptyName "hivex-empty-key-name" Error true "an empty key name: hivexregedit stops, or creates another key";
    HivexNul "hivex-nul" Error true "hivexregedit cuts a name at a NUL";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let ids: BTreeSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        assert!(ids.iter().all(|id| id.chars().all(plain)));
    }

    #[test]
    fn a_rejection_names_its_first_error_and_counts_the_rest() {
        let at = |line, code| Diagnostic { line, column: 1, code, importers: Importers::default(), instead: None };
        let rejection = Rejection {
            diagnostics: vec![at(1, Code::EightBitVersion5), at(3, Code::UnknownLine), at(4, Code::NoOpenKey)],
        };
        assert_eq!(
            rejection.to_string(),
            "line 3, column 1: neither key, value nor comment: the line is ignored (and 1 more)"
        );
    }

    #[test]
    fn a_sentence_says_what_to_write_where_only_one_thing_can_be_meant() {
        let mut found =
            Diagnostic { line: 3, column: 2, code: Code::DeleteRoot, importers: Importers::default(), instead: None };
        assert_eq!(found.sentence(), "a root key cannot be deleted: regedit stops here");
        found.instead = Some("HKEY_USERS");
        assert_eq!(found.sentence(), "a root key cannot be deleted: regedit stops here; write HKEY_USERS");
    }
}
