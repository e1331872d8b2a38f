//! Folders: a mounted volume, a folder of copied hives, or one file.
