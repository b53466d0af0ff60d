# pfwatch: what people do with the source. Needs GNU make, `install` and `uninstall` any; everything else is installed where
# it is missing (.ci/with).
#
#   make demo       build it and look at a real failure
#   make install    binary, manual pages and examples into PREFIX (/usr/local); after `make`, below DESTDIR if that is set
#   make uninstall  and away again
#   make test       everything that a change must pass
#   make pictures   the pictures of the README anew, by a browser
#   make bsd-check  the type check for OpenBSD and FreeBSD alone
#   make fuzz       each fuzz target for FUZZ_SECONDS
#   make scoreboard pfwatch beside what people use today, on simulated pairs: hours; goes on where it was stopped
#   make scoreboard-years   years of healthy firewalls, and how often they were called dead: hours
#   make scoreboard-short   the same in half a minute, as the tests see it
#   make lab        real packets, real CARP and real faults in network namespaces (Linux, root): an hour and a half
#   make lab-short  a few of them, as the tests see it: two minutes
#   make clean

.PHONY: all install uninstall demo pictures test fmt lint check bsd-check fuzz scoreboard scoreboard-short scoreboard-years
.PHONY: lab lab-short clean
.DEFAULT_GOAL := all

FUZZ_SECONDS ?= 30
# Seeds for each load: a busy second costs sixty times an office second.
SCOREBOARD_LOADS ?= busy=1,office=30,branch=50,night=25,night+canary=40
# Development looks at seeds from 1; what is published comes from seeds that nobody looked at before.
SCOREBOARD_FIRST_SEED ?= 11001
# Years of each load; and less of them at a risk of an alarm a day and an alarm an hour.
YEARS ?= --years-busy 1 --years-office 1 --years-branch 10 --years-night 16 --years-canary 4
RISKY_YEARS ?= --risk 365,8766 --years-busy 0 --years-office 0.1 --years-branch 0.5 --years-night 1 --years-canary 0.25
# And where servers fail together more often, and more of them, than the detector takes for granted.
ROUGH_YEARS ?= --rough --years-busy 0 --years-office 0.2 --years-branch 1 --years-night 2 --years-canary 0.5
# On how many runs the level of evidence is held against frames.
AGREE ?= --seeds 5 --loads office,branch,night,night+canary
PAIR := captures/openbsd-pair
BSDS := x86_64-unknown-openbsd x86_64-unknown-freebsd

# Turns of the first scenarios of the laboratory, and how many of it run side by side.
LAB_REPEATS ?= 10
LAB_JOBS ?= 3
LAB_KILLS ?= 100
# The laboratory is made of Linux network namespaces; all else is for every system.
ELSEWHERE := --exclude pfwatch-lab
PACKAGES := $(if $(filter Linux,$(shell uname -s)),,$(ELSEWHERE))

PREFIX ?= /usr/local
# Where man(1) looks on OpenBSD, FreeBSD and Linux.
MANDIR ?= $(PREFIX)/man
EXAMPLES ?= $(PREFIX)/share/examples/pfwatch
BIN ?= target/release/pfwatch

all:
	@.ci/with build cargo build --release --locked

