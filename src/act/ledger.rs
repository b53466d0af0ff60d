//! The ledger: what we changed in this system and have to take back, on disk before it is done.
//!
//! Used by `change`, asked for the role to resume. It keeps entries and judges nothing: what stands is the system's to
//! tell. In memory it is what is on disk; a write that fails changes neither, so that nobody acts on what is not written.

pub mod disk;
#[cfg(test)]
mod tests;

use super::boot::Boot;
use super::thing::Thing;
use disk::Disk;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;

const VERSION: u32 = 1;

/// What an entry makes of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// More attractive than its peer.
    Promoted,
    /// Less attractive.
    Demoted,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Promoted => "promoted",
            Self::Demoted => "demoted",
        })
    }
}

/// How far an entry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Phase {
    /// It may or may not have been carried out.
    Intent,
    /// It was.
    Done,
    /// It may or may not have been taken back; before that, the value was this.
    Undoing {
        /// Read right before.
        from: i64,
    },
}

/// One change of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// Never used twice.
    pub seq: u64,
    /// Unix seconds; for people.
    pub when: i64,
    /// What for.
    pub role: Made,
    /// In which boot.
    pub boot: Boot,
    /// What, with the value found and ours.
    pub thing: Thing,
    /// How far.
    pub phase: Phase,
}

impl Entry {
    /// Made in the kernel of another boot, which forgot it.
    #[must_use]
    pub fn is_void(&self, boot: &Boot) -> bool {
        self.thing.is_kernel() && !self.boot.same(boot)
    }
}

/// What is in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Book {
    version: u32,
    next: u64,
    /// What is to be taken back, oldest first.
    pub entries: Vec<Entry>,
    /// The promotions of the last hour before the last action, in Unix seconds: a restart must not forget them. One that failed
    /// is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<i64>,
    /// It was begun to take the entries back, and that has not come to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owed: bool,
    /// When a peer was last seen to go away, in Unix seconds: without it no later run takes a promotion back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<i64>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            version: VERSION,
            next: 1,
            entries: Vec::new(),
            promotions: Vec::new(),
            owed: false,
            away: None,
        }
    }
}

impl Book {
    /// When this node was promoted, if that was carried out wholly and stands.
    fn promoted(&self) -> Option<i64> {
        let last = self.entries.last().filter(|e| e.role == Made::Promoted)?;
        let whole = !self.owed && self.entries.iter().all(|e| e.phase == Phase::Done);
        whole.then_some(last.when)
    }
}

const HOUR: i64 = 3_600;

