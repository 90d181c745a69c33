# Orrery: build, test, demo. `make help` lists the targets.
FLAVOUR ?= release
BUILD := build/$(FLAVOUR)
CC ?= gcc
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual
OPTIMIZE ?= -O2
CFLAGS := -std=c17 -D_GNU_SOURCE -g $(OPTIMIZE) $(WARN) -Werror -ffp-contract=off -I. -pthread $(EXTRA)
LIBS := -lyaml -lgsl -lgslcblas -lm -pthread

LIBRARY := $(shell find engine/kernel engine/scenario engine/experiment models output -name '*.c' | LC_ALL=C sort)
COMMAND := $(shell find engine/cli -name '*.c' | LC_ALL=C sort)
UNITS := $(shell find tests/unit -name '*.c' | LC_ALL=C sort)
UNIT_BINARIES := $(UNITS:%.c=$(BUILD)/%)

.PHONY: all unit clean
all: $(BUILD)/orrery

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/liborrery.a: $(LIBRARY:%.c=$(BUILD)/%.o)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/orrery: $(COMMAND:%.c=$(BUILD)/%.o) $(BUILD)/liborrery.a
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/liborrery.a
	$(CC) $(CFLAGS) -o $@ $^ -lcunit $(LIBS)

unit: $(UNIT_BINARIES)
	@for t in $(UNIT_BINARIES); do $$t || exit 1; done

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
