// SPDX-License-Identifier: Apache-2.0
/*
 * What root of a VE may do, asked of the running kernel and printed as docs/surface.md: capabilities, system
 * calls, sockets, devices, /proc and its settings.  Run on the node; it makes a VE and prints from inside.
 */
#include "iso.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "names.h" /* of capabilities and system calls, from the kernel's own headers */

/* ---- capabilities -------------------------------------------------------- */

static void print_capabilities(void)
{
	puts("## Capabilities\n\nThe bounding set of root, in the VE's own user namespace; none of them counts outside it.\n");
	for (size_t i = 0; i < sizeof(capability_names) / sizeof(capability_names[0]); i++)
		if (prctl(PR_CAPBSET_READ, i) == 1)
			printf("%s%s", i ? " " : "", capability_names[i]);
	puts("\n");
}

/* ---- system calls -------------------------------------------------------- */

static void print_calls(int error, const char *title)
{
	int n = 0;

	printf("%s:\n\n", title);
	for (size_t i = 0; i < sizeof(call_names) / sizeof(call_names[0]); i++)
		if (call_names[i].name && iso_ask(call_names[i].nr) == error)
			printf("%s%s", n++ ? " " : "", call_names[i].name);
	puts("\n");
}

/* ---- sockets ------------------------------------------------------------- */

static void print_sockets(void)
{
	static const struct {
		const char *name;
		int type;
	} types[] = { { "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW }, { "seqpacket", SOCK_SEQPACKET } };

	puts("## Sockets\n\nEvery family (0 to 63), type and protocol (0 to 255) that opens.\n\n| family | type | protocols |\n|---|---|---|");
	for (int family = 0; family < 64; family++) {
		for (size_t t = 0; t < 4; t++) {
			int first = -1, n = 0;
			char line[2048] = "";

			for (int p = 0; p <= 256; p++) {
				int s = p < 256 ? socket(family, types[t].type, p) : -1;
				size_t used = strlen(line);

				if (s >= 0 && first < 0)
					first = p;
				if (s < 0 && first >= 0) {
					snprintf(line + used, sizeof(line) - used, first == p - 1 ? "%s%d" : "%s%d-%d",
						 n++ ? " " : "", first, p - 1);
					first = -1;
				}
				close(s);
			}
			if (n)
				printf("| %d | %s | %s |\n", family, types[t].name, line);
		}
	}
	puts("");
}

/* ---- devices ------------------------------------------------------------- */

static const int majors[] = { 1, 4, 5, 7, 10, 13, 29, 108, 136, 189, 202, 226, 229, 240, 253, 254 };
#define MAJORS (sizeof(majors) / sizeof(majors[0]))

static void make_devices(const char *dir)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/devices", dir);
	mkdir(path, 0755);
	for (size_t i = 0; i < MAJORS; i++) {
		for (int minor = 0; minor < 256; minor++) {
			for (int block = 0; block < 2; block++) {
				snprintf(path, sizeof(path), "%s/devices/%c-%d-%d", dir, "cb"[block], majors[i], minor);
				if (mknod(path, (block ? S_IFBLK : S_IFCHR) | 0666, makedev(majors[i], minor)))
					die("%s", path);
				chmod(path, 0666);
			}
		}
	}
}

/* One is open to a VE when the answer is anything but the boundary's. */
static void print_devices(void)
{
	char path[64];

	puts("## Devices\n\nOf the nodes that a tree could hold (block and character; majors 1 4 5 7 10 13 29 108 136 189 202 226 229 240"
	     "\n253 254; all minors below 256), those whose opening is not refused with EPERM.  A VE makes none itself.\n");
	for (int block = 0; block < 2; block++) {
		for (size_t i = 0; i < MAJORS; i++) {
			int first = -1;

			for (int minor = 0; minor <= 256; minor++) {
				bool open_to_ve = false;

				if (minor < 256) {
					snprintf(path, sizeof(path), "/devices/%c-%d-%d", "cb"[block], majors[i], minor);
					int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);

					open_to_ve = fd >= 0 || errno != EPERM;
					close(fd);
				}
				if (open_to_ve && first < 0)
					first = minor;
				if (!open_to_ve && first >= 0) {
					printf(first == minor - 1 ? "- %c %d:%d\n" : "- %c %d:%d to %d\n", "cb"[block],
					       majors[i], first, minor - 1);
					first = -1;
				}
			}
		}
	}
	puts("");
}

/* ---- /proc --------------------------------------------------------------- */

static char *found[4096];
static size_t nr_found;

static void walk(const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path;

		if (e->d_name[0] == '.' || (depth == 0 && e->d_name[0] >= '0' && e->d_name[0] <= '9') ||
		    asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			continue;
		if (e->d_type == DT_DIR && strcmp(path, "/proc/self/task") && strcmp(path, "/proc/self/fd") &&
		    strcmp(path, "/proc/self/fdinfo") && strcmp(path, "/proc/self/map_files"))
			walk(path, depth + 1);
		else if (nr_found < 4096)
			found[nr_found++] = path;
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_files(const char *top, const char *title, bool skip_sys)
{
	printf("## %s\n\nr: can be opened for reading, w: for writing.\n\n", title);
	nr_found = 0;
	walk(top, strcmp(top, "/proc") ? 1 : 0);
	qsort(found, nr_found, sizeof(found[0]), by_name);
	for (size_t i = 0; i < nr_found; i++) {
		int r, w;

		if (skip_sys && (!strncmp(found[i], "/proc/sys/", 10) || !strncmp(found[i], "/proc/self/", 11) ||
				 !strncmp(found[i], "/proc/thread-self/", 18)))
			continue;
		r = open(found[i], O_RDONLY | O_NONBLOCK);
		w = open(found[i], O_WRONLY | O_NONBLOCK);
		printf("- %s %s%s\n", found[i], r < 0 ? "-" : "r", w < 0 ? "-" : "w");
		close(r);
		close(w);
	}
	puts("");
}

static int print_all(void)
{
	print_capabilities();
	puts("## System calls\n");
	print_calls(EPERM, "Answered with EPERM, whatever the arguments");
	print_calls(ENOSYS, "Answered with ENOSYS (also those that no kernel of this configuration has)");
	print_sockets();
	print_devices();
	print_files("/proc", "/proc", true);
	print_files("/proc/self", "/proc/self, as of every process of the VE", false);
	print_files("/proc/sys", "/proc/sys", false);
	fflush(stdout);
	return 0;
}

static const struct iso_row rows[] = { { .probe = print_all } };

static void setup(void)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/upper", iso_a.private);
	make_devices(path);
	fd = iso_leave(print_all);
	if (env_wait(fd))
		die("surface");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 1)
		puts("# What a VE may do\n\nPrinted by `make surface` from inside a VE of the strict profile, by its root; "
	     "`tests/guest/t4004-surface.sh`\nprints it again and compares.  A kernel that shows more fails there until "
	     "somebody has looked.\n");
	fflush(stdout);
	iso_main(argc, argv, ISO_ROWS(rows), setup);
	return 0;
}