/// Why the ledger cannot be used. In each case nothing may be done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Its folder.
    #[error("cannot make the folder of the ledger {}; make it, or name another file", path.display())]
    Folder {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its lock cannot be had.
    #[error("cannot lock the ledger {}; make its folder writable", path.display())]
    Lock {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another pfwatch holds it: two actors on one node would undo each other.
    #[error("another pfwatch holds the ledger {}; ask that one, or stop it", path.display())]
    Held {
        /// The ledger.
        path: PathBuf,
    },
    /// It is there but cannot be read.
    #[error("cannot read the ledger {place}, so nothing is done")]
    Read {
        /// The ledger.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the ledger {place}, so nothing is done; make room, or make it writable")]
    Write {
        /// The ledger.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// What it held is not known any more.
    #[error(
        "the ledger was damaged and is put aside as {aside}: look whether advskew and demotion of this node are as you \
         want them, then remove that file; until then nothing is done"
    )]
    Damaged {
        /// Where it is now.
        aside: String,
    },
    /// Written by a pfwatch that knew more.
    #[error("the ledger {place} was written by a newer pfwatch; undo with that one, or remove the file")]
    Newer {
        /// The ledger.
        place: String,
    },
}

/// See the module.
pub struct Ledger {
    disk: Box<dyn Disk + Send>,
    book: Book,
}

impl Ledger {
    /// Reads it; none is an empty one. One that cannot be believed is put aside, and as long as it lies there nothing
    /// opens: `undo` cannot know what to take back, only the operator can look.
    ///
    /// # Errors
    /// It cannot be read or believed.
    pub fn open(mut disk: Box<dyn Disk + Send>) -> Result<Self, LedgerError> {
        if let Some(aside) = disk.aside() {
            return Err(LedgerError::Damaged { aside });
        }
        let place = disk.place();
        let read = disk.load().map_err(|source| LedgerError::Read {
            place: place.clone(),
            source,
        })?;
        let book = match read.as_deref().map(parse) {
            None => Book::default(),
            Some(Ok(book)) => book,
            Some(Err(Unread::Newer)) => return Err(LedgerError::Newer { place }),
            Some(Err(Unread::Damaged)) => {
                let put = disk.put_aside();
                let aside = put.map_err(|source| LedgerError::Read { place, source })?;
                return Err(LedgerError::Damaged { aside });
            }
        };
        Ok(Self { disk, book })
    }

    /// What is to be taken back, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.book.entries
    }

    /// All that it holds.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The same without what the kernel forgot when it was booted since.
    #[must_use]
    pub fn standing(&self, boot: &Boot) -> Book {
        let mut book = self.book.clone();
        book.entries.retain(|e| !e.is_void(boot));
        book
    }

    /// What it makes of this node.
    #[must_use]
    pub fn role(&self) -> Option<Made> {
        self.book.entries.last().map(|e| e.role)
    }

    /// Writes what is about to be done, all of it at once: only then may the first of it be done. Answers the sequence
    /// numbers in order.
    ///
    /// # Errors
    /// It cannot be written: then nothing may be done.
    pub fn intend(
        &mut self,
        role: Made,
        boot: &Boot,
        when: i64,
        things: impl IntoIterator<Item = Thing>,
    ) -> Result<Vec<u64>, LedgerError> {
        let mut book = self.book.clone();
        let first = book.entries.len();
        for thing in things {
            book.entries.push(Entry {
                seq: book.next,
                when,
                role,
                boot: boot.clone(),
                thing,
                phase: Phase::Intent,
            });
            book.next = book.next.saturating_add(1);
        }
        book.promotions.retain(|t| (0..HOUR).contains(&when.saturating_sub(*t)));
        let numbers = book.entries.iter().skip(first).map(|e| e.seq).collect();
        self.write(book)?;
        Ok(numbers)
    }

    /// How far an entry has come.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mark(&mut self, seq: u64, phase: Phase) -> Result<(), LedgerError> {
        self.change(|book| {
            for entry in book.entries.iter_mut().filter(|e| e.seq == seq) {
                entry.phase = phase;
            }
            if let Some(when) = book.promoted().filter(|t| !book.promotions.contains(t)) {
                book.promotions.push(when);
            }
        })
    }

    /// A peer was seen to go away, in Unix seconds.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn saw(&mut self, away: i64) -> Result<(), LedgerError> {
        self.change(|book| book.away = Some(away))
    }

    /// It is begun to take everything back: whoever goes on after us goes on with that. The one thing that is remembered also
    /// where it cannot be written: the next write has it.
    pub fn owe(&mut self) {
        if self.change(|book| book.owed = !book.entries.is_empty()).is_err() {
            self.book.owed = true;
        }
    }

    /// There is nothing left to be taken back of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn erase(&mut self, seq: u64) -> Result<(), LedgerError> {
        self.change(|book| {
            book.entries.retain(|e| e.seq != seq);
            book.owed &= !book.entries.is_empty();
        })
    }

    fn change(&mut self, edit: impl FnOnce(&mut Book)) -> Result<(), LedgerError> {
        let mut book = self.book.clone();
        edit(&mut book);
        self.write(book)
    }

    fn write(&mut self, book: Book) -> Result<(), LedgerError> {
        if book == self.book {
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(&book).map_err(|e| self.unwritten(e.into()))?;
        text.push(b'\n');
        self.disk.store(&text).map_err(|e| self.unwritten(e))?;
        self.book = book;
        Ok(())
    }

    fn unwritten(&self, source: io::Error) -> LedgerError {
        let place = self.disk.place();
        LedgerError::Write { place, source }
    }
}

enum Unread {
    Newer,
    Damaged,
}

fn parse(text: &[u8]) -> Result<Book, Unread> {
    /// All that must never change about the file.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let versioned: Versioned = serde_json::from_slice(text).map_err(|_| Unread::Damaged)?;
    if versioned.version > VERSION {
        return Err(Unread::Newer);
    }
    let book: Book = serde_json::from_slice(text).map_err(|_| Unread::Damaged)?;
    let ordered = book.entries.windows(2).all(|w| w[0].seq < w[1].seq);
    let below = book.entries.last().is_none_or(|e| e.seq < book.next);
    if ordered && below {
        Ok(book)
    } else {
        Err(Unread::Damaged)
    }
}
