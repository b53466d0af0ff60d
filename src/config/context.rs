//! Walking the parsed file: every field knows its line, every mistake is collected and the walk goes on.
//!
//! Used by `read` (fields) and `check` (lines of keys by name). Knows TOML and lines, but no section's meaning.

use std::collections::HashMap;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigErrors};
use super::schema;
use super::value;

/// The mistakes so far, and where each key stands.
pub(super) struct Context {
    line_starts: Vec<usize>,
    key_lines: HashMap<String, usize>,
    errors: Vec<ConfigError>,
    incomplete: bool,
}

impl Context {
    pub(super) fn new(text: &str) -> Self {
        let newlines = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(i, _)| i + 1);
        Self {
            line_starts: std::iter::once(0).chain(newlines).collect(),
            key_lines: HashMap::new(),
            errors: Vec::new(),
            incomplete: false,
        }
    }

    /// The line, from 1, of an offset into the text.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// Records a mistake at a line. Something is then missing from the configuration.
    pub(super) fn error(&mut self, line: usize, path: &str, message: impl Into<String>) {
        self.incomplete = true;
        self.extra(line, path, message);
    }

    /// Records a mistake that leaves everything else complete: a key or section that does not exist.
    fn extra(&mut self, line: usize, path: &str, message: impl Into<String>) {
        self.errors.push(ConfigError {
            line,
            key: schema::display_path(path),
            message: message.into(),
        });
    }

    /// Records a mistake about a key that was read, at its line or that of the nearest key around it.
    pub(super) fn error_at(&mut self, key: &str, message: impl Into<String>) {
        let mut around = key;
        let line = loop {
            if let Some(line) = self.key_lines.get(around) {
                break *line;
            }
            match around.rfind(['.', '[']) {
                Some(cut) => around = around.get(..cut).unwrap_or_default(),
                None => break 1,
            }
        };
        self.error(line, key, message);
    }

    /// The file has this key.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.key_lines.contains_key(key)
    }

    /// Something could not be read: to hold one key against another would find mistakes that are none.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// The result of it all.
    pub(super) fn finish<T>(mut self, config: T) -> Result<T, ConfigErrors> {
        if self.errors.is_empty() {
            return Ok(config);
        }
        self.errors.sort_by_key(|e| e.line);
        Err(ConfigErrors {
            path: None,
            errors: self.errors,
        })
    }
}

/// A table of the file: a section, or one of several.
pub(super) struct Table<'a, 'i> {
    table: &'a DeTable<'i>,
    path: String,
    line: usize,
}

impl<'a, 'i> Table<'a, 'i> {
    /// The table of a section; keys that it does not know are mistakes.
    pub(super) fn open(cx: &mut Context, field: &Field<'a, 'i>, section: &schema::Section) -> Option<Self> {
        let DeValue::Table(table) = field.value.get_ref() else {
            let header = schema::header(section);
            let message = match field.value.get_ref() {
                DeValue::Array(_) => {
                    format!("stands only once; write {header}, with one bracket, and all keys below it")
                }
                _ => format!("is a section, not a value; write {header} and its keys below it"),
            };
            field.wrong(cx, message);
            return None;
        };
        let opened = Self {
            table,
            path: field.path.clone(),
            line: field.line,
        };
        // The names in a section without fixed keys are the operator's own.
        if !section.keys.is_empty() {
            for field in opened.fields(cx) {
                if !section.keys.contains(&field.name) {
                    let hint = schema::suggest_key(section, field.name);
                    let message = format!("is no key of {}{hint}", schema::header(section));
                    cx.extra(field.line, &field.path, message);
                }
            }
        }
        Some(opened)
    }

    /// The whole file.
    pub(super) fn root(table: &'a DeTable<'i>) -> Self {
        Self {
            table,
            path: String::new(),
            line: 1,
        }
    }

    /// All fields in the order of the file (the tree itself is sorted by name).
    pub(super) fn fields(&self, cx: &mut Context) -> Vec<Field<'a, 'i>> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let name: &str = key.get_ref();
                let path = if self.path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{}.{name}", self.path)
                };
                Field::at(cx, value, name, path, key.span().start)
            })
            .collect()
    }

    /// The field of that name.
    pub(super) fn get(&self, cx: &mut Context, name: &str) -> Option<Field<'a, 'i>> {
        self.fields(cx).into_iter().find(|f| f.name == name)
    }

    /// The field of that name; a mistake if it is not there.
    pub(super) fn need(&self, cx: &mut Context, name: &str, example: &str) -> Option<Field<'a, 'i>> {
        let field = self.get(cx, name);
        if field.is_none() {
            cx.error(
                self.line,
                &self.path,
                format!("has no `{name}`; add a line such as {name} = {example}"),
            );
        }
        field
    }
}

/// A value with its place.
pub(super) struct Field<'a, 'i> {
    value: &'a Spanned<DeValue<'i>>,
    /// The key; empty for an item of a list.
    pub(super) name: &'a str,
    /// As in `node[1].address`.
    pub(super) path: String,
    /// From 1.
    pub(super) line: usize,
}

