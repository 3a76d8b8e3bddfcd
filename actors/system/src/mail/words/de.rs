use super::Words;
use plinto_domain::mail::MailMessage;

const IGNORE: &str =
    "Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ohne diese E-Mail geschieht nichts.";

fn lasts(minutes: u32) -> String {
    super::duration(minutes, [("Minute", "Minuten"), ("Stunde", "Stunden"), ("Tag", "Tage")])
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
        format!("Der Link gilt einmal. Gültigkeitsdauer ab der Anforderung: {}.", lasts(*minutes))
    };
    match message {
        MailMessage::VerifyEmail { minutes, .. } => say(
            format!("Bestätigen Sie Ihre E-Mail-Adresse für {brand}"),
            vec![format!("Jemand, wahrscheinlich Sie, hat diese Adresse bei {brand} angegeben. Bestätigen Sie, dass sie Ihnen gehört.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::AlreadyRegistered => say(
            format!("Sie haben bereits ein Konto bei {brand}"),
            vec![
                format!("Jemand, wahrscheinlich Sie, wollte sich bei {brand} mit dieser Adresse registrieren. Sie hat bereits ein Konto. Melden Sie sich wie bisher an; es wurde nichts geändert."),
                "Wenn Sie das Passwort nicht mehr wissen, fordern Sie bei der Anmeldung ein neues an.".into(),
            ],
            vec![IGNORE.into()],
        ),
        MailMessage::ResetPassword { minutes, .. } => say(
            format!("Wählen Sie ein neues Passwort für {brand}"),
            vec![format!("Jemand, wahrscheinlich Sie, hat bei {brand} ein neues Passwort angefordert.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::PasswordChanged => say(
            format!("Ihr Passwort für {brand} wurde geändert"),
            vec![format!("Das Passwort Ihres Kontos bei {brand} wurde geändert.")],
            vec!["Wenn Sie das nicht waren, fordern Sie bei der Anmeldung sofort ein neues Passwort an und verständigen Sie den Betreiber.".into()],
        ),
        MailMessage::PasswordRemoved => say(
            format!("Das Passwort Ihres Kontos bei {brand} wurde entfernt"),
            vec![format!("Sie haben sich soeben per E-Mail bei {brand} angemeldet und damit bewiesen, dass diese Adresse Ihnen gehört. Das Passwort des Kontos wurde davor festgelegt, von Ihnen oder von jemand anderem. Es gilt deshalb nicht mehr, und andere Geräte sind abgemeldet.")],
            vec!["Fordern Sie bei der Anmeldung ein neues Passwort an, wenn Sie eines möchten.".into()],
        ),
        MailMessage::SignInLink { minutes, .. } => say(
            format!("Anmeldung bei {brand}"),
            vec!["Öffnen Sie diesen Link in dem Browser, in dem Sie ihn angefordert haben.".into()],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::SignInCode { code, minutes } => Words {
            code: Some(code.clone()),
            ..say(
                format!("Ihr Code für {brand}"),
                vec!["Geben Sie diesen Code in dem Browser ein, in dem Sie ihn angefordert haben.".into()],
                vec![
                    format!("Er gilt einmal. Gültigkeitsdauer: {}. Niemand von {brand} wird Sie je danach fragen.", lasts(*minutes)),
                    IGNORE.into(),
                ],
            )
        },
        MailMessage::UserInvitation { minutes, .. } => say(
            format!("Einladung zu {brand}"),
            vec![format!("Sie sind zu {brand} eingeladen. Wählen Sie ein Passwort, um Ihr Konto anzulegen.")],
            vec![once(minutes), IGNORE.into()],
        ),
        MailMessage::OrganizationInvitation { minutes, organization, .. } => say(
            format!("Einladung zu {organization} bei {brand}"),
            vec![format!("Sie sind eingeladen, {organization} bei {brand} beizutreten.")],
            vec![once(minutes), IGNORE.into()],
        ),
    }
}

pub(super) fn label(message: &MailMessage) -> &'static str {
    match message {
        MailMessage::VerifyEmail { .. } => "Adresse bestätigen",
        MailMessage::ResetPassword { .. } | MailMessage::UserInvitation { .. } => "Passwort wählen",
        MailMessage::OrganizationInvitation { .. } => "Einladung ansehen",
        MailMessage::SignInLink { .. }
        | MailMessage::SignInCode { .. }
        | MailMessage::AlreadyRegistered
        | MailMessage::PasswordChanged
        | MailMessage::PasswordRemoved => "Anmelden",
    }
}
