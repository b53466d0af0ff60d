//! `pfwatch status --watch`: the daemon is asked each second, and what it says is shown at once.
//!
//! On a terminal a live view on a screen of its own, drawn by `report::watch`; q, Esc or Ctrl-C end it. The terminal is put back
//! whatever ends it: a key, a signal, a terminal that is gone, a panic (by a hook, before the process aborts). Elsewhere one page follows
//! the other.

use super::ask::{NoAnswer, Where, ask, understand};
use super::look::{is_dumb, look};
use super::output::{Stream, Target};
use super::{Common, Failure, Format, exit};
use crate::control::{Clock, Reply, Request, pause};
use crate::report::watch::Watch;
use crate::status::Status;
use crate::time::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::{cursor, execute};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);
/// Another size of the terminal is noticed this late at most.
const GLANCE: Duration = Duration::from_millis(100);

/// Whether there is a screen to draw on.
pub(super) fn can_draw() -> bool {
    let unset = std::env::var_os("TERM").is_none_or(|t| t.is_empty());
    Target::Stdout.is_terminal() && !is_dumb() && !unset
}

/// One page after the other, until there is no answer or a signal comes.
pub(super) fn pages(format: Format, page: impl Fn() -> Result<String, NoAnswer>) -> Result<u8, Failure> {
    let ended = signals();
    loop {
        let text = match page() {
            Ok(page) if format == Format::Text => format!("{page}\n"),
            Ok(page) => page,
            Err(no) => return Ok(no.report()),
        };
        Stream::flush(&mut text.into_bytes())?;
        // A signal ends the pause.
        pause(EVERY);
        if ended.load(Ordering::Relaxed) {
            return Ok(exit::OK);
        }
    }
}

/// The live view. Whoever is not answered at first is told so, and no screen is opened for it.
pub(super) fn live(place: &Where, common: &Common) -> Result<u8, Failure> {
    let mut watch = Watch::default();
    match snapshot(place) {
        Ok(status) => watch.take(status),
        Err(none) => return Ok(none.report()),
    }
    let ended = signals();
    let mut screen = Screen::open()?;
    show(&mut screen.0, &mut watch, place, common, &ended)?;
    Ok(exit::OK)
}

/// A screen of our own, for as long as this lives.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
        // ratatui has a hook of its own, which forgets the cursor; a process that aborts drops nothing.
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            put_back();
            before(info);
        }));
        ratatui::try_init().map(Self).inspect_err(|_| put_back())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        put_back();
    }
}

/// A terminal that is gone needs no putting back.
fn put_back() {
    let _ = ratatui::try_restore();
    let _ = execute!(io::stdout(), cursor::Show);
}

fn show(
    terminal: &mut DefaultTerminal,
    watch: &mut Watch,
    place: &Where,
    common: &Common,
    ended: &AtomicBool,
) -> io::Result<()> {
    let clock = Clock::start();
    let mut due = clock.now() + EVERY;
    while !ended.load(Ordering::Relaxed) {
        let look = look(&Target::Stdout, common.zone());
        terminal.draw(|frame| watch.draw(frame, &look))?;
        if !wait(&clock, due, ended)? {
            return Ok(());
        }
        if clock.now() >= due {
            match snapshot(place) {
                Ok(status) => watch.take(status),
                Err(none) => watch.lose(none.text),
            }
            due = clock.now() + EVERY;
        }
    }
    Ok(())
}

/// Until it is time or there is something to draw; false if a key wants an end.
fn wait(clock: &Clock, due: Timestamp, ended: &AtomicBool) -> io::Result<bool> {
    while clock.now() < due && !ended.load(Ordering::Relaxed) {
        if !listen(due.since(clock.now()).min(GLANCE)) {
            return Ok(false);
        }
        if !event::poll(Duration::ZERO)? {
            continue;
        }
        match event::read()? {
            Event::Key(key) if is_end(key) => return Ok(false),
            Event::Resize(..) => return Ok(true),
            _ => {}
        }
    }
    Ok(true)
}

/// Waits for a key, a signal or so long; false if the terminal is gone. crossterm must not wait: it would read the end of such a
/// terminal again and again, and never return.
fn listen(length: Duration) -> bool {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let mut fds = vec![PollFd::new(stdout.as_fd(), PollFlags::empty())];
    // Keys come from the terminal, wherever the standard input comes from.
    if stdin.is_terminal() {
        fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
    }
    let limit = PollTimeout::try_from(length).unwrap_or(PollTimeout::ZERO);
    let found = poll(&mut fds, limit).is_ok();
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    !(found && fds[0].revents().is_some_and(|r| r.intersects(gone)))
}

/// The terminal sends Ctrl-C as a key while we draw.
fn is_end(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        _ if key.kind == KeyEventKind::Release => false,
        KeyCode::Char('c' | 'd') => control,
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
        _ => false,
    }
}

fn snapshot(place: &Where) -> Result<Status, NoAnswer> {
    match understand(&ask(place, &Request::Status)?)? {
        Reply::Status { status } => Ok(*status),
        _ => Err(NoAnswer::strange()),
    }
}

/// The first asks, and a second one does not wait: whoever sends it has reason to.
fn signals() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Without it the screen would stay as it is: a nuisance, and no reason not to look.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&ended));
        let _ = signal_hook::flag::register(signal, Arc::clone(&ended));
    }
    ended
}