impl<'a, 'i> Field<'a, 'i> {
    fn at(cx: &mut Context, value: &'a Spanned<DeValue<'i>>, name: &'a str, path: String, offset: usize) -> Self {
        let line = cx.line(offset);
        cx.key_lines.insert(path.clone(), line);
        Self {
            value,
            name,
            path,
            line,
        }
    }

    /// Records a mistake here.
    pub(super) fn wrong(&self, cx: &mut Context, message: impl Into<String>) {
        cx.error(self.line, &self.path, message);
    }

    /// Records that this does not exist.
    pub(super) fn unknown(&self, cx: &mut Context, message: impl Into<String>) {
        cx.extra(self.line, &self.path, message);
    }

    fn wrong_type(&self, cx: &mut Context, wanted: &str) {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(cx, format!("is {found}; {wanted}"));
    }

    /// A string that is not empty and has no control characters.
    pub(super) fn string(&self, cx: &mut Context, wanted: &str) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(s) if s.is_empty() => self.wrong(cx, format!("is empty; {wanted}")),
            DeValue::String(s) if s.chars().any(char::is_control) => {
                self.wrong(cx, format!("has a control character in it; {wanted}"));
            }
            DeValue::String(s) => return Some(s),
            _ => self.wrong_type(cx, wanted),
        }
        None
    }

    /// A string that may be empty, without NUL.
    pub(super) fn argument(&self, cx: &mut Context, wanted: &str) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(s) if s.contains('\0') => self.wrong(cx, format!("has a NUL character in it; {wanted}")),
            DeValue::String(s) => return Some(s),
            _ => self.wrong_type(cx, wanted),
        }
        None
    }

    /// A string that `parse` understands.
    pub(super) fn parsed<T>(
        &self,
        cx: &mut Context,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.string(cx, wanted)?;
        parse(text).map_err(|message| self.wrong(cx, message)).ok()
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, cx: &mut Context, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let there_are = format!("there are {}", schema::list(&names));
        let text = self.string(cx, &there_are)?;
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let hint = schema::nearest(text, names.iter().copied());
            let hint = hint.map_or(there_are, |name| format!("did you mean `{name}`?"));
            self.wrong(cx, format!("`{text}` is not known; {hint}"));
        }
        found
    }

    /// A duration of at least `least`.
    pub(super) fn duration(&self, cx: &mut Context, least: Duration) -> Option<Duration> {
        let wanted = r#"write a duration with its unit in quotes, such as "1s" or "1500ms""#;
        let duration = self.parsed(cx, wanted, value::parse_duration)?;
        if duration < least {
            self.wrong(cx, format!("must be at least {}", value::format_duration(least)));
            return None;
        }
        Some(duration)
    }

    /// true or false.
    pub(super) fn bool(&self, cx: &mut Context) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(b) => return Some(*b),
            _ => self.wrong_type(cx, "write true or false, without quotes"),
        }
        None
    }

    /// A whole number within limits.
    pub(super) fn integer(&self, cx: &mut Context, least: u32, most: u32) -> Option<u32> {
        let wanted = format!("write a whole number from {least} to {most}, without quotes");
        let DeValue::Integer(number) = self.value.get_ref() else {
            self.wrong_type(cx, &wanted);
            return None;
        };
        let found = u32::from_str_radix(number.as_str(), number.radix()).ok();
        let found = found.filter(|n| (least..=most).contains(n));
        if found.is_none() {
            self.wrong(cx, format!("{number} is out of range; {wanted}"));
        }
        found
    }

    /// The items of a list; nothing for anything else.
    pub(super) fn items(&self, cx: &mut Context) -> Option<Vec<Field<'a, 'i>>> {
        let DeValue::Array(array) = self.value.get_ref() else {
            return None;
        };
        let items = array.iter().enumerate();
        Some(
            items
                .map(|(i, v)| Field::at(cx, v, "", format!("{}[{i}]", self.path), v.span().start))
                .collect(),
        )
    }

    /// The items of a list, or the value itself as the only one.
    pub(super) fn one_or_more(&self, cx: &mut Context) -> Vec<Field<'a, 'i>> {
        let alone = || Field {
            value: self.value,
            name: self.name,
            path: self.path.clone(),
            line: self.line,
        };
        self.items(cx).unwrap_or_else(|| vec![alone()])
    }

    /// A list may not be empty.
    pub(super) fn not_empty<T>(&self, cx: &mut Context, list: &[T], wanted: &str) {
        if list.is_empty() && matches!(self.value.get_ref(), DeValue::Array(a) if a.is_empty()) {
            self.wrong(cx, format!("is an empty list; {wanted}"));
        }
    }

    /// The tables of `[[section]]`.
    pub(super) fn tables(&self, cx: &mut Context, section: &schema::Section) -> Vec<Table<'a, 'i>> {
        match self.items(cx) {
            Some(items) => items.iter().filter_map(|item| Table::open(cx, item, section)).collect(),
            None => {
                let header = schema::header(section);
                self.wrong(
                    cx,
                    format!("may stand several times and needs two brackets; write {header}"),
                );
                Vec::new()
            }
        }
    }

    /// It is a string.
    pub(super) fn is_string(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }
}
