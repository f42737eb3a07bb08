/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SHELL_H
#define VE_PORTAL_SHELL_H

/* The pipe of ve-shell: standard input, output and error to an open stream. */
#include <stdbool.h>

struct stream;

/* Pump until the end (the stream is consumed).  The exit status: the command's,
 * or 255 with words on standard error. */
int shell_run(struct stream *stream, bool tty);

/* Size of the terminal at standard input; left alone when there is none. */
void shell_size(unsigned *cols, unsigned *rows);

#endif
