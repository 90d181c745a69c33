# Orrery: build, test, demo. `make help` lists the targets.
#
# One flat file. Every .c below the folders of LIBRARY lands in one archive, engine/cli on top of it
# is the program, and every .c in tests/unit, tests/bench and tests/fuzz is a program of its own: a
# new file needs no edit here. One folder per flavour (build/release, build/asan, ...), so that no
# flavour ever links an object of another; $(BUILD)/flags rebuilds a folder when its flags change.
FLAVOUR ?= release
BUILD := build/$(FLAVOUR)
PREFIX ?= /usr/local

# (-Wno-string-conversion: clang asks about CHECK(!"why this cannot be"), which is meant.
# -Wno-missing-field-initializers: tables leave out what is zero.)
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wcast-qual -Wno-string-conversion -Wno-missing-field-initializers
# `make WERROR=` builds with a compiler newer than this source, whose new warnings are not errors.
WERROR ?= -Werror
OPTIMIZE ?= -O2
# No contraction to FMA and never -ffast-math: the same scenario and seed give the same bytes.
CFLAGS := -std=c17 -D_GNU_SOURCE -g $(OPTIMIZE) $(WARNINGS) $(WERROR) -ffp-contract=off -I. \
    -pthread $(EXTRA)
LIBS := -lyaml -lgsl -lgslcblas -lm -pthread
ifeq ($(shell uname -s),Darwin)
BREW := $(shell brew --prefix 2>/dev/null)
CFLAGS += -I$(BREW)/include
LIBS += -L$(BREW)/lib
endif

sources = $(shell find $(1) -name '*.c' 2>/dev/null | LC_ALL=C sort)
LIBRARY := $(call sources,engine/kernel engine/scenario engine/experiment models output plot)
COMMAND := $(call sources,engine/cli)
UNITS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit))
VALIDATION := $(call sources,tests/validation)
BENCHES := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/bench))
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/fuzz))
PLOTS := $(shell find plot -name '*.gp' 2>/dev/null | LC_ALL=C sort)
ALL_C := $(shell find engine models output plot tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)

OBJECTS := $(LIBRARY:%.c=$(BUILD)/%.o) $(BUILD)/generated/plot_scripts.o
ARCHIVE := $(BUILD)/liborrery.a
# The program exists as soon as engine/cli does; until then the archive is what `all` means.
PROGRAM := $(if $(COMMAND),$(BUILD)/orrery,$(ARCHIVE))

# `make V=1` shows whole commands instead of the name of what is built.
say = $(if $(V),,@echo "  $@";)

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo setup test unit unit-programs fuzzers validation-program golden bless validate \
    validate-long layers style lint format asan tsan coverage bench fuzz arm64 install clean help FORCE

## all: build the program, build/release/orrery (the default)
all: $(PROGRAM)

