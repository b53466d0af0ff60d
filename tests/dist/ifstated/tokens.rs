//! ifstated.conf cut into tokens, with its macros replaced. Called by `machine` alone.

use std::collections::BTreeMap;

/// What a file is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Sign(char),
    Line,
}

/// Words, strings, signs and ends of lines; macros are replaced by their tokens.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut macros = BTreeMap::new();
    let mut tokens = Vec::new();
    for line in text.lines() {
        let line = split(line);
        if let [Token::Word(name), Token::Sign('='), Token::Text(value)] = line.as_slice() {
            macros.insert(name.clone(), split(value));
            continue;
        }
        for token in line {
            match token {
                Token::Word(w) if w.starts_with('$') => {
                    let value = macros.get(&w[1..]).unwrap_or_else(|| panic!("there is no macro {w}"));
                    let nested = |t: &Token| matches!(t, Token::Word(w) if w.starts_with('$'));
                    assert!(!value.iter().any(nested), "{w} uses another macro");
                    tokens.extend(value.iter().cloned());
                }
                other => tokens.push(other),
            }
        }
        tokens.push(Token::Line);
    }
    tokens
}

fn split(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '#' => break,
            '"' | '\'' => {
                let end = rest[1..].find(c).unwrap_or_else(|| panic!("no end: {line}"));
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            }
            '(' | ')' | '{' | '}' | '!' | '=' => (Token::Sign(c), 1),
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "(){}!=#\"'".contains(c));
                let end = end.unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens
}
