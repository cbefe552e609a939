#!/bin/sh
# Builds the test and runs it.
set -eu
cc -std=c99 -Wall -Wextra -o test_words words.c test_words.c
./test_words
