// SPDX-License-Identifier: Apache-2.0
#include "agent/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"

#define CONF_BYTES 65536

enum kind {
	KIND_TEXT,
	KIND_PATH, /* absolute, without ".." */
	KIND_ADDRESS, /* IPv4 or IPv6 */
	KIND_NAME, /* of letters, digits, '-', '_' and '.' */
	KIND_NUMBER,
};

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset, size;
	int64_t min, max;
	const char *fallback; /* NULL: the key is required */
} keys[] = {
/* clang-format off */
#define TEXT(k, kind, d) { #k, kind, offsetof(struct conf, k), \
			   sizeof(((struct conf *)0)->k), 0, 0, d }
#define NUMBER(k, min, max, d) { #k, KIND_NUMBER, offsetof(struct conf, k), \
				 0, min, max, d }
	TEXT(node, KIND_NAME, NULL),
	TEXT(listen, KIND_TEXT, ""),
	TEXT(ca, KIND_PATH, ""),
	TEXT(cert, KIND_PATH, ""),
	TEXT(key, KIND_PATH, ""),
	TEXT(grant_key, KIND_PATH, ""),
	TEXT(state_dir, KIND_PATH, "/var/lib/ve-agentd"),
	TEXT(run_dir, KIND_PATH, "/run/ve-agentd"),
	TEXT(template_dir, KIND_PATH, "/var/lib/ve/template"),
	TEXT(private_dir, KIND_PATH, "/var/lib/ve/private"),
	TEXT(cgroup, KIND_PATH, "/sys/fs/cgroup/ve"),
	TEXT(user_api, KIND_NAME, "ve-agent-api"),
	TEXT(user_term, KIND_NAME, "ve-agent-term"),
	NUMBER(quarantine_ms, 0, 86400000, "60000"),
	NUMBER(stop_ms, 0, 600000, "10000"),
	NUMBER(max_ves, 1, 30000, "10000"),
	NUMBER(held, 0, 64, "4"),
	NUMBER(max_streams, 1, 60000, "4096"),
	TEXT(uplink, KIND_NAME, "eth0"),
	NUMBER(uplink_rate, 1000, 1LL << 40, "125000000"),
	TEXT(resolver, KIND_ADDRESS, ""),
	/* clang-format on */
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static bool is_name(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")];
}

static bool is_path(const char *s)
{
	size_t n = strlen(s);

	return s[0] == '/' && !strstr(s, "/../") &&
	       (n < 3 || strcmp(s + n - 3, "/.."));
}

static bool is_address(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

static bool assign(struct conf *c, const struct key *k, const char *value)
{
	char *to = (char *)c + k->offset;
	char *end;
	long long n;

	if (k->kind == KIND_NUMBER) {
		errno = 0;
		n = strtoll(value, &end, 10);
		if (errno || end == value || *end || n < k->min || n > k->max)
			return false;
		*(int64_t *)(void *)to = n;
		return true;
	}
	if (strlen(value) >= k->size ||
	    (k->kind == KIND_NAME && !is_name(value)) ||
	    (k->kind == KIND_PATH && *value && !is_path(value)) ||
	    (k->kind == KIND_ADDRESS && *value && !is_address(value)))
		return false;
	strcpy(to, value);
	return true;
}

static int set_line(struct conf *c, bool *seen, char *line, const char *file,
		    int number, struct err *e)
{
	char *value = line + strcspn(line, " \t");
	size_t n;

	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	for (n = strlen(value); n && strchr(" \t\r", value[n - 1]); n--)
		value[n - 1] = '\0';
	for (size_t i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].name, line))
			continue;
		if (seen[i])
			return err_set(e, -EINVAL, "%s:%d: '%s' stands twice",
				       file, number, line);
		seen[i] = true;
		if (*value && assign(c, &keys[i], value))
			return 0;
		if (keys[i].kind == KIND_NUMBER)
			return err_set(e, -EINVAL,
				       "%s:%d: '%.60s' is no value for '%s', which is %" PRId64
				       "..%" PRId64,
				       file, number, value, line, keys[i].min,
				       keys[i].max);
		return err_set(e, -EINVAL,
			       "%s:%d: '%.60s' is no value for '%s'", file,
			       number, value, line);
		return 0;
	}
	return err_set(e, -EINVAL, "%s:%d: unknown key '%.60s'", file, number,
		       line);
}

/* What must stand together. */
static int check(const struct conf *c, const char *file, struct err *e)
{
	if (c->listen[0] &&
	    (!c->ca[0] || !c->cert[0] || !c->key[0] || !c->grant_key[0]))
		return err_set(e, -EINVAL,
			       "%s: 'listen' needs 'ca', 'cert',"
			       " 'key' and 'grant_key'",
			       file);
	return 0;
}

int conf_parse(struct conf *c, const char *text, const char *file,
	       struct err *e)
{
	char *copy _free_ = xstrdup(text), *rest = copy, *line;
	bool seen[NKEYS] = { false };
	int number = 0;

	*c = (struct conf){ 0 };
	snprintf(c->file, sizeof(c->file), "%s", file);
	for (size_t i = 0; i < NKEYS; i++)
		if (keys[i].fallback)
			assign(c, &keys[i], keys[i].fallback);
	while ((line = strsep(&rest, "\n"))) {
		number++;
		line += strspn(line, " \t\r");
		if (*line && *line != '#' &&
		    set_line(c, seen, line, file, number, e) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < NKEYS; i++)
		if (!keys[i].fallback && !seen[i])
			return err_set(e, -EINVAL, "%s: '%s' is missing", file,
				       keys[i].name);
	return check(c, file, e);
}

int conf_load(struct conf *c, const char *file, struct err *e)
{
	char *text _free_ = xmalloc(CONF_BYTES);
	FILE *f = fopen(file, "re");
	size_t n;

	if (!f)
		return err_sys(e, "%s", file);
	n = fread(text, 1, CONF_BYTES, f);
	fclose(f);
	if (n == CONF_BYTES)
		return err_set(e, -EFBIG, "%s: too long", file);
	text[n] = '\0';
	if (strlen(text) != n)
		return err_set(e, -EINVAL, "%s: NUL byte in the file", file);
	return conf_parse(c, text, file, e);
}
