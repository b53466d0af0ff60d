//! Rust text to the paths that it names: enough of the grammar for that and no more. Called by `rules` only.

/// A piece of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Identifier or keyword.
    Word(String),
    /// `::`
    Colons,
    /// Any other character.
    Mark(char),
}

/// All tokens; comments, strings, characters and lifetimes left out.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = after_block_comment(&chars, i);
        } else if c == '"' {
            i = after_string(&chars, i);
        } else if c == '\'' {
            i = after_quote(&chars, i);
        } else if c.is_alphabetic() || c == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            let word: String = chars[start..i].iter().collect();
            let hashes = (i..chars.len()).take_while(|j| at(*j) == '#').count();
            if matches!(word.as_str(), "r" | "br" | "cr") && at(i + hashes) == '"' {
                i = after_raw_string(&chars, i + hashes + 1, hashes);
            } else if word == "r" && hashes == 1 {
                // r#type: the word follows.
                i += 1;
            } else {
                tokens.push(Token::Word(word));
            }
        } else {
            if c == ':' && at(i + 1) == ':' {
                tokens.push(Token::Colons);
                i += 1;
            } else if !c.is_whitespace() {
                tokens.push(Token::Mark(c));
            }
            i += 1;
        }
    }
    tokens
}

fn after_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn after_string(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn after_raw_string(chars: &[char], mut i: usize, hashes: usize) -> usize {
    while i < chars.len() {
        if chars[i] == '"' && (1..=hashes).all(|n| chars.get(i + n) == Some(&'#')) {
            return i + 1 + hashes;
        }
        i += 1;
    }
    i
}

/// A character is `'x'` or `'\..'`; anything else after a quote is a lifetime.
fn after_quote(chars: &[char], i: usize) -> usize {
    if chars.get(i + 1) == Some(&'\\') {
        let end = (i + 3..chars.len()).find(|j| chars[*j] == '\'');
        return end.map_or(chars.len(), |end| end + 1);
    }
    if chars.get(i + 2) == Some(&'\'') { i + 3 } else { i + 1 }
}

/// Without the items under `#[cfg(test)]`.
pub(crate) fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let word = |w: &str| Token::Word(w.to_owned());
    let mark = Token::Mark;
    let attribute = [
        mark('#'),
        mark('['),
        word("cfg"),
        mark('('),
        word("test"),
        mark(')'),
        mark(']'),
    ];
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i..].starts_with(&attribute) {
            i = after_item(&tokens, i);
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    kept
}

/// Behind the item that starts here: its `;`, or the brace that closes its body.
fn after_item(tokens: &[Token], mut i: usize) -> usize {
    let mut depth = 0usize;
    while i < tokens.len() {
        match tokens[i] {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark(')' | ']') => depth = depth.saturating_sub(1),
            Token::Mark('}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            Token::Mark(';') if depth == 0 => return i + 1,
            _ => {}
        }
        i += 1;
    }
    i
}

/// Every path, groups expanded: `a::{b, c::*}` gives `a::b` and `a::c::*`. Single words too.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match tokens[i] {
            Token::Word(_) => i = path(tokens, i, &[], &mut found),
            _ => i += 1,
        }
    }
    found
}

/// Reads the path or group that starts here; gives the place behind it.
fn path(tokens: &[Token], mut i: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(i) {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Mark('*')) if !path.is_empty() => path.push("*".to_owned()),
            Some(Token::Mark('{')) if !path.is_empty() => return group(tokens, i + 1, &path, found),
            // A turbofish or the like: the path has ended before it.
            _ => break,
        }
        i += 1;
        if tokens.get(i) != Some(&Token::Colons) {
            break;
        }
        i += 1;
    }
    if path.len() > before.len() {
        found.push(path);
    }
    i
}

fn group(tokens: &[Token], mut i: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    while i < tokens.len() {
        match &tokens[i] {
            Token::Mark('}') => return i + 1,
            // `x as y`: the new name is no path.
            Token::Word(word) if word == "as" => i += 2,
            Token::Word(_) | Token::Mark('*' | '{') => i = path(tokens, i, before, found),
            _ => i += 1,
        }
    }
    i
}
