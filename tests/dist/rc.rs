//! The rc.d scripts under an rc.subr that is played: what is started is what the real binary understands, a mistake in the
//! configuration is told before anything is started or stopped, SIGHUP reaches pfwatch.

use crate::{BUILT, INSTALLED, Stage, dist, ran, read};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// As OpenBSD's does it: flags of rc.conf.local behind the daemon, the check before start and reload.
const OPENBSD: &str = r#"
daemon_flags=${pfwatch_flags-}
rc_exec() { echo "as $daemon_user: $*" >>"$STAGE/started"; sh -c "$*"; }
rc_cmd() {
	pexp="$daemon${daemon_flags:+ $daemon_flags}"
	case $1 in
	configtest) rc_configtest ;;
	start) rc_configtest && rc_pre && echo "$pexp${rc_bg:+ &}" >>"$STAGE/started" ;;
	reload) rc_configtest && pkill -HUP -xf "$pexp" ;;
	esac
}
"#;

/// As FreeBSD's does it: NAME_flags go to `command`, before command_args.
const FREEBSD: &str = r#"
load_rc_config() { . "$STAGE/rc.conf"; }
warn() { echo "$name: WARNING: $*" >&2; }
run_rc_command() {
	case " $extra_commands " in *" $1 "*) ;; *) case $1 in start|stop|restart) ;; *) return 2 ;; esac ;; esac
	eval "pre=\${${1}_precmd-} cmd=\${${1}_cmd-}"
	[ "$1" != start ] || [ "$pfwatch_enable" = YES ] || return 0
	for file in $required_files; do [ -r "$file" ] || { warn "$file is not readable."; return 1; }; done
	[ -z "$pre" ] || $pre || return 1
	if [ -n "$cmd" ]; then $cmd; else echo "$1 $command ${pfwatch_flags-} $command_args" >>"$STAGE/started"; fi
}
"#;

/// A script with its rc.subr on a stage, the built binary, and a configuration.
struct Service {
    stage: Stage,
    script: PathBuf,
}

impl Service {
    fn new(script: &str, subr: (&str, &str)) -> Self {
        let stage = Stage::new(&[("install", ""), ("pkill", "[ ! -e \"$STAGE/none\" ]")]);
        let (place, text) = subr;
        let own = stage.script("rc.subr", text);
        let text = read(script);
        assert!(text.contains(place) && text.contains(INSTALLED), "{script}");
        let text = text.replace(place, &own.display().to_string());
        let text = text.replace(INSTALLED, BUILT);
        let script = stage.script("service", &text);
        Self { stage, script }
    }

    fn configuration(&self, text: &str) -> String {
        let path = self.stage.path("pfwatch.toml");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn run(&self, action: &str, flags: &str) -> (Option<i32>, String, String) {
        let mut sh = self.stage.sh();
        sh.env("STAGE", self.stage.folder.path()).env("pfwatch_flags", flags);
        ran(sh.arg(&self.script).arg(action))
    }

    /// What was started since this was last asked.
    fn started(&self) -> Vec<String> {
        let path = self.stage.path("started");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }
}

/// The binary understands this command line, and finds no fault with the configuration that it names.
fn understood(line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (program, arguments) = words.split_first().unwrap();
    assert_eq!(*program, BUILT);
    let (code, out, err) = ran(Command::new(program).args(arguments).arg("-n"));
    assert_eq!((code, out.as_str()), (Some(0), "configuration OK\n"), "{line}: {err}");
}

fn sample() -> String {
    fs::read_to_string(dist("pfwatch.toml")).unwrap()
}

#[test]
fn openbsd_starts_checks_and_reloads() {
    let service = Service::new("openbsd/pfwatch.rc", ("/etc/rc.d/rc.subr", OPENBSD));
    let flags = format!("--dry-run -c {}", service.configuration(&sample()));
    let check = format!("as root: {BUILT} run {flags} -n");
    let daemon = format!("{BUILT} run --syslog {flags}");

    let (code, out, _) = service.run("configtest", &flags);
    assert_eq!((code, out.as_str()), (Some(0), "configuration OK\n"));
    assert_eq!(service.started(), [check.as_str()]);

    assert_eq!(service.run("start", &flags).0, Some(0));
    assert_eq!(service.started(), [check.as_str(), &format!("{daemon} &")]);
    assert_eq!(service.stage.called(), ["install -d -m 700 -o root /var/db/pfwatch"]);
    understood(&daemon);

    assert_eq!(service.run("reload", &flags).0, Some(0));
    assert_eq!(service.stage.called(), [format!("pkill -HUP -xf {daemon}")]);
    service.started();

    service.configuration("[sync]\ninterfaces = \"em2\"\n");
    for action in ["start", "reload", "configtest"] {
        let (code, _, err) = service.run(action, &flags);
        // To eyes, with line and suggestion.
        assert!(
            code == Some(78) && err.contains("did you mean"),
            "{action}: {code:?} {err}"
        );
        assert_eq!(service.started(), [check.as_str()], "{action}");
        assert!(service.stage.called().is_empty(), "{action}");
    }
}

#[test]
fn freebsd_starts_checks_and_reloads() {
    let service = Service::new("freebsd/pfwatch.rc", ("/etc/rc.subr", FREEBSD));
    let config = service.configuration(&sample());
    let rc_conf = |more: &str| {
        let text = format!("pfwatch_enable=YES\npfwatch_config={config}\n{more}");
        fs::write(service.stage.path("rc.conf"), text).unwrap();
    };
    rc_conf("pfwatch_args=--dry-run\n");
    let (code, out, _) = service.run("configtest", "");
    assert_eq!((code, out.as_str()), (Some(0), "configuration OK\n"));

    assert_eq!(service.run("start", "").0, Some(0));
    assert_eq!(service.stage.called(), ["install -d -m 700 /var/db/pfwatch"]);
    let started = service.started();
    let (supervisor, daemon) = started[0].split_once(" -t pfwatch ").unwrap();
    assert_eq!(
        supervisor,
        "start /usr/sbin/daemon  -f -P /var/run/pfwatch.supervisor.pid -p /var/run/pfwatch.pid -R 5"
    );
    assert_eq!(daemon, format!("{BUILT} run --syslog -c {config} --dry-run"));
    understood(daemon);

    assert_eq!(service.run("reload", "").0, Some(0));
    assert_eq!(service.stage.called(), ["pkill -HUP -F /var/run/pfwatch.pid"]);
    fs::write(service.stage.path("none"), "").unwrap();
    let (code, _, err) = service.run("reload", "");
    assert!(code == Some(1) && err.contains("pfwatch is not running"), "{err}");
    service.stage.called();

    // A mistake: nothing is started, stopped or told.
    service.configuration("[sync]\ninterfaces = \"em2\"\n");
    for action in ["start", "restart", "reload"] {
        let (code, _, err) = service.run(action, "");
        assert!(
            code == Some(1) && err.contains("did you mean"),
            "{action}: {code:?} {err}"
        );
        assert!(service.started().is_empty(), "{action}");
    }
    assert!(!service.stage.called().iter().any(|c| c.starts_with("pkill")));
    assert_eq!(service.run("configtest", "").0, Some(78));

    // Not enabled, and where everything looks by default.
    fs::write(service.stage.path("rc.conf"), "").unwrap();
    service.run("start", "");
    assert!(service.started().is_empty());
    assert!(read("freebsd/pfwatch.rc").contains("=/etc/pfwatch.toml"));
    assert_eq!(pfwatch::config::DEFAULT_PATH, "/etc/pfwatch.toml");
}
