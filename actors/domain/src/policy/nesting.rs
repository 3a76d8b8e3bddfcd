//! How deep a text goes, before a parser that recurses reads it: one that goes too deep would end the process.

/// Brackets within brackets, and `if`s of one policy.
const DEEPEST: usize = 24;
/// Operators and members of one policy: chains of them are as deep as they are long.
const MOST_LINKS: usize = 300;

/// Whether a text of Cedar, policies or a schema, is so flat that parsing it is safe. `angled` says whether `<` opens a
/// bracket, as it does in schemas.
pub(super) fn is_flat(text: &str, angled: bool) -> bool {
    let (mut depth, mut ifs, mut links) = (0_usize, 0_usize, 0_usize);
    let mut rest = text.char_indices().peekable();
    let mut word = String::new();
    while let Some((_, c)) = rest.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        ifs += usize::from(word == "if");
        word.clear();
        match c {
            '"' => skip_string(&mut rest),
            '/' if rest.peek().is_some_and(|(_, next)| *next == '/') => {
                while rest.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            '(' | '[' | '{' => (depth, links) = (depth + 1, links + 1),
            '<' if angled => (depth, links) = (depth + 1, links + 1),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '>' if angled => depth = depth.saturating_sub(1),
            ';' if depth == 0 => (ifs, links) = (0, 0),
            '.' | '&' | '|' | '+' | '-' | '*' | '!' => links += 1,
            _ => {}
        }
        if depth > DEEPEST || ifs > DEEPEST || links > MOST_LINKS {
            return false;
        }
    }
    true
}

fn skip_string(rest: &mut impl Iterator<Item = (usize, char)>) {
    while let Some((_, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

/// Whether JSON is so flat that reading it as a schema is safe.
pub(super) fn is_flat_json(value: &serde_json::Value, left: usize) -> bool {
    match value {
        serde_json::Value::Array(items) => left > 0 && items.iter().all(|item| is_flat_json(item, left - 1)),
        serde_json::Value::Object(members) => {
            left > 0 && members.values().all(|member| is_flat_json(member, left - 1))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_deep_is_found_wherever_it_is() {
        let nested =
            |open: &str, close: &str, times| format!("{}true{}", open.repeat(times), close.repeat(times));
        assert!(
            is_flat(&nested("(", ")", DEEPEST), false) && !is_flat(&nested("(", ")", DEEPEST + 1), false)
        );
        assert!(!is_flat(&nested("{a: [", "]}", DEEPEST), false));
        assert!(!is_flat(&nested("Set<", ">", DEEPEST + 1), true) && is_flat(&"1 < ".repeat(999), false));
        assert!(!is_flat(&"if a then b else ".repeat(DEEPEST + 1), false));
        assert!(!is_flat(&"a && ".repeat(151), false) && !is_flat(&format!("a{}", ".b".repeat(301)), false));
        assert!(is_flat(&"permit(principal, action, resource) when { a.b && c.d };\n".repeat(500), false));
    }

    #[test]
    fn texts_and_comments_are_not_looked_into() {
        let quoted =
            format!("permit(principal, action, resource) when {{ \"\\\"{}\" == \"\" }};", "(".repeat(50));
        assert!(is_flat(&quoted, false));
        assert!(is_flat(&format!("// {}\npermit(principal, action, resource);", "((".repeat(50)), false));
        assert!(!is_flat(&format!("// \"\n{}", "(".repeat(50)), false), "a comment ends with its line");
    }
}
