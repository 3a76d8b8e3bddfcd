//! Online backup of the embedded engine, and restore.
