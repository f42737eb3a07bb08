#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The digest of a template, by its files' names and contents.  Usage: digest.sh DIRECTORY
set -eu
cd "$1"
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
