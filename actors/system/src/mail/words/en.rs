use super::Words;
use plinto_domain::mail::MailMessage;

const IGNORE: &str = "If this was not you, ignore this mail: nothing happens without it.";

fn lasts(minutes: u32) -> String {
    super::duration(minutes, [("minute", "minutes"), ("hour", "hours"), ("day", "days")])
}

pub(super) fn words(message: &MailMessage, brand: &str) -> Words {
    let say = |subject: String, before: Vec<String>, after: Vec<String>| Words {
        subject,
        before,
        code: None,
        action: None,
        after,
    };
    let once = |minutes: &u32| {
        format!("The link works once, and for {} from when it was asked for.", lasts(*minutes))
    };
    match message {
        MailMessage::VerifyEmail { minutes, .. } => say(
            format!("Confirm your e-mail address for {brand}"),
            vec![format!("Somebody, most likely you, entered this address at {brand}. Confirm that it is yours.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::AlreadyRegistered => say(
            format!("You already have an account at {brand}"),
            vec![
                format!("Somebody, most likely you, signed up at {brand} with this address, which already has an account. Sign in as before; nothing was changed."),
                "If you do not remember the password, ask for a new one where you sign in.".into(),
            ],
            vec![IGNORE.into()],
        ),
        MailMessage::ResetPassword { minutes, .. } => say(
            format!("Choose a new password for {brand}"),
            vec![format!("Somebody, most likely you, asked for a new password at {brand}.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::PasswordChanged => say(
            format!("Your password for {brand} was changed"),
            vec![format!("The password of your account at {brand} was changed.")],
            vec!["If this was not you, ask for a new password at once where you sign in, and tell those who run the service.".into()],
        ),
        MailMessage::PasswordRemoved => say(
            format!("The password of your account at {brand} was removed"),
            vec![format!("You have just signed in to {brand} by mail, which proves that this address is yours. The password the account had was set before that, by you or by somebody else, so it does not work any more, and other devices are signed out.")],
            vec!["Ask for a new password where you sign in, if you want one.".into()],
        ),
        MailMessage::SignInLink { minutes, .. } => say(
            format!("Sign in to {brand}"),
            vec!["Open this link in the browser in which you asked for it.".into()],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::SignInCode { code, minutes } => Words {
            code: Some(code.clone()),
            ..say(
                format!("Your code for {brand}"),
                vec!["Enter this code in the browser in which you asked for it.".into()],
                vec![
                    format!("It works once, and for {}. Nobody who works for {brand} will ever ask you for it.", lasts(*minutes)),
                    IGNORE.into(),
                ],
            )
        },
        MailMessage::UserInvitation { minutes, .. } => say(
            format!("You are invited to {brand}"),
            vec![format!("You are invited to {brand}. Choose a password to make your account.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::OrganizationInvitation { minutes, organization, .. } => say(
            format!("You are invited to {organization} at {brand}"),
            vec![format!("You are invited to join {organization} at {brand}.")],
            vec![once(minutes), IGNORE.into()],
        ),
    }
}

pub(super) fn label(message: &MailMessage) -> &'static str {
    match message {
        MailMessage::VerifyEmail { .. } => "Confirm the address",
        MailMessage::ResetPassword { .. } | MailMessage::UserInvitation { .. } => "Choose a password",
        MailMessage::OrganizationInvitation { .. } => "See the invitation",
        MailMessage::SignInLink { .. }
        | MailMessage::SignInCode { .. }
        | MailMessage::AlreadyRegistered
        | MailMessage::PasswordChanged
        | MailMessage::PasswordRemoved => "Sign in",
    }
}