# Each line is a make of its own, because what setup installs changes what the build finds.
## demo: install what is missing, build, run scenarios/quickstart.yaml, draw its pictures
demo:
	@sh tests/setup demo
	@$(MAKE) --no-print-directory all
	@echo
	@$(BUILD)/orrery run scenarios/quickstart.yaml
	@$(BUILD)/orrery plot results/quickstart
	@echo; echo "The numbers (CSV), ready for gnuplot, a spreadsheet or a script:"
	@ls results/quickstart/*.csv | sed 's/^/    /'
	@echo "The pictures (SVG), which any browser opens:"
	@find results/quickstart -name '*.svg' | LC_ALL=C sort | sed 's/^/    /'
	@echo "Next: edit scenarios/quickstart.yaml, or $(BUILD)/orrery sweep scenarios/quickstart.yaml"

## setup: install what is missing for the demo and the tests
setup:
	@sh tests/setup test

## test: install what is missing, then run every test (tests/run -h tells how to run some)
test:
	@sh tests/setup test
	@sh tests/run

## unit: the unit tests alone, each a program of its own
unit: unit-programs
	@for t in $(UNITS); do $$t || exit 1; done

unit-programs: $(UNITS)
fuzzers: $(FUZZERS)
validation-program: $(BUILD)/tests/validation/run

## golden: compare CSV, messages and manual pages with the golden files
golden:
	@sh tests/run build golden

## bless: accept the present output as the new golden files; read the diff before you commit it
bless:
	@BLESS=1 sh tests/run build golden

## validate: the validation table, every model against theory and published results
validate:
	@sh tests/run build validation

## validate-long: the rows that do not fit into `make test` (load 0.99, n = 1000, coverage)
validate-long:
	@LONG=1 sh tests/run build validation

## layers: who may include whom
layers:
	@sh tests/layers

## style: forbidden calls, long lines, two draws in one expression
style:
	@sh tests/style

## lint: clang-tidy and cppcheck, where they are installed
lint: $(BUILD)/generated/plot_scripts.c
	@sh tests/lint $(filter %.c,$(ALL_C))

## format: clang-format every C file in place
format:
	clang-format -i $(ALL_C)

SANE := -fno-sanitize-recover=all -fno-omit-frame-pointer
## asan: the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
asan:
	@$(MAKE) --no-print-directory FLAVOUR=asan OPTIMIZE=-O1 \
	    EXTRA='-fsanitize=address,undefined $(SANE)' unit

## tsan: the unit tests under ThreadSanitizer
tsan:
	@$(MAKE) --no-print-directory FLAVOUR=tsan OPTIMIZE=-O1 EXTRA='-fsanitize=thread $(SANE)' unit

## coverage: lines executed by the unit tests, file by file
coverage:
	@find build/coverage -name '*.gcda' -exec rm {} + 2>/dev/null || true
	@$(MAKE) --no-print-directory FLAVOUR=coverage OPTIMIZE=-O0 EXTRA=--coverage unit
	@sh tests/coverage build/coverage

## bench: the speed table, each figure a ratio measured in one run
bench: $(BENCHES) $(PROGRAM)
	@for b in $(BENCHES); do $$b || exit 1; done
	@sh tests/bench/instructions $(BUILD)/orrery

FUZZ_SECONDS ?= 60
## fuzz: libFuzzer (clang) on tests/fuzz, FUZZ_SECONDS=60 each; finds are kept in build/fuzz
fuzz:
	@sh tests/fuzz/run $(FUZZ_SECONDS)

## arm64: cross-build, run under qemu-user, compare the bytes with this machine's
arm64:
	@sh tests/arm64

## install: copy the program to $(DESTDIR)$(PREFIX)/bin
install: all
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/orrery $(DESTDIR)$(PREFIX)/bin/orrery

## clean: remove everything that was built (results/ stays)
clean:
	rm -rf build

## help: this list
help:
	@sed -n 's/^## \([a-z0-9-]*\): /\1 /p' Makefile | \
	    awk '{ name = $$1; $$1 = ""; printf "  make %-14s%s\n", name, $$0 }'

# Both stamps change only when their content does: other flags rebuild every object, and a source
# that was removed leaves the archive.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' > $@

$(BUILD)/members: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' > $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c $(BUILD)/flags
	$(say)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# The gnuplot scripts travel inside the program, so that it needs no data folder to be found.
$(BUILD)/generated/plot_scripts.c: $(PLOTS) plot/embed $(BUILD)/members
	@mkdir -p $(@D)
	$(say)sh plot/embed $(PLOTS) > $@

$(ARCHIVE): $(OBJECTS) $(BUILD)/members
	@rm -f $@
	$(say)ar rcs $@ $(OBJECTS)

$(BUILD)/orrery: $(COMMAND:%.c=$(BUILD)/%.o) $(ARCHIVE)
	$(say)$(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(ARCHIVE)
	$(say)$(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) -lcunit $(LIBS)

# One program of several files.
$(BUILD)/tests/validation/run: $(VALIDATION:%.c=$(BUILD)/%.o) $(ARCHIVE)
	$(say)$(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(ARCHIVE)
	$(say)$(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

# FUZZ_LINK is the main: libFuzzer, or the one that plays files back (tests/fuzz/run chooses).
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(ARCHIVE)
	$(say)$(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(FUZZ_LINK) $(LIBS)

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
