// SPDX-License-Identifier: Apache-2.0
/* The least that a program can do and be heard: what is measured is the way to it.  No library. */
static long call(long nr, long a, const void *b, long c)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

void _start(void);
void _start(void)
{
	call(1, 1, "x", 1);
	call(60, 0, (void *)0, 0);
	__builtin_unreachable();
}