# Builds nothing, so that it can be run as root after somebody else built. Switches nothing on: dist/README.md says how.
install:
	@test -x $(BIN) || { echo "there is no $(BIN): run make first" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(EXAMPLES)
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/pfwatch
	install -m 644 man/pfwatch.toml.5 $(DESTDIR)$(MANDIR)/man5/pfwatch.toml.5
	install -m 644 man/pfwatch.8 $(DESTDIR)$(MANDIR)/man8/pfwatch.8
	cp -R dist/. $(DESTDIR)$(EXAMPLES)
	chmod -R u=rwX,go=rX $(DESTDIR)$(EXAMPLES)

# What the operator made himself (configuration, ledger, scripts in rc.d) stays.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/pfwatch $(DESTDIR)$(MANDIR)/man5/pfwatch.toml.5 $(DESTDIR)$(MANDIR)/man8/pfwatch.8
	rm -rf $(DESTDIR)$(EXAMPLES)

# An OpenBSD pair whose active node lost its outside port without losing link, seen from the other node.
demo: all
	target/release/pfwatch analyze $(PAIR)/awan_port_dead.sync.pcap.zst -c $(PAIR)/pair.toml --self 172.16.0.2 \
		--segment lan=$(PAIR)/awan_port_dead.lan.carp.pcap --segment wan=$(PAIR)/awan_port_dead.wan.carp.pcap

# What the README shows: a page in Chromium and a screen of 96 columns, both of the capture that `demo` looks at.
pictures:
	@.ci/with test cargo test --locked --test browser -- --ignored pictures

# One after the other, whatever -j says: they would only wait for cargo's lock. The tests come last, so that what is
# printed last is their result.
test:
	@$(MAKE) --no-print-directory fmt
	@$(MAKE) --no-print-directory lint
	@if [ -n "$$CI" ] || .ci/with bsd true; then $(MAKE) --no-print-directory bsd-check; \
	else echo "bsd-check is left out: see above"; fi
	@$(MAKE) --no-print-directory check

fmt:
	@.ci/with test cargo fmt --all --check

lint:
	@.ci/with test cargo clippy --locked --workspace $(PACKAGES) --all-targets -- -D warnings

# The dev profile is optimised a little (see Cargo.toml): replaying captures needs it, and it still builds in half of
# the time of the release profile with its LTO.
check:
	@.ci/with test cargo test --locked --workspace $(PACKAGES)

# Neither BSD has a std to download here, so std is checked from source by the Rust that Debian packages, with the
# switch that lets a stable compiler do so. Its own target directory, because two compilers share nothing; cargo makes
# the second run a matter of a second. LIBPCAP_VER stands in for the library that only a BSD has.
bsd-check:
	@RUSTC_BOOTSTRAP=1 LIBPCAP_VER=1.10.4 CARGO_TARGET_DIR=target/bsd .ci/with bsd \
		cargo check --locked --workspace $(ELSEWHERE) -Zbuild-std=std,panic_abort $(addprefix --target ,$(BSDS))

fuzz:
	@command -v cargo-fuzz >/dev/null 2>&1 || .ci/with build cargo install --locked cargo-fuzz
	@set -e; for target in $$(.ci/with build cargo fuzz list); do \
		echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
		RUSTC_BOOTSTRAP=1 .ci/with build cargo fuzz run --sanitizer none "$$target" -- -max_total_time=$(FUZZ_SECONDS); \
	done

# Results of single runs stay in target/; those of another build are moved aside, and it says where. The table is replaced when all of them are there.
scoreboard:
	@.ci/with build cargo build --release --locked -p pfwatch-scoreboard
	@target/release/pfwatch-scoreboard --loads $(SCOREBOARD_LOADS) --first-seed $(SCOREBOARD_FIRST_SEED) --aside --markdown \
		--out target/scoreboard.jsonl >target/scoreboard.md
	@{ echo "# The scoreboard"; echo; \
	echo "Made by \`make scoreboard SCOREBOARD_LOADS=$(SCOREBOARD_LOADS) SCOREBOARD_FIRST_SEED=$(SCOREBOARD_FIRST_SEED)\`. [How to read it](scoreboard.md)."; \
	cat target/scoreboard.md; } >docs/scoreboard-results.md
	@echo "docs/scoreboard-results.md"

# Years of healthy firewalls, without packets, and how far that level is to be believed. Goes on where it was stopped.
scoreboard-years:
	@.ci/with build cargo build --release --locked -p pfwatch-scoreboard
	@target/release/pfwatch-scoreboard agree $(AGREE) >target/agree.md
	@target/release/pfwatch-scoreboard spans $(YEARS) --out target/years.jsonl >target/years.md
	@target/release/pfwatch-scoreboard spans $(RISKY_YEARS) --out target/risky.jsonl >target/risky.md
	@target/release/pfwatch-scoreboard spans $(ROUGH_YEARS) --out target/rough.jsonl >target/rough.md
	@{ echo "# Years"; echo; \
	echo "Made by \`make scoreboard-years\`. [How to read it](scoreboard.md#years)."; \
	echo; echo "## False alarms in years of healthy firewalls"; echo; \
	echo "\`pfwatch-scoreboard spans $(YEARS)\`"; echo; cat target/years.md; \
	echo; echo "## Where a risk is set at which alarms do occur"; echo; \
	echo "\`pfwatch-scoreboard spans $(RISKY_YEARS)\`"; echo; cat target/risky.md; \
	echo; echo "## Where servers fail together every week, and any share of them"; echo; \
	echo "\`pfwatch-scoreboard spans $(ROUGH_YEARS)\`"; echo; cat target/rough.md; \
	echo; echo "## The same runs frame by frame and by evidence alone"; echo; \
	echo "\`pfwatch-scoreboard agree $(AGREE)\`"; echo; cat target/agree.md; } >docs/scoreboard-years.md
	@echo "docs/scoreboard-years.md"

scoreboard-short:
	@.ci/with build cargo run --quiet --locked -p pfwatch-scoreboard -- --short

# What is broken in it is real, so it takes as long as it takes. Results of single turns stay in target/; the table is
# replaced when all of them are there.
lab:
	@.ci/with test cargo build --release --locked -p pfwatch -p pfwatch-lab
	@rm -f target/lab.jsonl
	-target/release/pfwatch-lab run --repeats $(LAB_REPEATS) --jobs $(LAB_JOBS) --results target/lab.jsonl
	-target/release/pfwatch-lab kills --times $(LAB_KILLS) --jobs $(LAB_JOBS) >target/lab-kills.txt
	@{ target/release/pfwatch-lab report --note 'Made by `make lab LAB_REPEATS=$(LAB_REPEATS) LAB_JOBS=$(LAB_JOBS)`.' target/lab.jsonl; echo; echo "## Killed"; echo; \
	echo "\`pfwatch-lab kills --times $(LAB_KILLS)\`:"; echo; tail -n 1 target/lab-kills.txt; } >docs/lab-results.md
	@echo "docs/lab-results.md"

lab-short:
	@.ci/with test cargo build --locked -p pfwatch
	@.ci/with test cargo test --locked -p pfwatch-lab --test short -- --nocapture

clean:
	@.ci/with build cargo clean
