# make run     set up, build and start Arc on port 8000 with its data in ./data
# make test    set up, build and run the tests; the last line says how many passed
# Everything else is for working on Arc; `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup run build bench instructions dev test test-all iceberg-kit check format tidy clean

PORT ?= 8000
DATA_DIR ?= ./data

help:
	@echo 'make run        start Arc on port $(PORT) with its data in $(DATA_DIR)  (PORT=, DATA_DIR=)'
	@echo 'make build      release build: build/release/arc'
	@echo 'make bench      what measures it: build/release/arc-bench (bench/README.md)'
	@echo 'make instructions  counts the instructions of the hot paths; fails when one grew'
	@echo 'make test       unit and end-to-end tests'
	@echo 'make test-all   also the slow ones: crash rounds, power cuts at length, Telegraf, Spark (builds other servers once; Java 17, Maven)'
	@echo "make iceberg-kit  Java's Iceberg REST compatibility kit; needs Java 17 and Maven"
	@echo 'make check      style, borders between the rooms, clang-tidy on what changed'
	@echo 'make format     format the sources'
	@echo 'make clean      remove build/ (not .deps/ and not the data)'

setup:
	@tools/setup.sh

build: setup
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target arc

bench:
	@tools/setup.sh bench
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target arc arc-bench arc-micro arc-instructions arc-compact arc-month

instructions:
	@tools/setup.sh instructions
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target arc-instructions
	@bench/instructions.py

dev: setup
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev

run: build
	@exec build/release/arc serve --port $(PORT) --data-dir $(DATA_DIR)

test:
	@tools/setup.sh tests
	@$(MAKE) --no-print-directory dev
	@tools/run_tests.py build/dev

test-all:
	@tools/setup.sh tests readers peers
	@$(MAKE) --no-print-directory dev
	@tools/run_tests.py build/dev --all
	@$(MAKE) --no-print-directory iceberg-kit

iceberg-kit: dev
	@tests/compat/iceberg_rest_kit.py --binary build/dev/arc

check:
	@tools/setup.sh parts style
	@tools/check_style.sh
	@tools/check_rooms.py
	@tools/check_rooms_test.py
	@bench/compare_test.py
	@bench/help_test.py
	@$(MAKE) --no-print-directory tidy

tidy: setup
	@tools/setup.sh style
	@cmake --preset dev >/dev/null
	@tools/tidy.py build/dev

format:
	@tools/setup.sh style
	@tools/check_style.sh --fix

clean:
	rm -rf build
