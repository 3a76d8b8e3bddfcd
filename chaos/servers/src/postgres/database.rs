use std::fmt;

/// A database of a test. The URLs hold passwords.
#[derive(Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// As [`crate::OWNER_ROLE`].
    pub owner_url: String,
    /// As [`crate::APP_ROLE`].
    pub app_url: String,
    /// As the superuser.
    pub superuser_url: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.name)
    }
}
