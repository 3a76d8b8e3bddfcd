//! Pictures of users.

use super::User;
use super::event::{Happening, UserEvent};
use super::write::UserWrite;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::input::InvalidInput;
use crate::time::Timestamp;
use std::fmt;

/// Most bytes of a picture as it is sent.
pub const LARGEST_FILE: usize = 4 * 1024 * 1024;
/// Most pixels on either side of a picture as it is sent.
pub const LONGEST_SIDE: u32 = 4_096;
/// Pixels on each side of a picture as it is kept.
pub const SIDE: u32 = 256;

/// The user has no picture.
pub const NO_AVATAR: Denial =
    Denial::new(DenialKind::Unknown, "no_avatar", "No avatar", "the user has no avatar");

/// Why a file is not made into a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// It is damaged, cut off, or no picture of the kind it says.
    Unreadable,
    /// It has more pixels than a picture may have.
    TooLarge,
}

impl From<Unfit> for InvalidInput {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Unreadable => {
                let detail = "the body is no PNG, JPEG or WebP picture, or is damaged; send the whole file";
                Self::new("body", "invalid_image", detail)
            }
            Unfit::TooLarge => {
                Self::new("body", "image_too_large", "a picture has at most 4096 pixels on either side")
            }
        }
    }
}

/// A picture as it is kept: a JPEG file of [`SIDE`] by [`SIDE`] pixels without anything beside them. `Debug` does not show
/// it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(Vec<u8>);

impl Picture {
    /// Wraps a file that was made here.
    pub fn made(file: Vec<u8>) -> Self {
        Self(file)
    }

    /// The file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(redacted)")
    }
}

/// Gives a user a picture in place of the one it may have; the reply is the picture's version.
pub fn set(user: &User, picture: Picture, now: Timestamp) -> Result<Decision<i64>, Denial> {
    user.check_kept()?;
    // The user's next version: no picture of this user ever had it.
    let version = user.version + 1;
    let set = UserWrite::SetAvatar { user: user.id, picture, version, at: now };
    Ok(changed(user, set, Happening::AvatarSet, version, now))
}

/// Takes the picture of a user away.
pub fn remove(user: &User, has_picture: bool, now: Timestamp) -> Result<Decision<()>, Denial> {
    user.check_kept()?;
    if !has_picture {
        return Err(NO_AVATAR);
    }
    Ok(changed(user, UserWrite::RemoveAvatar { user: user.id }, Happening::AvatarRemoved, (), now))
}

fn changed<R>(user: &User, write: UserWrite, what: Happening, reply: R, now: Timestamp) -> Decision<R> {
    let touch = UserWrite::Touch { user: user.id, expected_version: user.version, at: now };
    let events = vec![Event::User(UserEvent { user: user.id, what })];
    Decision { writes: [touch, write].map(Write::User).into(), events, reply }
}

#[cfg(test)]
mod tests {
    use super::super::USER_DELETED;
    use super::super::testing::ada;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(9);

    #[test]
    fn a_picture_has_a_version_of_its_own_and_moves_the_users() {
        let decision = set(&ada(), Picture::made(vec![1]), NOW).expect("allowed");
        assert_eq!(decision.reply, ada().version + 1);
        assert!(matches!(
            decision.writes[..],
            [
                Write::User(UserWrite::Touch { expected_version: 3, .. }),
                Write::User(UserWrite::SetAvatar { version: 4, .. })
            ]
        ));
        assert_eq!(decision.events[0].name(), "user.avatar_set");
        assert_eq!(decision.events[0].data(), serde_json::json!({}), "nothing of the picture");
    }

    #[test]
    fn what_is_not_there_is_not_taken_away_and_a_user_being_deleted_is_not_changed() {
        assert_eq!(remove(&ada(), false, NOW).expect_err("none"), NO_AVATAR);
        assert_eq!(remove(&ada(), true, NOW).expect("allowed").writes.len(), 2);
        let mut gone = ada();
        gone.standing.purge_at = Some(NOW);
        assert_eq!(remove(&gone, true, NOW).expect_err("deleted"), USER_DELETED);
        assert_eq!(set(&gone, Picture::made(Vec::new()), NOW).expect_err("deleted"), USER_DELETED);
    }
}
