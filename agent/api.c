// SPDX-License-Identifier: Apache-2.0
#include "agent/api.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/db.h"
#include "agent/idle.h"
#include "agent/lease.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/part.h"
#include "agent/porting.h"
#include "agent/pump.h"
#include "agent/sandbox.h"
#include "agent/usage.h"

struct api api;

static void read_file(const char *path, char *out, size_t size)
{
	int fd _close_ = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n < 0)
		fatal("%s: %s", path, strerror(errno));
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static void read_grant_key(const char *path)
{
	char text[128];

	if (!*path)
		return;
	read_file(path, text, sizeof(text));
	if (grant_key_parse(api.grant_key, text) < 0)
		fatal("%s: 64 hex digits are expected", path);
	OPENSSL_cleanse(text, sizeof(text));
}

/* Everything that needs a path outside our own directory. */
static void open_all(const struct conf *c)
{
	api.conf = c;
	api.cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	read_file("/proc/sys/kernel/random/boot_id", api.boot_id,
		  sizeof(api.boot_id));
	read_grant_key(c->grant_key);
	api.meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	if (api.meminfo_fd < 0)
		fatal("/proc/meminfo: %s", strerror(errno));
}

static void open_state(const struct conf *c, const char *dir)
{
	char path[CONF_TEXT + 24];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/agent.db", dir);
	api.db = db_open(path, &e);
	if (!api.db)
		fatal("%s", e.text);
	if (lease_boot(api.db, api.boot_id, clock_boot(), clock_wall(),
		       c->quarantine_ms) < 0)
		fatal("%s: leases of the boot before cannot be ended", path);
	db_sync();
}

void api_main(const struct conf *c)
{
	bool root = geteuid() == 0;
	struct conf *mine = xmalloc(sizeof(*mine));
	char dir[CONF_TEXT + 8];

	*mine = *c;
	snprintf(dir, sizeof(dir), "%s/api", c->state_dir);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	open_all(mine);
	http_load();
	part_drop(mine->user_api, dir);
	sandbox_enter(SANDBOX_API);
	open_state(mine, root ? "" : dir); /* as root's child we stand in it */
	http_start();
	/* none of them works on before all there is is set up */
	state_lock();
	op_start_workers();
	open_start_workers();
	porting_start();
	pump_start();
	clock_start();
	idle_start();
	usage_start();
	link_start();
	state_unlock();
	for (;;)
		pause();
}
