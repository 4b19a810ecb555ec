# How a small static program of C alone is built: $(BUILD)/capture-$(NAME) from every source of its directory.
CC ?= gcc
STRIP ?= strip
BUILD ?= build
FLAGS := -O2 -Wall -Wextra -Werror -std=gnu11 -static $(MORE_FLAGS)

all: $(BUILD)/capture-$(NAME)

$(BUILD)/capture-$(NAME): $(wildcard *.c *.h)
	mkdir -p $(BUILD)
	$(CC) $(FLAGS) -o $@.new $(filter %.c,$^)
	$(STRIP) $@.new
	mv $@.new $@

clean:
	rm -rf $(BUILD)

.PHONY: all clean
