// The module has no files of its own yet.
